"""What a surrogate lacks of the difference between two trajectories: measured at points drawn by chance.

    D = [F_ref - F_s](P_pp) - [F_ref - F_s](P_p),   x = P_pp - P_p

P_p, P_pp: at one time, of the pump alone and of pump and probe. A Fock build at each makes one point. What
the surrogate gets wrong of the pump's own motion is nearly the same at both, and leaves the difference alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..estimate.defect_operator import Defect, DefectOperator, defect_operator
from ..estimate.drawn import drawn_points
from ..estimate.statement import FIXED, factor
from .model import PumpModel

#: Points measured on each probe that is drawn.
POINTS = 2
#: Changes at which the size of a response is looked at.
SAMPLED = 24


@dataclass(frozen=True, eq=False)
class Sighting:
    """One point.

    step: where it stands, counted from the pump's start.
    pump: densities of the pump, and of the probe's trajectory, (n_spin, m, m).
    pump_fock, fock: F' of the reference there.
    base: defect of the pump; None for a probe without one.
    tangent: defect of the difference.
    turning: |[defect, P]| of the difference over |x|.
    """

    step: int
    pump: np.ndarray
    density: np.ndarray
    pump_fock: np.ndarray
    fock: np.ndarray
    base: Defect | None
    tangent: Defect
    turning: float


@dataclass(frozen=True)
class Points:
    """What is known of a surrogate that has not learned from it.

    found: points measured.
    tries: rounds of points that were judged too far off before these.
    """

    found: tuple[Sighting, ...]
    tries: int


def sightings(
    model: PumpModel,
    pump: Sequence[np.ndarray] | None,
    densities: Sequence[np.ndarray],
    first: int,
    random: np.random.Generator,
) -> list[Sighting]:
    """Points of one probe's trajectory, drawn in proportion to what it has changed.

    pump: P' of the pump at every step from the start on, None for a probe without one. densities: of the
    probe's trajectory from step `first` on.
    """
    ground = model.problem.ground_density
    pumped = [ground] * len(densities) if pump is None else pump[first : first + len(densities)]
    changes = np.array(densities) - np.array(pumped)
    sizes = np.linalg.norm(changes.reshape(len(changes), -1), axis=1)
    picks = drawn_points(sizes, POINTS, random)
    found = []
    for k in picks:
        pump_fock = None if pump is None else model.reference_fock(pumped[k])
        fock = model.reference_fock(densities[k])
        found.append(sighting_of(model, first + k, (pumped[k], densities[k]), pump_fock, fock))
    return found


def sighting_of(
    model: PumpModel,
    step: int,
    densities: tuple[np.ndarray, np.ndarray],
    pump_fock: np.ndarray | None,
    fock: np.ndarray,
) -> Sighting:
    """A point by the reference's F' at the densities of pump and probe; pump_fock: None for P0's."""
    (pump, density), predict, problem = densities, model.fock, model.problem
    alone = pump_fock is None
    ground = problem.ground_fock.astype(complex)
    pump_fock = ground if pump_fock is None else pump_fock
    wrong_pump, wrong = pump_fock - predict(pump), fock - predict(density)
    change, lacking = density - pump, wrong - wrong_pump
    turned = _commutator(wrong, density) - _commutator(wrong_pump, pump)
    base = None
    if not alone:
        response = float(np.linalg.norm(pump_fock - ground))
        base = Defect(pump - problem.ground_density, wrong_pump, response)
    size = float(np.linalg.norm(change))
    return Sighting(
        step,
        pump,
        density,
        pump_fock,
        fock,
        base,
        Defect(change, lacking, float(np.linalg.norm(fock - pump_fock))),
        float(np.linalg.norm(turned)) / size if size else 0.0,
    )


def tangent_operator(model: PumpModel, points: Points, changes: np.ndarray) -> DefectOperator:
    """What a surrogate lacks along one probe, by the worst of all points found.

    changes: (k, n_spin, m, m) of the difference along the probe.
    """
    return _scaled(model, [one.tangent for one in points.found], changes, points.tries)


def pump_operator(model: PumpModel, points: Points, densities: np.ndarray) -> DefectOperator:
    """The same along the pump, (k, n_spin, m, m)."""
    defects = [one.base for one in points.found if one.base is not None]
    return _scaled(model, defects, densities - model.problem.ground_density, points.tries)


def turning(found: Sequence[Sighting]) -> float:
    """Rate at which the defects drive the difference astray, over its size: root mean square."""
    return float(np.sqrt(np.mean([one.turning**2 for one in found])))


def worst_residual(found: Sequence[Sighting]) -> float:
    """Largest relative defect of a difference."""
    return max(one.tangent.residual for one in found)


def _scaled(model: PumpModel, defects: Sequence[Defect], changes: np.ndarray, tries: int) -> DefectOperator:
    """The operator through the defects, so large that the worst of them holds at all changes."""
    operator = defect_operator(defects)
    sample = changes[:: max(1, len(changes) // SAMPLED)]
    worst = max(
        float(np.linalg.norm(one.defect)) / (float(np.linalg.norm(one.change)) or 1.0) for one in defects
    )
    wanted = worst * float(np.sqrt(np.mean([np.linalg.norm(change) ** 2 for change in sample])))
    found = float(np.sqrt(np.mean([np.linalg.norm(operator(change)) ** 2 for change in sample])))
    f = factor(0, len(defects), tries)
    if model.surrogate is not None and model.surrogate.nonlinear:
        f *= FIXED
    return operator.scaled(f * max(wanted / found, 1.0) if found > 0.0 else f)


def _commutator(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a @ b - b @ a
