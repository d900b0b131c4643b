"""What goes on before the first step, on standard error: one phase after another."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...atomic.terminal import live_progress

#: Seconds between plain lines.
_PLAIN_INTERVAL = 10.0


@contextmanager
def phase(title: str, *, live: bool) -> Iterator[Callable[[str], None]]:
    """Say that a phase begins; yields a function that takes how far it is, as often as one likes.

    live: a line that moves, with the time since; else a plain line at the start and now and then.
    """
    if live:
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with live_progress(*columns) as bar:
            task = bar.add_task(title, total=None)
            yield lambda said: bar.update(task, description=f"{title}: {said}")
        return
    print(title, file=sys.stderr, flush=True)
    began = last = time.monotonic()

    def tell(said: str) -> None:
        nonlocal last
        if time.monotonic() - last > _PLAIN_INTERVAL:
            last = time.monotonic()
            print(f"{title}: {said}, {last - began:.0f} s so far", file=sys.stderr, flush=True)

    yield tell
