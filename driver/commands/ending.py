"""How a command ends: its exit code, and one line on standard error where all is not well.

0: done, 1: failed, 2: bad input, 130: interrupted.
"""

import contextlib
import os
import sys
from collections.abc import Callable

from ...atomic.errors import BadInput, HybridPropagateError
from ...atomic.interruption import INTERRUPTED, asked, at_the_end_say, may_speak

#: What extras install, by the module that is missed first.
_EXTRAS = {"torch": "train", "e3nn": "train", "onnx": "train", "onnxscript": "train"}


def carry_out(name: str, run: Callable[[], int], interrupted: str | Callable[[], str]) -> int:
    """The exit code of `run`, or of what it raised: of the one family of errors, of the system, or Ctrl-C.

    Any other exception is a bug, and raised. interrupted: what to say of Ctrl-C.
    """
    words = interrupted if callable(interrupted) else lambda: interrupted
    at_the_end_say(lambda: f"{name}: {words()}")
    try:
        os.getcwd()
    except OSError as error:
        return fail(name, f"the working folder cannot be used: {error.strerror}", 2)
    try:
        return run()
    except KeyboardInterrupt:
        return _interrupted(name, words)
    except Exception as error:
        # What a library makes of an interruption may have any name.
        return _interrupted(name, words) if asked() else _of_error(name, error)


def _interrupted(name: str, words: Callable[[], str]) -> int:
    return fail(name, words(), INTERRUPTED) if may_speak() else INTERRUPTED


def _of_error(name: str, error: Exception) -> int:
    """Say what an error says; raises those that nobody expects."""
    if isinstance(error, BrokenPipeError):
        # The reader of what is printed has gone; what is on disk is whole.
        sys.stdout = None
        return 1
    if isinstance(error, ModuleNotFoundError) and (extra := _EXTRAS.get(error.name or "")):
        return fail(name, f"{error.name} is not installed: pip install 'hybrid-propagate[{extra}]'", 2)
    if isinstance(error, MemoryError):
        return fail(name, f"not enough memory: {error}", 1)
    if isinstance(error, OSError):
        return fail(name, system_reason(error), 1)
    if isinstance(error, HybridPropagateError):
        # The reference code's own last words, where it has any.
        for line in getattr(error, "tail", ()):
            print(f"  nwchem| {line}", file=sys.stderr)
        code = fail(name, str(error), 2 if isinstance(error, BadInput) else 1)
        for further in getattr(error, "further", ()):
            fail(name, further, code)
        return code
    raise error


def fail(name: str, reason: str, code: int) -> int:
    """Say why, in one line; returns the code."""
    # A terminal that was closed takes no words.
    with contextlib.suppress(OSError):
        print(f"{name}: {' '.join(reason.splitlines())}", file=sys.stderr)
    return code


def system_reason(error: OSError) -> str:
    """The file and the system's words."""
    if not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
