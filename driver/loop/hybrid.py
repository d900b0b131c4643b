"""The hybrid loop: surrogate segments with an anchor at their end, reference steps where they are needed.

The loop knows no engine, surrogate or output by name; every accepted segment goes to the reporters.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ...adapters.engine import Energies
from ...surrogate.surrogate import Measurement, Surrogate
from ..propagators.state import State
from .controller import Ledger, Target
from .problem import Problem, Step, field_free, make_step
from .reference import EmbeddedReference, Reference
from .segment import Limits, Reason, Segment, surrogate_segment

#: Reference steps are handed to the reporters at least this often, seconds.
HAND_OVER = 0.5
#: Passes over a segment before its anchor, each after the surrogate was refined.
MOST_PASSES = 8
#: Fock builds that refining may take at one segment.
MOST_REFINEMENTS = 400
#: Every how many fall-back steps the surrogate is shown a reference pair.
TEACH_EVERY = 4
#: |P - P0| from which on a segment is always propagated twice, and measured where it is farthest from P0 too.
NONLINEAR = 0.02
#: Densities of one segment stay within this many bytes.
SEGMENT_BYTES = 1.5e8


@dataclass(frozen=True)
class Event:
    """One decision, for the record: `kind` is anchor, audit, rejection or refinement.

    step, time: where; reason: its code; spread, residual: expected and measured, relative (NaN where neither
    applies); error: what it adds to the estimated trajectory error; builds: Fock builds it took.
    """

    kind: str
    step: int
    time: float
    reason: Reason
    spread: float
    residual: float
    error: float
    builds: int


@dataclass
class Tally:
    """Counts of a run, part of its checkpoint, and the seconds it took by what they went to."""

    reference_steps: int = 0
    surrogate_steps: int = 0
    fock_builds: int = 0
    anchors: int = 0
    rejected: int = 0
    refinements: int = 0
    discarded_steps: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def spend(self, what: str, began: float) -> None:
        """Book the time since `began` (time.perf_counter) to `what`."""
        self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - began


class Reporter(Protocol):
    """Anything that wants to know: log, trajectory file, progress."""

    def segment(self, segment: Segment, tally: Tally) -> None:
        """An accepted segment, in order of time."""
        ...

    def event(self, event: Event, tally: Tally) -> None:
        """A decision."""
        ...


@dataclass
class Progress:
    """Where a run is; together with the surrogate all that a checkpoint must hold.

    energies: those of the last Fock build before `state`.
    """

    state: State
    energies: Energies
    ledger: Ledger
    tally: Tally


def run(
    problem: Problem,
    surrogate: Surrogate | None,
    target: Target,
    limits: Limits,
    progress: Progress,
    reporters: Sequence[Reporter],
    stop: Callable[[Progress], bool],
    reference: Reference | None = None,
) -> bool:
    """Propagate from `progress` to the deck's end, keeping `progress` up to date; False when `stop` said so.

    surrogate: None for reference steps alone. stop: asked after every accepted segment. reference: None for
    the problem's own engine.
    """
    step = make_step(problem)
    reference = reference or EmbeddedReference(problem)
    while progress.state.step < problem.n_steps:
        if surrogate is None:
            _reference(problem, reference, progress, reporters, problem.n_steps, "CONTINUE", None)
        else:
            fall_back = progress.ledger.falls_back()
            if fall_back:
                last = min(progress.state.step + fall_back, problem.n_steps)
                while progress.state.step < last:
                    n_steps = min(TEACH_EVERY, last - progress.state.step)
                    _reference(problem, reference, progress, reporters, n_steps, "RESIDUAL", surrogate)
            else:
                accepted = _surrogate(
                    problem, step, reference, surrogate, target, limits, progress, reporters
                )
                ended = progress.state.step == problem.n_steps
                if accepted and not ended and progress.ledger.wants_audit():
                    _audit(problem, step, reference, surrogate, progress, reporters)
        if stop(progress):
            return progress.state.step == problem.n_steps
    return True


def _reference(
    problem: Problem,
    reference: Reference,
    progress: Progress,
    reporters: Sequence[Reporter],
    n_steps: int,
    reason: Reason,
    pupil: Surrogate | None,
) -> None:
    """Up to `n_steps` reference steps; `pupil` is shown the pair at their end."""
    began = time.perf_counter()
    n_steps = min(n_steps, problem.n_steps - progress.state.step)
    seconds = HAND_OVER if pupil is None else np.inf
    if progress.state.step == 0:
        reason = "START"
    segment, energies = reference.steps(progress.state, progress.energies, n_steps, seconds, reason)
    progress.tally.reference_steps += segment.n_steps
    progress.tally.fock_builds += segment.fock_builds
    progress.tally.spend("reference steps", began)
    if pupil is not None:
        _anchor(reference, pupil, segment.end.density, segment.end.time, progress)
        _book_changes(problem, progress, segment)
    _advance(progress, segment, energies, reporters)


def _surrogate(
    problem: Problem,
    step: Step,
    reference: Reference,
    surrogate: Surrogate,
    target: Target,
    limits: Limits,
    progress: Progress,
    reporters: Sequence[Reporter],
) -> bool:
    """One surrogate segment with its anchor; whether it was accepted."""
    state, ledger, tally = progress.state, progress.ledger, progress.tally
    length = min(ledger.length, problem.n_steps - state.step, _most_steps(state))
    segment = _refined_segment(problem, step, surrogate, state, length, target, limits, progress, reporters)
    if segment is None:
        ledger.reject(length)
        tally.rejected += 1
        _tell(
            reporters,
            tally,
            Event("rejection", state.step, state.time, "HIGH_UNCERTAINTY", np.nan, np.nan, 0.0, 0),
        )
        return False
    spread = _rms(segment.spreads)
    # Far from the ground state one point says little of the others: the farthest one is measured too.
    changes = _changes(problem, segment)
    farthest = int(changes.argmax())
    nonlinear = float(changes[farthest]) > NONLINEAR
    builds, force = 1, 0.0
    if nonlinear and farthest < segment.n_steps - 1:
        force = _anchor(
            reference, surrogate, segment.densities[farthest], float(segment.times[farthest]), progress
        )[0].force
        builds = 2
    measured, energies = _anchor(reference, surrogate, segment.end.density, segment.end.time, progress)
    force = max(force, measured.force * _unlucky(measured, spread))
    moment = float(changes @ changes)
    typical = ledger.typical_change(moment, segment.n_steps, _smallest_change(problem))
    duration = segment.end.time - state.time
    bound = force * duration / typical
    error = ledger.gain * bound
    allowance = ledger.allowance(segment.end.time, target)
    trusted = not nonlinear and error <= 0.5 * target.error * duration / target.duration
    if not trusted:
        began = time.perf_counter()
        second = surrogate_segment(problem, step, surrogate, state, segment.n_steps, limits)
        tally.discarded_steps += segment.n_steps
        tally.spend("surrogate steps", began)
        error = np.inf
        if second is not None and second.n_steps == segment.n_steps:
            error = _difference(segment, second) / typical
            error += ledger.gain * measured.untaught * duration / typical
        if error > allowance:
            ledger.reject(segment.n_steps)
            tally.rejected += 1
            residual = measured.residual
            event = Event("rejection", state.step, state.time, "RESIDUAL", spread, residual, 0.0, builds)
            _tell(reporters, tally, event)
            return False
        assert second is not None
        segment = second
        ledger.learn_gain(error, bound)
    ledger.accept(moment, segment.n_steps, error, bound, target)
    if not trusted and error > 0.25 * allowance:
        ledger.keep_length(segment.n_steps)
    tally.surrogate_steps += segment.n_steps
    end = segment.end
    _tell(
        reporters,
        tally,
        Event("anchor", end.step, end.time, segment.reason, spread, measured.residual, error, builds),
    )
    _advance(progress, segment, energies, reporters)
    return True


def _refined_segment(
    problem: Problem,
    step: Step,
    surrogate: Surrogate,
    state: State,
    length: int,
    target: Target,
    limits: Limits,
    progress: Progress,
    reporters: Sequence[Reporter],
) -> Segment | None:
    """Pass over a segment, refining in between, until its spread is at the target or nothing is refined."""
    tally = progress.tally
    segment = None
    for passes in range(MOST_PASSES):
        tally.discarded_steps += 0 if segment is None else segment.n_steps
        began = time.perf_counter()
        segment = surrogate_segment(problem, step, surrogate, state, length, limits)
        tally.spend("surrogate steps", began)
        spread = np.inf if segment is None else _rms(segment.spreads)
        if segment is not None and spread <= target.residual and segment.reason in ("MAX_STEPS", "END"):
            break
        if passes == MOST_PASSES - 1:
            # What is refined now, no pass would use.
            break
        began = time.perf_counter()
        builds = surrogate.refine(0.5 * target.residual, MOST_REFINEMENTS)
        tally.spend("refinement", began)
        if builds:
            tally.fock_builds += builds
            tally.refinements += builds
            event = Event(
                "refinement", state.step, state.time, "HIGH_UNCERTAINTY", spread, np.nan, 0.0, builds
            )
            _tell(reporters, tally, event)
        elif segment is not None and segment.learned <= target.residual:
            break
    return segment


def _anchor(
    reference: Reference, surrogate: Surrogate, density: np.ndarray, at: float, progress: Progress
) -> tuple[Measurement, Energies]:
    """The reference at the surrogate's own density and time: measures the defect, and teaches."""
    began = time.perf_counter()
    measured, energies = reference.anchor(surrogate, density, at)
    progress.tally.fock_builds += 1
    progress.tally.anchors += 1
    progress.tally.spend("anchors", began)
    return measured, energies


def _audit(
    problem: Problem,
    step: Step,
    reference: Reference,
    surrogate: Surrogate,
    progress: Progress,
    reporters: Sequence[Reporter],
) -> None:
    """One reference step, kept, beside the surrogate's own from the same state: how far apart they end."""
    began = time.perf_counter()
    state, tally = progress.state, progress.tally
    guess, _ = step(reference.taken_up(state), field_free(problem, surrogate.predict))
    segment, energies = reference.steps(state, progress.energies, 1, np.inf, "AUDIT")
    change = float(np.linalg.norm(segment.end.density - problem.ground_density))
    apart = float(np.linalg.norm(guess.density - segment.end.density))
    residual = apart / change if change > 0.0 else 0.0
    tally.reference_steps += 1
    tally.fock_builds += segment.fock_builds
    tally.spend("audits", began)
    _book_changes(problem, progress, segment)
    end = segment.end
    _tell(
        reporters,
        tally,
        Event("audit", end.step, end.time, "AUDIT", np.nan, residual, 0.0, segment.fock_builds),
    )
    _advance(progress, segment, energies, reporters)


def _advance(progress: Progress, segment: Segment, energies: Energies, reporters: Sequence[Reporter]) -> None:
    progress.state, progress.energies = segment.end, energies
    began = time.perf_counter()
    for reporter in reporters:
        reporter.segment(segment, progress.tally)
    progress.tally.spend("log and files", began)


def _tell(reporters: Sequence[Reporter], tally: Tally, event: Event) -> None:
    for reporter in reporters:
        reporter.event(event, tally)


def _book_changes(problem: Problem, progress: Progress, segment: Segment) -> None:
    """Reference points add no error, but count in what the error is relative to."""
    changes = _changes(problem, segment)
    progress.ledger.change_moment += float(changes @ changes)
    progress.ledger.n_points += segment.n_steps


def _unlucky(measured: Measurement, spread: float) -> float:
    """How far the defect met at an anchor lies below what the spread expects over the segment; at least 1."""
    expected = spread * measured.response
    return max(1.0, expected / measured.defect) if measured.defect > 0.0 else 1.0


def _changes(problem: Problem, segment: Segment) -> np.ndarray:
    """|P - P0| at a segment's points, (k,)."""
    return np.linalg.norm((segment.densities - problem.ground_density).reshape(segment.n_steps, -1), axis=1)


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


def saved_tally(tally: Tally) -> Mapping[str, float]:
    """The counts by name, for files."""
    names = (
        "reference_steps",
        "surrogate_steps",
        "fock_builds",
        "anchors",
        "rejected",
        "refinements",
        "discarded_steps",
    )
    return {name: getattr(tally, name) for name in names}
