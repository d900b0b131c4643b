"""`--surrogate rollout`: what it takes, and its making."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...adapters.deck import Deck, DeckError, PropagationTask
from ...adapters.pyscf.engine import PySCFEngine
from ...atomic.errors import BadInput
from ...surrogate.nonlinear.nonlinear_response import NonlinearResponse, PointSource
from ...surrogate.on_the_fly.earlier_run import carried_points, read_earlier_run
from ...surrogate.own_steps.block import BlockRules, StepGraphs
from ...surrogate.own_steps.rollout_response import RolloutGround, RolloutResponse
from ...surrogate.own_steps.turned import turned
from ...surrogate.rollout.functionals import parts
from ...surrogate.rollout.molecule import RolloutMatrices, molecule_of
from ..loop.backend import GroundState
from ..loop.controller import Target
from ..loop.problem import Problem
from .options import Options, physics_of
from .surrogates import once

#: Error of points on held-out rotations that is wanted. With 2e-3 water in an ionising field took 11 builds
#: at --tol 1e-2, now 6.
POINTS_ERROR = 1e-3
#: Matrices of fields that differ by less, relative, are the same.
SAME = 1e-12


def check_rollout(deck: Deck) -> None:
    """Refuse propagations that graphs cannot make. Raises DeckError."""
    for task in deck.propagations:
        if not task.real_time.no_propagation:
            functional, way_out = task.system.functional, "; accepted: --surrogate response"
            check_steps(task, way_out)
            try:
                parts(functional.pyscf, functional.directive)
            except BadInput as error:
                raise DeckError(task.place, f"--surrogate rollout: {error}{way_out}") from error


def check_steps(task: PropagationTask, way_out: str = "") -> None:
    """Refuse steps that graphs do not have. Raises DeckError."""
    real_time = task.real_time
    if real_time.absorbing or real_time.static or real_time.propagator != "magnus":
        steps = "graphs have the magnus propagator, without static, mocap and spatialcap"
        raise DeckError(task.place, steps + way_out)


def make_rollout(
    ground: GroundState,
    problem: Problem,
    options: Options,
    target: Target,
    tell: Callable[[str, float], None],
    graphs: StepGraphs | None = None,
) -> RolloutResponse:
    """The surrogate about its ground state. graphs: where steps are made.

    Raises NoFormula, TooLarge, PriorError; when it first makes a step NoPoints, TooLong, DeviceError.
    """
    engine, basis, real_time = ground.engine, problem.basis, problem.real_time
    density = np.real(ground.orbitals.density())
    molecule = once(
        engine,
        "rollout",
        basis.coefficients,
        lambda: molecule_of(engine, basis, density, problem.ground_build, options.memory),
    )
    molecule, fields = _with_fields(molecule, problem)
    source = None
    if engine.quadrature is not None:
        given = (engine.quadrature, basis, density, problem.ground_density)
        points = PointSource(*given, POINTS_ERROR, POINTS_ERROR, 0.0, tell, whole=True)
        source = OfManyRuns(engine, replace(points, carried=_carried(problem, options)))
    about = RolloutGround(engine, basis, problem.ground_density, problem.ground_build, molecule, fields)
    rules = BlockRules(real_time.dt, real_time.tolerances.interpol, options.device)
    return RolloutResponse(about, source, rules, graphs)


@dataclass(frozen=True, eq=False)
class OfManyRuns:
    """Implements `NonlinearSource` for all runs from one ground state: their points are learned once."""

    engine: PySCFEngine
    source: PointSource

    @property
    def wanted_from(self) -> float:
        """See `NonlinearSource`."""
        return self.source.wanted_from

    def make(self) -> NonlinearResponse | None:
        """See `NonlinearSource`."""
        return once(self.engine, "rollout points", self.source.density, self.source.make)

    def better(self, response: NonlinearResponse, visited: Sequence[np.ndarray]) -> NonlinearResponse | None:
        """See `NonlinearSource`."""
        return self.source.better(response, visited)

    def again(self, points: np.ndarray) -> NonlinearResponse:
        """See `NonlinearSource`."""
        return self.source.again(points)


def _carried(problem: Problem, options: Options) -> np.ndarray | None:
    """The points that an earlier run learned, at this geometry. Raises PriorError."""
    if options.prior is None:
        return None
    run = read_earlier_run(options.prior, physics_of(problem.system), problem.system)
    return carried_points(run, problem.system.geometry.positions)


def _with_fields(molecule: RolloutMatrices, problem: Problem) -> tuple[RolloutMatrices, np.ndarray]:
    """The molecule with fields that all of a run's are made of, and how, (run's, molecule's).

    These are the three along the axes where that is so, which other runs then share; else the run's own.
    """
    turn = turned(problem.basis).matrices_in
    own = [turn(np.real(coupling.matrix)) for coupling in problem.couplings]
    if not own:
        return molecule, np.zeros((1, len(molecule.field)))
    wanted = np.reshape(own, (len(own), -1))
    axes = np.broadcast_to(molecule.field, (3, *own[0].shape)).reshape(3, -1)
    shares = np.linalg.lstsq(axes.T, wanted.T)[0].T
    if np.abs(shares @ axes - wanted).max() <= SAME * np.abs(wanted).max():
        return molecule, shares
    return replace(molecule, field=np.array(own)), np.eye(len(own))
