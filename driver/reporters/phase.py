"""What goes on before the first step, on standard error: one phase after another."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...atomic.terminal import live_progress

#: Seconds between plain lines.
_PLAIN_INTERVAL = 10.0
#: Of a phase, the share from which on its time left is told, and the seconds that it has then taken.
_LEAST_SHARE, _LEAST_SECONDS = 0.1, 1.0


@contextmanager
def phase(title: str, *, live: bool) -> Iterator[Callable[[str, float], None]]:
    """Say that a phase begins; yields a function that takes how far it is, as often as one likes.

    Its arguments are words and the share done, 0 where that is not known. live: a line that moves, with the
    time since; else a plain line at the start and now and then.
    """
    began = time.monotonic()
    if live:
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with live_progress(*columns) as bar:
            task = bar.add_task(title, total=None)
            yield lambda said, share: bar.update(
                task, description=f"{title}: {said}{time_left(time.monotonic() - began, share)}"
            )
        return
    print(title, file=sys.stderr, flush=True)
    last = began

    def tell(said: str, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _PLAIN_INTERVAL:
            last = now
            left = time_left(now - began, share)
            print(f"{title}: {said}; {now - began:.0f} s so far{left}", file=sys.stderr, flush=True)

    yield tell


def time_left(seconds: float, share: float) -> str:
    """Words to go on with, after so many seconds for a share of the whole; empty where it is too early."""
    if share < _LEAST_SHARE or seconds < _LEAST_SECONDS:
        return ""
    return f", about {seconds * (1.0 / min(share, 1.0) - 1.0):.0f} s left"
