"""Progress on standard error: one live line on a terminal, a plain line now and then elsewhere."""

import sys
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...atomic.terminal import live_line
from ..loop.progress import Event, Tally
from ..loop.segment import Segment

#: Seconds between plain lines.
PLAIN_INTERVAL = 10.0
#: Width of the bar, in characters.
_BAR = 10


@dataclass(eq=False)
class ProgressLine:
    """A reporter. title: what runs; n_steps: steps in all; done: steps made before this process; live: a line
    that moves may be shown."""

    title: str
    n_steps: int
    done: int
    live: bool
    _live: Any = None
    _task: Any = None
    _spread: float = 0.0
    _residual: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _last_plain: float = field(default_factory=time.monotonic)
    _first: int = 0

    def __enter__(self) -> "ProgressLine":
        self._first = self.done
        if self.live:
            from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn, TimeRemainingColumn

            bar = partial(BarColumn, _BAR)
            columns = (MofNCompleteColumn, TimeElapsedColumn, TimeRemainingColumn, bar)
            self._live = live_line(*columns, words="{task.description} {task.fields[detail]}")
            self._live.start()
            self._task = self._live.add_task(self.title, total=self.n_steps, completed=self.done, detail="")
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()

    def segment(self, segment: Segment, tally: Tally) -> None:
        """Show where the run is."""
        self.done = segment.end.step
        spread = float(segment.spreads[-1])
        self._spread = spread or self._spread
        rate = (self.done - self._first) / max(time.monotonic() - self._began, 1e-9)
        detail = (
            f"t = {segment.end.time:.1f} au, {tally.fock_builds} Fock builds, {rate:.0f} steps/s, "
            f"residual {self._residual:.1e}, spread {self._spread:.1e}"
        )
        if self._live is not None:
            self._live.update(self._task, completed=self.done, detail=detail)
        elif time.monotonic() - self._last_plain > PLAIN_INTERVAL:
            self._last_plain = time.monotonic()
            left = (self.n_steps - self.done) / max(rate, 1e-9)
            print(
                f"{self.title}: {self.done}/{self.n_steps}, {left:.0f} s left, {detail}",
                file=sys.stderr,
                flush=True,
            )

    def tell(self, said: str, share: float) -> None:
        """Show what goes on between two segments, and the share of it done; a plain line where it begins."""
        if self._live is not None:
            self._live.update(self._task, detail=said)
        elif share == 0.0 or time.monotonic() - self._last_plain > PLAIN_INTERVAL:
            self._last_plain = time.monotonic()
            print(f"{self.title}: {self.done}/{self.n_steps}, {said}", file=sys.stderr, flush=True)

    def event(self, event: Event, tally: Tally) -> None:
        """Remember the last residual."""
        if event.kind == "anchor":
            self._residual = event.residual
