"""The trajectories of a pump and its probes, each with its shadow, which carries what the surrogate lacks.

    δμ(t) = μ_pp(t) - μ_p(t),   stated = RMS(δμ_shadow - δμ) / RMS(δμ) + ...

The probe's shadow parts from the pump's shadow, so that what the pump has got wrong by then is in it; behind
that, it has what the surrogate lacks of the pump's motion and of the difference. The other terms are those of
`estimate.statement`, with the reference's own tolerance over the difference.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..estimate.defect_operator import DefectOperator
from ..estimate.statement import LEAST, Sums
from ..loop.problem import Problem, dipole_norm
from ..propagators.magnus import FockOf, NoFixedPoint
from ..propagators.state import State
from .course import Course, FockAt, begin_course, go_on
from .model import PumpModel
from .tangent import Points, Sighting, pump_operator, tangent_operator, turning


@dataclass(frozen=True, eq=False)
class Pumped:
    """The pump by itself, from the start to the end of the last window.

    course: by the surrogate; shadow: with what it lacks. Both keep states to branch from, and densities.
    lacking: of the pump's motion.
    lost: the shadow had no fixed point, and nothing can be stated.
    """

    course: Course
    shadow: Course
    lacking: DefectOperator
    lost: bool = False


@dataclass(frozen=True, eq=False)
class Probed:
    """One probe's difference from the trajectory without it.

    signal: (k, 3) δμ, au, from the point that it parts at; shadow: the same of the shadows.
    unseen: stated for what no operator of a few points sees, and for the reference's own tolerance.
    """

    signal: np.ndarray
    shadow: np.ndarray
    unseen: float

    @property
    def error(self) -> float:
        """Stated, relative."""
        return relative(self.shadow - self.signal, self.signal) + self.unseen


def relative(apart: np.ndarray, signal: np.ndarray) -> float:
    """RMS over RMS; infinite of nothing."""
    size = float(np.linalg.norm(signal))
    return float(np.linalg.norm(apart)) / size if size else np.inf


def plain(model: PumpModel) -> FockAt:
    """The model's F', the same at all steps."""
    fock = model.fock
    return lambda _: fock


def pump_course(model: PumpModel, pause: Callable[[], bool]) -> Course | None:
    """The pump by the surrogate; None where `pause` ended it."""
    problem = model.problem
    course = begin_course(problem, model.start(problem), keep_densities=True)
    return _finished(problem, plain(model), course, model, pause)


def shadowed(model: PumpModel, course: Course, points: Points, pause: Callable[[], bool]) -> Pumped | None:
    """The pump with its shadow; None where `pause` ended it."""
    assert course.densities is not None
    problem = model.problem
    lacking = pump_operator(model, points, np.array(course.densities))
    predict, ground = model.fock, problem.ground_density
    shadow = begin_course(problem, model.start(problem), keep_densities=True)

    def fock_at(step: int) -> FockOf:
        return lambda density: predict(density) + lacking(density - ground)

    try:
        if _finished(problem, fock_at, shadow, model, pause) is None:
            return None
    except NoFixedPoint:
        return Pumped(course, course, lacking, lost=True)
    return Pumped(course, shadow, lacking)


def probe_course(
    model: PumpModel, number: int | None, pump: Course | None, pause: Callable[[], bool]
) -> Course | None:
    """One probe by the surrogate, with its densities; None where `pause` ended it. number: None for the
    probe without a pump.
    """
    problem, state = branch(model, number, pump)
    course = begin_course(problem, state, keep_densities=True)
    done = go_on(problem, plain(model), course, course.first + model.plan.n_window, (), pause)
    return course if done else None


def branch(model: PumpModel, number: int | None, pump: Course | None) -> tuple[Problem, State]:
    """A probe's problem, and the state that it parts from."""
    if number is None or pump is None:
        problem = model.of(model.plan.alone)
        return problem, model.start(problem)
    return model.of(model.plan.with_probe(number)), pump.branches[int(model.plan.branches[number])]


def probed(
    model: PumpModel,
    number: int | None,
    pumped: Pumped,
    course: Course,
    points: Points,
    pause: Callable[[], bool],
) -> Probed | None:
    """A probe's trajectory with its shadow and statement; None where `pause` ended it."""
    assert course.densities is not None
    problem, _ = branch(model, number, pumped.course)
    first, n = course.first, model.plan.n_window
    base, base_shadow = pump_densities(model, number, pumped)
    changes = np.array(course.densities) - np.array(base[first : first + n + 1])
    tangent = tangent_operator(model, points, changes)
    predict, lacking, ground = model.fock, pumped.lacking, problem.ground_density

    def fock_at(step: int) -> FockOf:
        beside = base_shadow[step]
        return lambda density: predict(density) + lacking(density - ground) + tangent(density - beside)

    _, start = branch(model, number, pumped.shadow)
    shadow = begin_course(problem, start)
    without, without_shadow = pump_dipole(model, number, pumped)
    signal = np.array(course.dipole) - without
    try:
        if not go_on(problem, fock_at, shadow, first + n, (), pause):
            return None
    except NoFixedPoint:
        return Probed(signal, signal, np.inf)
    seen = np.array(shadow.dipole) - without_shadow
    return Probed(signal, seen, np.inf if pumped.lost else _unseen(model, signal, changes, points.found))


def pump_densities(
    model: PumpModel, number: int | None, pumped: Pumped
) -> tuple[Sequence[np.ndarray], Sequence[np.ndarray]]:
    """P' of the pump and of its shadow, by step."""
    if number is None:
        ground = [model.problem.ground_density] * (model.plan.n_window + 1)
        return ground, ground
    assert pumped.course.densities is not None
    assert pumped.shadow.densities is not None
    return pumped.course.densities, pumped.shadow.densities


def pump_dipole(model: PumpModel, number: int | None, pumped: Pumped) -> tuple[np.ndarray, np.ndarray]:
    """(k, 3) over the window, of the pump and of its shadow."""
    n = model.plan.n_window + 1
    if number is None:
        still = np.broadcast_to(pumped.course.dipole[0], (n, 3))
        return still, still
    first = int(model.plan.branches[number])
    return (
        np.array(pumped.course.dipole[first : first + n]),
        np.array(pumped.shadow.dipole[first : first + n]),
    )


def pump_error(pumped: Pumped) -> float:
    """How far the pump's shadow is from it, relative to its motion."""
    dipole = np.array(pumped.course.dipole)
    return relative(np.array(pumped.shadow.dipole) - dipole, dipole - dipole[0]) + LEAST


def _unseen(model: PumpModel, signal: np.ndarray, changes: np.ndarray, found: Sequence[Sighting]) -> float:
    """What is stated beside the shadow."""
    size = float(np.sqrt(np.mean(np.sum(np.abs(changes) ** 2, axis=(1, 2, 3)))))
    duration = model.plan.n_window * model.plan.task.real_time.dt
    push = (dipole_norm(model.problem) * turning(found) * size) ** 2 * duration
    moved = float(np.sum(signal**2))
    return Sums(signal=moved, points=len(signal), push=push, n_drawn=len(found)).stated


def _finished(
    problem: Problem, fock_at: FockAt, course: Course, model: PumpModel, pause: Callable[[], bool]
) -> Course | None:
    plan = model.plan
    last = int(plan.branches[-1]) + plan.n_window
    done = go_on(problem, fock_at, course, last, set(plan.branches.tolist()), pause)
    return course if done else None
