"""Where a run is, what it has cost, and who is told: everything about the loop that is not a step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Protocol

from ...adapters.engine import Energies
from ..estimate.shadow import ErrorEstimate
from ..propagators.state import State
from .controller import Ledger
from .segment import Reason, Segment

#: Turns that are remembered of each kind.
MOST_TURNS = 100


@dataclass(frozen=True)
class Event:
    """One decision, for the record.

    kind: anchor, audit, rejection, refinement or regime.
    step, time: where the run was; time in au.
    reason: code of the segment that the decision is about.
    spread, residual: expected and measured, relative; NaN where neither applies.
    error: what the decision adds to the estimated trajectory error.
    builds: Fock builds that it took.
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
    """Counts of a run, part of its checkpoint, and what its time went to.

    seconds: by the clock. processor: of the processor, where they were measured, else by the clock.
    turns: processor seconds of each time, the last of them.
    """

    reference_steps: int = 0
    surrogate_steps: int = 0
    fock_builds: int = 0
    anchors: int = 0
    rejected: int = 0
    refinements: int = 0
    corrected_steps: int = 0
    discarded_steps: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    turns: dict[str, list[float]] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name, for files."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}

    @property
    def times(self) -> dict[str, object]:
        """What the time went to, for checkpoints."""
        return {"seconds": self.seconds, "processor": self.processor, "turns": self.turns}

    def book(self, what: str, seconds: float, processor: float | None = None) -> None:
        """Add seconds to `what`; processor: those of the processor, where they were measured."""
        spent = seconds if processor is None else processor
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds
        self.processor[what] = self.processor.get(what, 0.0) + spent

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Book the time of a block to `what`."""
        began, processor = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            spent = time.process_time() - processor
            self.book(what, time.perf_counter() - began, spent)
            self.turns[what] = [*self.turns.get(what, [])[1 - MOST_TURNS :], spent]


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

    state: the point that the next step starts from.
    energies: those of the last Fock build before `state`.
    ledger: what has been seen, and what comes next.
    tally: counts and seconds.
    estimate: of the error; None before the first step, and without a surrogate.
    energy_drift: Σ over surrogate segments of |what the energy missed at its end|, Hartree (`energies`).
    """

    state: State
    energies: Energies
    ledger: Ledger
    tally: Tally
    estimate: ErrorEstimate | None = None
    energy_drift: float = 0.0
