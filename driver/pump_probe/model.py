"""What pump and probes share: ground state, engine, kernel, and a surrogate that no longer learns.

Both trajectories of a difference must have the same forces, or the difference shows what the surrogate has
learned between them. So the pump runs once by `hybrid-propagate`, which teaches; all that is compared is then
made by the surrogate as it is, or by reference steps alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck, GroundStateTask, PropagationTask
from ...adapters.files.trajectory import read_contents
from ...surrogate.surrogate import Surrogate
from ..loop.controller import Target
from ..loop.problem import Problem, initial_state, make_problem
from ..propagators.magnus import FockOf
from ..propagators.state import State
from ..run.deck import run_deck
from ..run.embedded import EmbeddedBackend
from ..run.ground import GroundStates
from ..run.job import Job, file_names
from ..run.options import Options
from ..run.setup import Setup, set_up
from ..run.surrogates import with_surrogate
from .plan import PumpPlan


@dataclass(eq=False)
class PumpModel:
    """Everything that a trajectory needs beside its own field.

    plan: what is asked for.
    setup: of the pump.
    builds: Fock builds made here, those of the run that teaches apart.
    """

    plan: PumpPlan
    setup: Setup
    builds: int = 0

    @property
    def problem(self) -> Problem:
        """The pump's."""
        return self.setup.problem

    @property
    def surrogate(self) -> Surrogate | None:
        """None where every step is the reference's."""
        return self.setup.hybrid.surrogate

    @property
    def target(self) -> Target:
        """Error wanted."""
        return self.setup.hybrid.target

    def of(self, task: PropagationTask) -> Problem:
        """The same molecule in other fields."""
        problem, ground = self.problem, self.setup.ground
        return make_problem(task, problem.engine, problem.basis, ground.build, ground.orbitals.density())

    def start(self, problem: Problem) -> State:
        """The ground state at the first point."""
        fock = problem.ground_fock.astype(complex)
        return initial_state(problem, problem.ground_density, fock, 0, 0.0)

    def reference_fock(self, density: np.ndarray) -> np.ndarray:
        """One Fock build."""
        self.builds += 1
        return self.problem.reference_fock(density)[0]

    @property
    def fock(self) -> FockOf:
        """Where F' comes from."""
        return self.reference_fock if self.surrogate is None else self.surrogate.predict


def teaching_deck(plan: PumpPlan, folder: Path) -> Deck:
    """The deck with the pump as its only propagation."""
    tasks = [task for task in plan.deck.tasks if isinstance(task, GroundStateTask)]
    pump = replace(plan.pump, real_time=replace(plan.pump.real_time, tag="pump"))
    return replace(plan.deck, permanent_dir=folder, tasks=(*tasks, pump), journal=(), recorded=())


def pump_file(deck: Deck, suffix: str) -> Path:
    """A file of the run of `teaching_deck`, by the end of its name."""
    (name,) = file_names(deck)
    return deck.permanent_dir / f"{name}{suffix}"


def teach(deck: Deck, options: Options, stopping: Callable[[], bool]) -> bool:
    """Make or finish the pump; False where `stopping` ended it early. Raises what `run_deck` raises."""
    options = replace(options, restart=pump_file(deck, ".h5").exists())
    return run_deck(deck, options, lambda _: None, stopping)


def open_model(plan: PumpPlan, deck: Deck, options: Options, stopping: Callable[[], bool]) -> PumpModel:
    """The model of a deck of `teaching_deck`, with what its pump has taught, where there is a surrogate.

    Raises what the ground state raises, TrajectoryError.
    """
    options = with_surrogate(options, deck)
    grounds = GroundStates(deck, options, lambda _: None)
    for task in deck.ground_states:
        grounds.add(task)
    (pump,), stem = deck.propagations, pump_file(deck, "")
    job = Job(pump, deck, stem, options, time.perf_counter(), lambda _: None, stopping)
    number = grounds.named().get(job.orbitals)
    old = read_contents(job.file("h5"), to_go_on=True) if job.hybrid else None
    return PumpModel(plan, set_up(job, EmbeddedBackend(job, grounds, number), old))
