"""How far many calculations are: a bar on a terminal, and lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...atomic.terminal import live_progress, may_be_live

#: Seconds between two lines.
_APART = 1.0


@contextmanager
def item_progress(what: str, total: int, done: int) -> Iterator[Callable[[str], None]]:
    """A function to call with a word about each of `what`, such as items, that has come to its end."""
    if may_be_live(uses_stdout=True):
        with live_progress() as bar:
            task = bar.add_task(what, total=total, completed=done)
            yield lambda word: bar.update(task, advance=1, description=word)
        return
    last = 0.0

    def say(word: str) -> None:
        nonlocal done, last
        done += 1
        # Thousands of short items would fill a log.
        if done == total or time.monotonic() - last > _APART or "failed" in word:
            last = time.monotonic()
            print(f"{word}: {done}/{total} {what}", file=sys.stderr, flush=True)

    yield say
