"""Where a run is, what it has cost, and who is told: everything about the loop that is not a step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Protocol

from ...adapters.engine import Energies
from ..propagators.state import State
from .controller import Ledger
from .segment import Reason, Segment


@dataclass(frozen=True)
class Event:
    """One decision, for the record.

    kind: anchor, audit, rejection or refinement.
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
    """Counts of a run, part of its checkpoint, and the seconds it took by what they went to."""

    reference_steps: int = 0
    surrogate_steps: int = 0
    fock_builds: int = 0
    anchors: int = 0
    rejected: int = 0
    refinements: int = 0
    discarded_steps: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name, for files."""
        return {name: value for name, value in asdict(self).items() if name != "seconds"}

    def book(self, what: str, seconds: float) -> None:
        """Add seconds to `what`."""
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Book the wall time of a block to `what`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.book(what, time.perf_counter() - began)


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
    ledger: what has been spent of the error allowed, and what comes next.
    tally: counts and seconds.
    energy_drift: Σ over surrogate segments of |what the energy missed at its end|, Hartree (`energies`).
    """

    state: State
    energies: Energies
    ledger: Ledger
    tally: Tally
    energy_drift: float = 0.0
