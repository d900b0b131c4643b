"""PySCF as the reference code of one propagation; implements `Backend`."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...adapters.deck import orbitals_read
from ...adapters.engine import Energies
from ...adapters.orbitals import Orbitals, as_propagated, largest_force
from ...surrogate.surrogate import Surrogate
from ..loop.backend import GroundState, embedded_first_build
from ..loop.controller import Target
from ..loop.problem import Problem
from ..loop.reference import EmbeddedReference, Reference
from .ground import GroundStates
from .job import Job
from .options import same_level
from .surrogates import make_surrogate

if TYPE_CHECKING:
    from ...surrogate.own_steps.block import StepGraphs

#: Orbitals with a larger force, Hartree, were not converged for what they are propagated with: another grid
#: leaves 2e-3, another functional 6e-3 and more, NWChem's default thresholds 1e-4.
FORCE_AT_REST = 1e-3


@dataclass(eq=False)
class EmbeddedBackend:
    """The embedded engine at a job's level of theory.

    job: what is carried out.
    grounds: the deck's ground states.
    number: that of the ground state among them; None for orbitals from a file.
    graphs: where a surrogate by graphs has its steps made; None: alone.
    """

    job: Job
    grounds: GroundStates
    number: int | None
    graphs: "StepGraphs | None" = None
    _ground: GroundState | None = None

    def ground_state(self, known: Orbitals | None) -> GroundState:
        """See `Backend`. Raises DeckError, MovecsError, NotConverged."""
        system = self.job.task.system
        seconds, engine = 0.0, None
        if known is not None:
            orbitals = known
        elif self.number is None:
            engine, orbitals = self.grounds.from_file(self.job.orbitals, system)
        else:
            engine, orbitals = self.grounds.solve(self.number)
            # Several runs may start from one ground state; its time is booked once.
            seconds = self.grounds.seconds.pop(self.number, 0.0)
        if engine is None or not same_level(engine.system, system):
            engine = self.grounds.engine_about(orbitals, system)
        orbitals = as_propagated(orbitals, engine.mol.nelec)
        build = self.grounds.build(engine, orbitals)
        if known is None and self.number is None and self.job.task.real_time.load.kind == "scf":
            _warn_of_force(self.job, orbitals, np.real(build.fock))
        self._ground = GroundState(engine, orbitals, build, seconds, _directions(self.job))
        return self._ground

    def surrogate_and_reference(
        self, problem: Problem, target: Target, tell: Callable[[str, float], None]
    ) -> tuple[Surrogate | None, Reference]:
        """See `Backend`. Raises PriorError, DeviceError, GraphError, NetworkNotApplicable."""
        reference = EmbeddedReference(problem)
        if not self.job.hybrid:
            return None, reference
        assert self._ground is not None
        surrogate = make_surrogate(self._ground, problem, self.job.options, target, tell, self.graphs)
        return surrogate, reference

    def first_build(self, problem: Problem, density: np.ndarray) -> tuple[np.ndarray, Energies]:
        """See `Backend`."""
        return embedded_first_build(problem, density)

    def summary(self, seconds: Mapping[str, float], wall: float) -> None:
        """Nothing beyond what every run tells."""


def _directions(job: Job) -> np.ndarray:
    """Of fields that act, (k, 3), in all the deck's propagations that start where this one does."""
    alike = [
        task.real_time
        for task in job.deck.propagations
        if orbitals_read(task) == job.orbitals and same_level(task.system, job.task.system)
    ]
    acting = [
        field.direction
        for own in alike
        for field in own.fields
        if any(rule.field == field.name for rule in own.excitations)
    ]
    return np.array(acting, float).reshape(-1, 3)


def _warn_of_force(job: Job, orbitals: Orbitals, fock: np.ndarray) -> None:
    """Say so where orbitals from a file are no stationary point here, though the deck asks for none such."""
    force = largest_force(orbitals, fock)
    if force > FORCE_AT_REST:
        functional = job.task.system.functional.directive
        print(
            f"hybrid-propagate: {job.task.place}: warning: orbitals {job.orbitals} are not converged for "
            f"xc {functional} here (force {force:.1e} Hartree, NWChem's SCF leaves 1e-4): was another "
            "functional, grid, basis or geometry meant?",
            file=sys.stderr,
        )
