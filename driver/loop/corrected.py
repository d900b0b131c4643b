"""Steps with one Fock build each, or two: the surrogate, moved to what the reference says where it leads.

    F_S + Δ leads from P to P1;   Δ ← F_ref(P1) - F_S(P1);   F_S + Δ leads from P to P2.

What is lacking then is what Δ changes by between P1 and P2, of second order in what the surrogate lacks: by
its change along the way that was measured, |Δ - Δ_before| |P2 - P1| / |P1 - P_before|. Where that is too much
the reference is asked at P2 as well.

A step's first correction begins where its predictor leads, as the reference's does, and there Δ may be
another: after a kick the predictor still has half of it. What the response makes of that comes back.
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from ...adapters.engine import Energies
from ..estimate.statement import CORRECTED
from ..propagators.magnus import FockOf, NoFixedPoint
from ..propagators.state import State
from .certify import follow, smallest_change
from .energies import energy_missed
from .hybrid import Hybrid, advance, book_changes, known_surrogate
from .problem import Problem, dipole_norm, field_free, make_step
from .progress import Progress
from .reference import fock_of_state
from .segment import Recorder, Segment, is_check_point, rebuilt

#: Fock builds of one step at most.
MOST_BUILDS = 2


@dataclass(frozen=True, eq=False)
class _Step:
    """One step made.

    begun, after: states. shift: Δ. asked, fock, energies: the last pair (P1, F_ref). changes: of the
    norm. lacking: norm of what is lacking at its end, Hartree. builds: made.
    """

    begun: State
    after: State
    shift: np.ndarray
    asked: np.ndarray
    fock: np.ndarray
    energies: Energies
    changes: list[np.ndarray]
    lacking: float
    builds: int


def corrected_steps(hybrid: Hybrid, progress: Progress, n_steps: int, *, forced: bool) -> int:
    """Make and book up to `n_steps` of them; how many. A step that lacks too much is not kept.

    forced: keep steps of one build whatever they lack; the estimate says by how much they are off.
    """
    problem, surrogate, tally = hybrid.problem, known_surrogate(hybrid), progress.tally
    state, energies = progress.state, progress.energies
    recorder = Recorder(state, corrected=problem.real_time.propagator == "magnus")
    shift = fock_of_state(problem, state) - surrogate.predict(state.density)
    enough = np.inf if forced else _enough(hybrid, progress)
    printed: list[list[float]] = []
    builds, lacking, made = 0, 0.0, None
    with tally.timed("corrected steps"):
        for _ in range(n_steps):
            made = _step(hybrid, state, shift, enough)
            if made is None:
                break
            builds += made.builds
            if made.lacking > enough:
                break
            printed.append([energies.core, energies.coulomb, energies.exchange_correlation])
            recorder.add(made.begun, made.changes, time.process_time(), 0.0)
            state, shift, energies = made.after, made.shift, made.energies
            lacking += made.lacking
    tally.fock_builds += builds
    n = recorder.n_steps
    progress.ledger.saved += progress.ledger.builds_per_step(MOST_BUILDS) * n - builds
    if not n:
        return 0
    segment = recorder.segment("surrogate", "CORRECTED", state, np.array(printed), builds)
    _book(hybrid, progress, segment, lacking, energies)
    if made is not None:
        surrogate.observe(made.asked, made.fock)
    return n


def _book(hybrid: Hybrid, progress: Progress, segment: Segment, lacking: float, energies: Energies) -> None:
    """Enter the steps in the estimate and the tally, and go on to their end."""
    estimate, problem = progress.estimate, hybrid.problem
    assert estimate is not None
    follow(hybrid, progress, segment)
    book_changes(hybrid, progress, segment)
    smallest, sums = smallest_change(problem, progress.state.step), estimate.sums
    push = lacking * problem.real_time.dt
    bound = push / progress.ledger.typical_change(0.0, 0, smallest)
    # Where no dipole connects occupied and empty orbitals, whatever lacks moves none.
    moved = np.sqrt(sums.motion(sums.points * smallest**2) / sums.points)
    rest = CORRECTED * min(bound, dipole_norm(problem) * push / moved)
    estimate.sums = replace(sums, rest=sums.rest + rest, bound=sums.bound + bound)
    progress.energy_drift += energy_missed(problem, segment, energies)
    progress.tally.surrogate_steps += segment.n_steps
    progress.tally.corrected_steps += segment.n_steps
    advance(hybrid, progress, segment, energies)


def _enough(hybrid: Hybrid, progress: Progress) -> float:
    """What may lack, Hartree: kept up over the whole run, a quarter of the error allowed is stated for it."""
    sizes = progress.ledger.typical_change(0.0, 0, smallest_change(hybrid.problem, progress.state.step))
    return 0.25 / CORRECTED * hybrid.target.error * sizes / hybrid.target.duration


def _step(hybrid: Hybrid, state: State, shift: np.ndarray, enough: float) -> _Step | None:
    """One step from a state; None where the surrogate leads nowhere."""
    problem, predict, step = hybrid.problem, known_surrogate(hybrid).predict, make_step(hybrid.problem)

    def moved(by: np.ndarray) -> FockOf:
        return field_free(problem, lambda density: predict(density) + by)

    if is_check_point(problem, state):
        state = rebuilt(problem, state, moved(shift))
    made: _Step | None = None
    try:
        led, _ = step(state, moved(shift))
        apart = _distance(led, state)
        for builds in range(1, MOST_BUILDS + 1):
            fock, energies = problem.reference_fock(led.density)
            new = fock - predict(led.density)
            after, changes = step(state, moved(new))
            changed = float(np.linalg.norm(new - shift))
            way = _distance(after, led) + _begun_off(problem, state, after, fock)
            lacking = changed * way / apart if apart > 0.0 else changed
            made = _Step(state, after, new, led.density, fock, energies, changes, lacking, builds)
            if lacking <= enough:
                return made
            apart, led, shift = _distance(after, led), after, new
    except NoFixedPoint:
        return None
    return made


def _begun_off(problem: Problem, state: State, after: State, fock: np.ndarray) -> float:
    """How far off the first correction began, |δP|, as far as it still counts at the end of the step.

    A matrix δF over a step moves P by n dt δF, n electrons an orbital. Half of what the first correction has
    from that is left by the second, which begins off by as much.
    """
    turn = 2.0 / len(fock) * problem.real_time.dt
    off = turn * float(np.linalg.norm(2.0 * state.fock - state.fock_half - after.fock_half))
    answered = float(np.linalg.norm(fock - problem.ground_fock))
    moved = float(np.linalg.norm(after.density - problem.ground_density))
    return off * turn * answered / moved if moved > 0.0 else 0.0


def _distance(one: State, other: State) -> float:
    return float(np.linalg.norm(one.density - other.density))
