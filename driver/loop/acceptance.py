"""One surrogate segment: pass over it, measure it, judge it, book it."""

from dataclasses import dataclass

import numpy as np

from ...adapters.engine import Energies
from .budget import least_builds, refinements_left
from .certify import Claim, certify, smallest_change
from .controller import LEAST_ATTEMPT, WORTH
from .energies import energy_at, with_energies
from .hybrid import SEGMENT_BYTES, Hybrid, advance, known_surrogate, tell
from .motion import is_weak, motion_of, sighted
from .progress import Event, Progress
from .reference import Sight
from .regime import leave_weak, most_steps, steps_to_go
from .segment import Segment, density_at, later_sizes, sizes_of, typical_share

#: Passes over a segment before it is measured, each after the surrogate was refined.
MOST_PASSES = 8
#: Fock builds that refining may take at one segment.
MOST_REFINEMENTS = 400
#: Rounds of measuring a segment, each after a pass by what the last one taught.
MOST_ROUNDS = 4
#: Times of what its time earns from which on a pass is given up at once where points hold the first order.
FAR = 5.0
#: |P - P0| from which on the end and the point farthest from P0 teach before anything is measured.
NONLINEAR = 0.02


@dataclass(frozen=True, eq=False)
class Verdict:
    """Whether a segment is kept.

    segment: the pass that was judged last.
    claim: what it would leave; None where no pass came to the segment's end.
    first: the pass at whose end the reference gave `energies`.
    residual: measured at its end.
    builds: Fock builds made to judge it.
    """

    segment: Segment
    claim: Claim | None
    first: Segment
    energies: Energies
    residual: float
    builds: int

    @property
    def accepted(self) -> bool:
        """Whether the pass is to be kept."""
        return self.claim is not None and self.claim.met


def surrogate_steps(hybrid: Hybrid, progress: Progress) -> bool:
    """One surrogate segment; whether it was accepted."""
    before = progress.tally.fock_builds
    held = motion_of(hybrid).held_steps(SEGMENT_BYTES)
    length = min(progress.ledger.length, most_steps(hybrid), steps_to_go(hybrid, progress), held)
    segment = surrogate_pass(hybrid, progress, length)
    if segment is None and is_weak(hybrid):
        leave_weak(hybrid, progress)
        return False
    if segment is None:
        _book_broken(hybrid, progress, length)
        return False
    verdict = judge(hybrid, progress, segment)
    book(hybrid, progress, verdict, progress.tally.fock_builds - before)
    return verdict.accepted


def surrogate_pass(hybrid: Hybrid, progress: Progress, length: int) -> Segment | None:
    """Pass over a segment, refining in between, until its spread is at the target or nothing is refined."""
    surrogate, tally, wanted = known_surrogate(hybrid), progress.tally, hybrid.target.residual
    segment = None
    for last in [False] * (MOST_PASSES - 1) + [True]:
        tally.discarded_steps += 0 if segment is None else segment.n_steps
        segment = _one_pass(hybrid, progress, length)
        if segment is None and is_weak(hybrid):
            # The motion is not weak: nothing to refine for.
            return None
        spread = np.inf if segment is None else _typical_spread(hybrid, segment)
        if segment is not None and spread <= wanted and segment.reason in ("MAX_STEPS", "END"):
            break
        if last:
            # What is refined now, no pass would use.
            break
        with tally.timed("refinement"):
            builds = surrogate.refine(0.5 * wanted, refinements_left(hybrid, progress, MOST_REFINEMENTS))
        if builds:
            tally.fock_builds += builds
            tally.refinements += builds
            at = progress.state
            event = Event("refinement", at.step, at.time, "HIGH_UNCERTAINTY", spread, np.nan, 0.0, builds)
            tell(hybrid, progress, event)
        elif segment is not None and segment.learned <= wanted:
            break
    return segment


def judge(hybrid: Hybrid, progress: Progress, segment: Segment) -> Verdict:
    """Measure a pass, and make it anew with what that taught, until its error fits or teaching is in vain.

    The pass that was measured is the one that is kept.
    """
    before, surrogate = progress.tally.fock_builds, known_surrogate(hybrid)
    end = sighted(hybrid, progress, segment.end.density, segment.end.time, end=True)
    measured, others = segment, [end]
    smallest = smallest_change(hybrid.problem, segment.start.step)
    claim: Claim | None = None
    passed: Segment | None = segment
    last = np.inf
    farthest = _farthest(hybrid, segment)
    if farthest is not None:
        # One point says little of the others there: a pass is not worth measuring before these have taught.
        if farthest < segment.n_steps:
            at = float(segment.times[farthest])
            others.append(sighted(hybrid, progress, density_at(segment, farthest), at, end=False))
        _teach(others, smallest)
        others = []
        passed = _again(hybrid, progress, segment)
    # Points drawn near those that have taught show too little: such a segment begins as one tried before.
    first = 0 if farthest is None else 1
    for round_ in range(first, first + MOST_ROUNDS):
        if passed is None:
            claim = None
            break
        segment = passed
        others = others or _end_that_counts(hybrid, progress, segment)
        claim = certify(hybrid, progress, segment, others, round_)
        _teach([*others, *claim.sights], smallest)
        others = []
        if surrogate.first_order_fails and not claim.met and claim.rate > FAR:
            # Far too long; the points that are learned of it are for a half.
            surrogate.sharpen()
            break
        in_vain = is_weak(hybrid) or claim.own > WORTH * last
        if claim.met or in_vain or not progress.ledger.affords(_spent(progress, before)):
            break
        last = claim.own
        if round_ + 1 < first + MOST_ROUNDS:
            surrogate.sharpen()
            passed = _again(hybrid, progress, segment)
    builds = progress.tally.fock_builds - before
    return Verdict(segment, claim, measured, end.energies, end.defect.residual, builds)


def book(hybrid: Hybrid, progress: Progress, verdict: Verdict, builds: int) -> None:
    """Enter a verdict in the ledger; go on to the end of a segment that is kept.

    builds: Fock builds that the segment took in all.
    """
    ledger, tally, segment, claim = progress.ledger, progress.tally, verdict.segment, verdict.claim
    estimate, spread = progress.estimate, _typical_spread(hybrid, segment)
    assert estimate is not None
    if claim is None or not claim.met:
        ledger.reject(segment.n_steps, np.inf if claim is None else claim.rate, verdict.builds)
        tally.rejected += 1
        at = progress.state
        event = Event(
            "rejection", at.step, at.time, "RESIDUAL", spread, verdict.residual, 0.0, verdict.builds
        )
        tell(hybrid, progress, event)
        return
    added = claim.sums.stated - estimate.sums.stated
    estimate.sums, estimate.shadow = claim.sums, claim.shadow
    sizes = sizes_of(hybrid.problem, segment)
    alone = ledger.builds_per_step(least_builds(hybrid.problem)) * segment.n_steps
    ledger.accept(float(sizes @ sizes), segment.n_steps, alone - builds, most_steps(hybrid))
    tally.surrogate_steps += segment.n_steps
    at = segment.end
    event = Event("anchor", at.step, at.time, segment.reason, spread, verdict.residual, added, verdict.builds)
    tell(hybrid, progress, event)
    surrogate = known_surrogate(hybrid)
    end = energy_at(surrogate, verdict.first, segment, verdict.energies)
    segment, drift = with_energies(hybrid.problem, segment, surrogate, progress.energies, end)
    progress.energy_drift += abs(drift)
    advance(hybrid, progress, segment, end)


def _teach(sights: list[Sight], smallest: float) -> None:
    """smallest: |δP| that counts as nothing; what is seen at rest is noise."""
    for sight in sights:
        if np.linalg.norm(sight.defect.change) > smallest:
            sight.teach()


def _spent(progress: Progress, before: int) -> int:
    """Fock builds since `before`, and those of one more round."""
    return progress.tally.fock_builds - before + LEAST_ATTEMPT


def _farthest(hybrid: Hybrid, segment: Segment) -> int | None:
    """The point farthest from P0, the end's number where that is it; None where all is nearly linear."""
    sizes = sizes_of(hybrid.problem, segment)
    ground = hybrid.problem.ground_density
    sizes = np.append(sizes, np.linalg.norm(segment.end.density - ground))
    farthest = int(sizes.argmax())
    known = known_surrogate(hybrid).nonlinear or hybrid.problem.engine.linear
    return None if known or sizes[farthest] <= NONLINEAR else farthest


def _end_that_counts(hybrid: Hybrid, progress: Progress, segment: Segment) -> list[Sight]:
    """A look at the end where it is most of the pass, as after a kick: drawn points say nothing of it."""
    sizes = sizes_of(hybrid.problem, segment)
    far = float(np.linalg.norm(segment.end.density - hybrid.problem.ground_density))
    if far**2 <= float(sizes[1:] @ sizes[1:]):
        return []
    return [sighted(hybrid, progress, segment.end.density, segment.end.time, end=True)]


def _again(hybrid: Hybrid, progress: Progress, segment: Segment) -> Segment | None:
    """The segment passed once more; None where that does not reach its end."""
    progress.tally.discarded_steps += segment.n_steps
    again = _one_pass(hybrid, progress, segment.n_steps)
    return again if again is not None and again.n_steps == segment.n_steps else None


def _book_broken(hybrid: Hybrid, progress: Progress, length: int) -> None:
    """A segment whose first step already breaks a limit."""
    progress.ledger.reject(length, np.inf, 0)
    progress.tally.rejected += 1
    at = progress.state
    event = Event("rejection", at.step, at.time, "HIGH_UNCERTAINTY", np.nan, np.nan, 0.0, 0)
    tell(hybrid, progress, event)


def _typical_spread(hybrid: Hybrid, segment: Segment) -> float:
    """Of a segment's steps."""
    return typical_share(segment.spreads, later_sizes(hybrid.problem, segment))


# Motion that grows without end is told by its numbers, not by NumPy on standard error.
@np.errstate(over="ignore", invalid="ignore")
def _one_pass(hybrid: Hybrid, progress: Progress, length: int) -> Segment | None:
    with progress.tally.timed("surrogate steps"):
        return motion_of(hybrid).segment(progress.state, length, hybrid.limits)
