"""What the hybrid loop is made of, and the moves that all of its parts share.

The loop knows no engine, surrogate or output by name; every accepted segment goes to the reporters.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...adapters.engine import Energies
from ...surrogate.surrogate import Surrogate
from ..propagators.magnus import FockOf
from ..propagators.state import State
from .controller import Target
from .problem import Problem, Step
from .progress import Event, Progress, Reporter
from .reference import Reference
from .segment import Limits, Segment, pieces, sizes_of

#: Densities of one segment stay within this many bytes.
SEGMENT_BYTES = 1.5e8
#: Seconds between two words about a segment that is being made.
TOLD_EVERY = 0.2
#: What is said of steps that nothing has measured.
UNMEASURED = "made, not measured yet"

#: Takes how many of so many steps have been made.
Made = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Hybrid:
    """One propagation by two sources of Fock matrices.

    problem: what is propagated, from where to where.
    surrogate: makes most steps; None for reference steps alone.
    reference: makes the others, and measures the surrogate.
    target: trajectory error wanted.
    limits: where a surrogate segment is broken off.
    reporters: who is told of segments and decisions.
    say: takes words of what goes on between them, and the share of it done.
    """

    problem: Problem
    surrogate: Surrogate | None
    reference: Reference
    target: Target
    limits: Limits
    reporters: tuple[Reporter, ...] = ()
    say: Callable[[str, float], None] = lambda *_: None


def known_surrogate(hybrid: Hybrid) -> Surrogate:
    """The surrogate of a run that has one."""
    assert hybrid.surrogate is not None
    return hybrid.surrogate


def advance(hybrid: Hybrid, progress: Progress, segment: Segment, energies: Energies) -> None:
    """Go on to a segment's end and hand the segment to the reporters."""
    progress.state, progress.energies = segment.end, energies
    with progress.tally.timed("log and files"):
        for piece in pieces(segment, SEGMENT_BYTES):
            for reporter in hybrid.reporters:
                reporter.segment(piece, progress.tally)


def tell(hybrid: Hybrid, progress: Progress, event: Event) -> None:
    """Hand a decision to the reporters."""
    for reporter in hybrid.reporters:
        reporter.event(event, progress.tally)


def book_changes(hybrid: Hybrid, progress: Progress, segment: Segment) -> None:
    """Reference points add no error, but count in what the error is relative to."""
    sizes = sizes_of(hybrid.problem, segment)
    progress.ledger.change_moment += float(sizes @ sizes)
    progress.ledger.n_points += segment.n_steps


def now_and_then(hybrid: Hybrid, words: str) -> Made:
    """Says now and then how many of a segment's steps have been made, with these words behind."""
    last = time.monotonic()

    def made(count: int, length: int) -> None:
        nonlocal last
        if time.monotonic() - last > TOLD_EVERY:
            last = time.monotonic()
            hybrid.say(f"{count} of the next {length} {words}", count / length)

    return made


def told_steps(hybrid: Hybrid, step: Step, first: int, length: int) -> Step:
    """A step that says now and then how many of a segment's have been made."""
    made = now_and_then(hybrid, UNMEASURED)

    def told(state: State, fock_of: FockOf) -> tuple[State, list[np.ndarray]]:
        made(state.step - first, length)
        return step(state, fock_of)

    return told
