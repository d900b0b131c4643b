"""What goes on before the first step, on standard error: one phase after another."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...atomic.terminal import live_line

#: Seconds between plain lines.
_PLAIN_INTERVAL = 10.0
#: Of a phase, the share from which on its time left is told, and the seconds that it has then taken.
_LEAST_SHARE, _LEAST_SECONDS = 0.1, 1.0
#: Lines on the terminal, outer phases first: only the last one moves.
_SHOWN: list[Any] = []


@contextmanager
def phase(title: str, *, live: bool) -> Iterator[Callable[[str, float], None]]:
    """Say that a phase begins; yields a function that takes how far it is, as often as one likes.

    Its arguments are words and the share done, 0 where that is not known. live: a line that moves, with the
    time since; else a plain line at the start and now and then.
    """
    began = time.monotonic()
    if live:
        from rich.progress import SpinnerColumn, TimeElapsedColumn

        bar = live_line(SpinnerColumn, TimeElapsedColumn, words="{task.description}")
        task = bar.add_task(title, total=None)

        def show(said: str, share: float) -> None:
            # The time left stands first: it must not be cut off where the terminal ends.
            left = time_left(time.monotonic() - began, share).removeprefix(", ")
            bar.update(task, description=f"{title}: {left + ', ' if left else ''}{said}")

        with _alone(bar):
            yield show
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


@contextmanager
def _alone(bar: Any) -> Iterator[None]:
    """The line of a phase within another's takes that one's place for as long as it lasts."""
    for outer in _SHOWN[-1:]:
        outer.stop()
    _SHOWN.append(bar)
    try:
        with bar:
            yield
    finally:
        _SHOWN.pop()
        for outer in _SHOWN[-1:]:
            outer.start()


@dataclass(eq=False)
class Relay:
    """Takes words and the share done, for whoever shows them at the moment.

    show: who that is.
    """

    show: Callable[[str, float], None] = lambda said, share: None

    def __call__(self, said: str, share: float) -> None:
        """Pass them on."""
        self.show(said, share)


def time_left(seconds: float, share: float) -> str:
    """Words to go on with, after so many seconds for a share of the whole; empty where it is too early."""
    if share < _LEAST_SHARE or seconds < _LEAST_SECONDS:
        return ""
    return f", about {seconds * (1.0 / min(share, 1.0) - 1.0):.0f} s left"
