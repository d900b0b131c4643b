"""One surrogate segment: pass over it, measure it, judge it, book it.

The controller's two estimates of what a segment adds to the trajectory error are in `controller`.
"""

from dataclasses import dataclass

import numpy as np

from ...adapters.engine import Energies
from ...surrogate.surrogate import Measurement, Surrogate
from ..propagators.state import State
from .controller import Target
from .energies import energy_at, with_energies
from .hybrid import Hybrid, advance, changes, measured_at, tell
from .problem import Problem, make_step
from .progress import Event, Progress
from .segment import Segment, surrogate_segment

#: Passes over a segment before its anchor, each after the surrogate was refined.
MOST_PASSES = 8
#: Fock builds that refining may take at one segment.
MOST_REFINEMENTS = 400
#: |P - P0| from which on a segment is always propagated twice, and measured where it is farthest from P0 too.
NONLINEAR = 0.02
#: Densities of one segment stay within this many bytes.
SEGMENT_BYTES = 1.5e8


@dataclass(frozen=True, eq=False)
class Anchored:
    """What the reference has shown of a segment.

    measured: at its end.
    energies: of the reference there.
    spread: root mean square over the steps.
    nonlinear: the density has gone beyond `NONLINEAR`.
    builds: Fock builds made.
    moment: Σ|δP|² over the points.
    typical: root mean square |δP| of the run, this segment included.
    duration: au.
    bound: ∫ |[dF, P]| dt / typical.
    """

    measured: Measurement
    energies: Energies
    spread: float
    nonlinear: bool
    builds: int
    moment: float
    typical: float
    duration: float
    bound: float


@dataclass(frozen=True, eq=False)
class Verdict:
    """Whether a segment is kept.

    segment: the pass to keep; None where the segment is rejected.
    error: what the pass adds to the estimated trajectory error.
    allowance: what it may add.
    trusted: kept on its anchor alone, without a second pass.
    """

    segment: Segment | None
    error: float
    allowance: float
    trusted: bool

    @property
    def accepted(self) -> bool:
        """Whether there is a pass to keep."""
        return self.segment is not None


def surrogate_steps(hybrid: Hybrid, progress: Progress) -> bool:
    """One surrogate segment with its anchor; whether it was accepted."""
    state = progress.state
    length = min(progress.ledger.length, hybrid.problem.n_steps - state.step, _most_steps(state))
    segment = surrogate_pass(hybrid, progress, length)
    if segment is None:
        _book_broken(hybrid, progress, length)
        return False
    anchored = measure(hybrid, progress, segment)
    verdict = judge(hybrid, progress, segment, anchored)
    book(hybrid, progress, segment, anchored, verdict)
    return verdict.accepted


def surrogate_pass(hybrid: Hybrid, progress: Progress, length: int) -> Segment | None:
    """Pass over a segment, refining in between, until its spread is at the target or nothing is refined."""
    surrogate, tally, wanted = _surrogate(hybrid), progress.tally, hybrid.target.residual
    segment = None
    for last in [False] * (MOST_PASSES - 1) + [True]:
        tally.discarded_steps += 0 if segment is None else segment.n_steps
        segment = _one_pass(hybrid, progress, length)
        spread = np.inf if segment is None else _rms(segment.spreads)
        if segment is not None and spread <= wanted and segment.reason in ("MAX_STEPS", "END"):
            break
        if last:
            # What is refined now, no pass would use.
            break
        with tally.timed("refinement"):
            builds = surrogate.refine(0.5 * wanted, MOST_REFINEMENTS)
        if builds:
            tally.fock_builds += builds
            tally.refinements += builds
            at = progress.state
            event = Event("refinement", at.step, at.time, "HIGH_UNCERTAINTY", spread, np.nan, 0.0, builds)
            tell(hybrid, progress, event)
        elif segment is not None and segment.learned <= wanted:
            break
    return segment


def measure(hybrid: Hybrid, progress: Progress, segment: Segment) -> Anchored:
    """Anchor a segment at its end and, far from the ground state, at its farthest point."""
    problem, end = hybrid.problem, segment.end
    spread = _rms(segment.spreads)
    # Far from the ground state one point says little of the others: the farthest one is measured too.
    sizes = changes(problem, segment)
    farthest = int(sizes.argmax())
    nonlinear = float(sizes[farthest]) > NONLINEAR
    builds, force = 1, 0.0
    if nonlinear and farthest < segment.n_steps - 1:
        at = float(segment.times[farthest])
        force = measured_at(hybrid, progress, segment.densities[farthest], at)[0].force
        builds = 2
    measured, energies = measured_at(hybrid, progress, end.density, end.time)
    force = max(force, measured.force * _spread_over_defect(measured, spread))
    moment = float(sizes @ sizes)
    typical = progress.ledger.typical_change(moment, segment.n_steps, _smallest_change(problem))
    duration = end.time - segment.start.time
    bound = force * duration / typical
    return Anchored(measured, energies, spread, nonlinear, builds, moment, typical, duration, bound)


def judge(hybrid: Hybrid, progress: Progress, segment: Segment, anchored: Anchored) -> Verdict:
    """Trust a segment on its anchor, or pass over it again with what the anchor taught.

    What the passes differ by is the first one's error, and bounds that of the second, which is kept.
    """
    ledger, target = progress.ledger, hybrid.target
    allowance = ledger.allowance(segment.end.time, target)
    error = ledger.gain * anchored.bound
    if not anchored.nonlinear and error <= 0.5 * _share(target, anchored.duration):
        return Verdict(segment, error, allowance, trusted=True)
    second = _one_pass(hybrid, progress, segment.n_steps)
    progress.tally.discarded_steps += segment.n_steps
    error = np.inf
    if second is not None and second.n_steps == segment.n_steps:
        error = _difference(segment, second) / anchored.typical
        error += ledger.gain * anchored.measured.untaught * anchored.duration / anchored.typical
    return Verdict(second if error <= allowance else None, error, allowance, trusted=False)


def book(hybrid: Hybrid, progress: Progress, segment: Segment, anchored: Anchored, verdict: Verdict) -> None:
    """Enter a verdict in the ledger; go on to the end of a segment that is kept."""
    ledger, tally, kept = progress.ledger, progress.tally, verdict.segment
    spread, residual = anchored.spread, anchored.measured.residual
    if kept is None:
        ledger.reject(segment.n_steps)
        tally.rejected += 1
        at = progress.state
        event = Event("rejection", at.step, at.time, "RESIDUAL", spread, residual, 0.0, anchored.builds)
        tell(hybrid, progress, event)
        return
    if not verdict.trusted:
        ledger.learn_gain(verdict.error, anchored.bound)
    ledger.accept(anchored.moment, kept.n_steps, verdict.error, anchored.bound, hybrid.target)
    if not verdict.trusted and verdict.error > 0.25 * verdict.allowance:
        ledger.keep_length(kept.n_steps)
    tally.surrogate_steps += kept.n_steps
    at = kept.end
    event = Event("anchor", at.step, at.time, kept.reason, spread, residual, verdict.error, anchored.builds)
    tell(hybrid, progress, event)
    end = energy_at(_surrogate(hybrid), segment, kept, anchored.energies)
    kept, drift = with_energies(hybrid.problem, kept, _surrogate(hybrid), progress.energies, end)
    progress.energy_drift += abs(drift)
    advance(hybrid, progress, kept, end)


def _book_broken(hybrid: Hybrid, progress: Progress, length: int) -> None:
    """A segment whose first step already breaks a limit."""
    progress.ledger.reject(length)
    progress.tally.rejected += 1
    at = progress.state
    event = Event("rejection", at.step, at.time, "HIGH_UNCERTAINTY", np.nan, np.nan, 0.0, 0)
    tell(hybrid, progress, event)


def _one_pass(hybrid: Hybrid, progress: Progress, length: int) -> Segment | None:
    problem, surrogate = hybrid.problem, _surrogate(hybrid)
    with progress.tally.timed("surrogate steps"):
        return surrogate_segment(
            problem, make_step(problem), surrogate, progress.state, length, hybrid.limits
        )


def _surrogate(hybrid: Hybrid) -> Surrogate:
    assert hybrid.surrogate is not None
    return hybrid.surrogate


def _share(target: Target, duration: float) -> float:
    """Error that a stretch of `duration` au earns."""
    return target.error * duration / target.duration


def _spread_over_defect(measured: Measurement, spread: float) -> float:
    """How far the defect met at an anchor lies below what the spread expects over the segment; at least 1."""
    expected = spread * measured.response
    return max(1.0, expected / measured.defect) if measured.defect > 0.0 else 1.0


def _smallest_change(problem: Problem) -> float:
    """|δP| that counts as nothing: a thousandth of what the strongest field does in one step."""
    strongest = max((abs(c.field.maximum) for c in problem.couplings), default=0.0)
    return max(1e-3 * strongest * problem.real_time.dt, 1e-10)


def _difference(first: Segment, second: Segment) -> float:
    """Largest |P1 - P2| over two passes, their ends included."""
    apart = np.linalg.norm((first.densities - second.densities).reshape(first.n_steps, -1), axis=1)
    return max(float(apart.max()), float(np.linalg.norm(first.end.density - second.end.density)))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _most_steps(state: State) -> int:
    return max(int(SEGMENT_BYTES // state.density.nbytes), 16)
