"""The surrogate made good enough for the differences, by a few probes drawn by chance.

First it visits the differences, as if each were as large as the pump's motion: new directions and their
images take no Fock build, and the few that matter most one each. Then points are measured on probes drawn
anew. Where the error that these show is above tol, they teach, and the next round draws others. Afterwards
nothing is learned.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...surrogate.surrogate import Surrogate
from ..estimate.drawn import scrambled
from .course import Course
from .model import PumpModel
from .tangent import Points, Sighting, sightings
from .trajectories import Probed, Pumped, probe_course, probed, pump_course, shadowed

#: Probes that are measured in a round, beside the one without a pump.
DRAWN = 4
#: Rounds at most; the last states what it finds.
ROUNDS = 5
#: Steps between two visits of a difference.
VISIT_EVERY = 3
#: Fock builds that one round may spend on directions.
REFINEMENTS = 24
#: Of the draws.
SEED = 0


@dataclass(frozen=True, eq=False)
class TaughtModel:
    """A surrogate that is used as it is.

    pumped: the pump by it.
    points: measured before they taught it anything.
    """

    pumped: Pumped
    points: Points


def learn(
    model: PumpModel,
    rounds: int,
    pause: Callable[[], bool],
    keep: Callable[[int], None],
    say: Callable[[str], None],
) -> TaughtModel | None:
    """Teach until the error of the drawn probes is at most tol, or `ROUNDS` are made; None where paused.

    rounds: made by an earlier process, whose surrogate this one is. keep: called where a round has taught.
    """
    if rounds == 0:
        if not _visit_some(model, _evenly(model), pause):
            return None
        _refine(model)
        rounds = 1
        keep(rounds)
    while True:
        found = _round(model, rounds, pause)
        if found is None:
            return None
        learned, pairs, worst = found
        say(f"round {rounds}: stated error of the drawn probes at most {worst:.1e}")
        if worst <= model.target.error or rounds >= ROUNDS:
            return learned
        _teach(model, learned, pairs)
        rounds += 1
        keep(rounds)


def _round(
    model: PumpModel, rounds: int, pause: Callable[[], bool]
) -> tuple[TaughtModel, list[tuple[int | None, Course]], float] | None:
    """Measure probes drawn by chance; the largest error that they state."""
    random = np.random.default_rng([SEED, rounds])
    pump = pump_course(model, pause)
    if pump is None:
        return None
    pairs: list[tuple[int | None, Course]] = []
    for number in (None, *_drawn(model, random)):
        course = probe_course(model, number, pump, pause)
        if course is None:
            return None
        pairs.append((number, course))
    found: list[Sighting] = []
    for number, course in pairs:
        assert course.densities is not None
        pumping = None if number is None else pump.densities
        found += sightings(model, pumping, course.densities, course.first, random)
    points = Points(tuple(found), rounds - 1)
    pumped = shadowed(model, pump, points, pause)
    if pumped is None:
        return None
    stated: list[Probed] = []
    for number, course in pairs:
        one = probed(model, number, pumped, course, points, pause)
        if one is None:
            return None
        stated.append(one)
    return TaughtModel(pumped, points), pairs, max(one.error for one in stated)


def _teach(model: PumpModel, learned: TaughtModel, pairs: list[tuple[int | None, Course]]) -> None:
    surrogate = _surrogate(model)
    for one in learned.points.found:
        if one.base is not None:
            surrogate.observe(one.pump, one.pump_fock)
        surrogate.observe(one.density, one.fock)
    for number, course in pairs:
        _visit(model, number, course, learned.pumped.course)
    _refine(model)


def _refine(model: PumpModel) -> None:
    """Make the images that the visits ask for exact, by a Fock build each."""
    model.builds += _surrogate(model).refine(0.5 * model.target.residual, REFINEMENTS)


def _visit_some(model: PumpModel, numbers: list[int | None], pause: Callable[[], bool]) -> bool:
    """Visit the differences of some probes, without a Fock build; False where paused."""
    pump = pump_course(model, pause)
    if pump is None:
        return False
    for number in numbers:
        course = probe_course(model, number, pump, pause)
        if course is None:
            return False
        _visit(model, number, course, pump)
    return True


def _visit(model: PumpModel, number: int | None, course: Course, pump: Course) -> None:
    """Show the surrogate the directions of one probe's difference, each as large as the pump's motion."""
    surrogate, ground = _surrogate(model), model.problem.ground_density
    assert course.densities is not None
    assert pump.densities is not None
    moved = np.array(pump.densities[::VISIT_EVERY]) - ground
    size = float(np.sqrt(np.mean(np.sum(np.abs(moved) ** 2, axis=(1, 2, 3)))))
    for k in range(0, len(course.densities), VISIT_EVERY):
        beside = ground if number is None else pump.densities[course.first + k]
        change = course.densities[k] - beside
        own = float(np.linalg.norm(change))
        if own > 0.0:
            surrogate.visit(ground + change * (size / own))


def _evenly(model: PumpModel) -> list[int | None]:
    """The probe without a pump, and the first, middle and last with it."""
    last = len(model.plan.delays) - 1
    return [None, *sorted({0, last // 2, last})]


def _drawn(model: PumpModel, random: np.random.Generator) -> list[int]:
    """Numbers of probes, spread over the delays by chance."""
    n = len(model.plan.delays)
    places = scrambled(DRAWN, random)
    shift = float(random.random()) / DRAWN
    return sorted({min(int(((place + shift) % 1.0) * n), n - 1) for place in places})


def _surrogate(model: PumpModel) -> Surrogate:
    assert model.surrogate is not None
    return model.surrogate
