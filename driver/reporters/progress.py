"""Progress on standard error: one live line on a terminal, a plain line now and then elsewhere."""

import sys
import time
from dataclasses import dataclass, field
from typing import Any

from ...atomic.terminal import live_progress
from ..loop.progress import Event, Tally
from ..loop.segment import Segment

#: Seconds between plain lines.
PLAIN_INTERVAL = 10.0


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
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

            self._live = live_progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed}/{task.total} {task.fields[detail]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
            )
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
            f"t={segment.end.time:.2f} au {segment.kind} spread={self._spread:.1e} "
            f"residual={self._residual:.1e} Fock builds={tally.fock_builds} {rate:.0f} steps/s"
        )
        if self._live is not None:
            self._live.update(self._task, completed=self.done, detail=detail)
        elif time.monotonic() - self._last_plain > PLAIN_INTERVAL:
            self._last_plain = time.monotonic()
            left = (self.n_steps - self.done) / max(rate, 1e-9)
            print(
                f"{self.title}: {self.done}/{self.n_steps} {detail} {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    def event(self, event: Event, tally: Tally) -> None:
        """Remember the last residual."""
        if event.kind == "anchor":
            self._residual = event.residual
