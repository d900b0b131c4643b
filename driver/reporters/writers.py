"""The reporter that works out a segment's observables once and hands them to all who write them."""

from dataclasses import dataclass
from typing import Protocol

from ...adapters.log.step_block import StepBlock
from ..loop.progress import Event, Tally
from ..loop.segment import Segment
from .block import Observer


class Writer(Protocol):
    """Writes blocks of time points somewhere."""

    def block(self, segment: Segment, block: StepBlock) -> None:
        """A segment that is kept, and its observables; in order of time."""
        ...

    def event(self, event: Event) -> None:
        """A decision."""
        ...


@dataclass(frozen=True, eq=False)
class Writers:
    """A reporter.

    observer: works the block out.
    writers: take the block, in this order.
    """

    observer: Observer
    writers: tuple[Writer, ...]

    def segment(self, segment: Segment, tally: Tally) -> None:
        """Hand on a segment with its observables."""
        block = self.observer.block(segment)
        for writer in self.writers:
            writer.block(segment, block)

    def event(self, event: Event, tally: Tally) -> None:
        """Hand on a decision."""
        for writer in self.writers:
            writer.event(event)
