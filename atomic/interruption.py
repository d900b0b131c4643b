"""Ctrl-C, SIGTERM and SIGHUP: a command ends within two seconds, at any moment, with exit code 130.

Python runs a handler between two of its own instructions: one long call of a C library holds it up, and a
KeyboardInterrupt that is raised in an import or in a destructor is lost. So a thread is woken by the signal
itself (`signal.set_wakeup_fd`) and sees to it that the end comes.
"""

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

#: Exit code of whatever was interrupted.
INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds after a signal: for an import to end; for a loop that ends by itself; for everything.
_IMPORT, _LOOP, _ALL = 0.3, 0.8, 1.6
#: Seconds between two looks of the thread.
_LOOK = 0.02


@dataclass(eq=False)
class _Watch:
    """What the handler and the thread know.

    began: when the first signal came, by `time.monotonic`; 0 before.
    raised: the main thread has been told, by KeyboardInterrupt.
    loops: of those that end by themselves, how many are running.
    ended: the command is done.
    last_words: what is said where the thread must end the process.
    speaker: taken by whoever says the one line, of the two threads.
    """

    began: float = 0.0
    raised: bool = False
    loops: int = 0
    ended: bool = False
    last_words: Callable[[], str] = lambda: "interrupted"
    speaker: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """In the main thread: KeyboardInterrupt, once, where it cannot be lost."""
        first = not self.began
        self.began = self.began or time.monotonic()
        if self.raised or self.ended or (first and self.loops):
            return
        if _cannot_be_raised(frame):
            if time.monotonic() - self.began > _IMPORT:
                self.end_now()
            return
        self.raised = True
        raise KeyboardInterrupt

    def watch(self, source: int) -> None:
        """In the thread: wait for a signal, then for the end."""
        number = os.read(source, 1)[0]
        came = time.monotonic()
        while True:
            waited = time.monotonic() - came
            if waited > _ALL:
                self.end_now()
            if not (self.raised or self.ended) and (not self.loops or waited > _LOOP):
                _thread.interrupt_main(signal.Signals(number))
            time.sleep(_LOOK)

    def end_now(self) -> None:
        """End the process: every file is whole or not there, and children end with their parent.

        Of two threads that come here, or of this one and a command that says its own end, one speaks.
        """
        if not self.ended and self.speaker.acquire(blocking=False):
            with contextlib.suppress(Exception):
                print(self.last_words(), file=sys.stderr, flush=True)
            os._exit(INTERRUPTED)
        # The other one may have stopped in the middle of its line.
        if time.monotonic() - self.began > _ALL + _IMPORT:
            os._exit(INTERRUPTED)

    def lost(self, unraisable: Any) -> None:
        """Takes what Python could not raise: a lost KeyboardInterrupt is raised again."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            self.raised = False
            return
        sys.__unraisablehook__(unraisable)


_watch = _Watch()


def listen() -> None:
    """Take over the signals of this process, for good; those that it was started to ignore stay ignored."""
    listened = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    for number in listened:
        signal.signal(number, _watch.handle)
    signal.set_wakeup_fd(sink, warn_on_full_buffer=False)
    sys.unraisablehook = _watch.lost
    os.register_at_fork(after_in_child=_leave)
    threading.Thread(target=_watch.watch, args=(source,), daemon=True).start()


def leave_alone() -> None:
    """The command is done: from here on to the end of the process signals change nothing."""
    _watch.ended = True  # First: a signal that comes among these lines is not to be raised.
    for number in SIGNALS:
        if signal.getsignal(number) == _watch.handle:
            signal.signal(number, signal.SIG_IGN)


def asked() -> bool:
    """Whether a signal has come, for loops that end by themselves."""
    return _watch.began > 0.0


def may_speak() -> bool:
    """Whether a command may say that it was interrupted: once, and not where the process is being ended."""
    return not asked() or _watch.speaker.acquire(blocking=False)


def at_the_end_say(words: Callable[[], str]) -> None:
    """What is said where the process must be ended in the middle of something."""
    _watch.last_words = words


@contextmanager
def ends_by_itself() -> Iterator[None]:
    """Around a loop that asks `asked`: it may come to its next stop, if that is near."""
    _watch.loops += 1
    try:
        yield
    finally:
        _watch.loops -= 1
        # A loop that has ended for a signal has told its caller, who must not be interrupted once more.
        _watch.raised = _watch.raised or asked()


@contextmanager
def ctrl_c_between_steps() -> Iterator[Callable[[], bool]]:
    """Around a call from a user's Python: yields whether Ctrl-C came, for its loops to ask.

    In loops that end by themselves the first Ctrl-C only says so: what Python raises there may be lost, in a
    destructor of h5py's as in a callback. A second one, and one at any other place, is Python's own, and said
    as well. Only in the main thread, and only where Python's own handler stands, which is put back.
    """
    alone = threading.current_thread() is threading.main_thread()
    if not alone or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False
        return
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1 or not _watch.loops:
            signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave() -> None:
    """A forked child is not this command."""
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        if signal.getsignal(number) == _watch.handle:
            signal.signal(number, signal.SIG_DFL)


def _cannot_be_raised(frame: FrameType | None) -> bool:
    """Whether an exception raised here is lost, or taken for something else: in imports, in destructors."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
