"""The energies of surrogate steps: by the work of the field, between those that the reference gives.

A Magnus step of length dt is unitary with F + V, both the mean of its two ends. It changes the density by δP
with

    Tr (F + V) δP = 0,    E(t + dt) - E(t) = Tr F δP + O(δP³) = -Tr V δP + O(δP³).

So the total energy needs no functional between two anchors, it is constant where no field acts, and it is
right from any start. What it misses of the reference's own energy at the anchor is the surrogate's drift,
laid over the segment in proportion to time. Core and Coulomb energies are the surrogate's: the first is
linear in the density, the second exact on the directions that the surrogate knows.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from ...adapters.engine import Energies
from ...surrogate.surrogate import Surrogate
from ..propagators.weak_points import WeakPoints
from .problem import Problem, field_sizes
from .segment import Segment


def work_of_field(problem: Problem, segment: Segment) -> np.ndarray:
    """Energy put in by the field since the segment's start, Hartree: at its points and its end, (k + 1,)."""
    times = np.append(segment.times, segment.end.time)
    if isinstance(segment.formed, WeakPoints):
        return _work_on_pairs(problem, segment.formed, times)
    densities = np.concatenate([segment.densities, segment.end.density[None]])
    fields = [problem.external(float(time)) for time in times]
    work = np.zeros(len(times))
    for step, (before, after) in enumerate(pairwise(fields)):
        total = sum(0.5 * matrix for matrix in (before, after) if matrix is not None)
        if isinstance(total, np.ndarray):
            change = densities[step + 1] - densities[step]
            work[step + 1] = -float(np.real(np.vdot(total, change)))
    return np.cumsum(work)


def _work_on_pairs(problem: Problem, points: WeakPoints, times: np.ndarray) -> np.ndarray:
    """The same of weak motion, (k + 1,), where no density is formed."""
    work = np.zeros(len(times))
    for coupling, sizes in zip(problem.couplings, field_sizes(problem, times).T, strict=True):
        if sizes.any():
            along = points.along(coupling.matrix)
            work[1:] -= np.cumsum(0.5 * (sizes[1:] + sizes[:-1]) * np.diff(along))
    return work


def energy_missed(problem: Problem, segment: Segment, end: Energies) -> float:
    """Largest of |what the total energy is off the field's work| in a segment with energies, Hartree.

    end: energies at its end. Zero where the deck's steps keep no energy.
    """
    if not problem.real_time.unitary or problem.real_time.static:
        return 0.0
    total = np.append(segment.energies.sum(axis=1), end.electronic)
    return float(np.abs(total - total[0] - work_of_field(problem, segment)).max())


def energy_at(surrogate: Surrogate, first: Segment, kept: Segment, anchored: Energies) -> Energies:
    """The reference's energies at the end of the pass that is kept, from those at the end of the first one.

    The surrogate has learned there, so that its slope is the reference's.
    """
    if kept is first:
        return anchored
    core, coulomb, exchange_correlation = (
        surrogate.energies(kept.end.density[None]) - surrogate.energies(first.end.density[None])
    )[0]
    return Energies(
        anchored.core + core,
        anchored.coulomb + coulomb,
        anchored.exchange_correlation + exchange_correlation,
    )


def with_energies(
    problem: Problem, segment: Segment, surrogate: Surrogate, start: Energies, end: Energies
) -> tuple[Segment, float]:
    """The segment with energies that lead from the reference's at its start to those at its end.

    Also returns the drift, Hartree: what the total energy's way misses there. Where the deck's steps keep no
    energy (absorbing potential, `static`, other propagators) the way is the surrogate's own.
    """
    at_end = surrogate.energies(segment.end.density[None])
    own = np.concatenate([segment.energies, at_end])
    bounds = np.array([[e.core, e.coulomb, e.exchange_correlation] for e in (start, end)])
    real_time = problem.real_time
    if real_time.unitary and not real_time.static:
        total = own[0].sum() + work_of_field(problem, segment)
        own[:, 2] = total - own[:, 0] - own[:, 1]
    share = (np.append(segment.times, segment.end.time) - segment.times[0])[:, None]
    share = share / share[-1]
    off_start, off_end = bounds[0] - own[0], bounds[1] - own[-1]
    energies = own + (1.0 - share) * off_start + share * off_end
    return replace(segment, energies=energies[:-1]), float((off_end - off_start).sum())
