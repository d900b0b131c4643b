"""Where a command begins and ends: no moment of it is without an exit code, nor without its one line."""

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .interruption import INTERRUPTED, asked, at_the_end_say, leave_alone, listen, may_speak
from .threads import start_with

#: New objects until the collector looks at the young, and looks until it looks at the older and the oldest.
SELDOM = (50_000, 20, 100)


def run_command(name: str, module: str, arguments: Sequence[str] | None = None) -> int:
    """Import a command's module and run its `main`; returns the exit code.

    name: of the command; module: where its `main` is. Signals are heard before anything else is imported.
    """
    listen()
    at_the_end_say(lambda: f"{name}: interrupted")
    start_with(1)
    # Imports and figures make objects by the hundred thousand, and next to none in circles to look for.
    gc.set_threshold(*SELDOM)
    try:
        code = _carried_out(module, arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BaseException as error:
        # What a library makes of an interruption may have any name.
        if isinstance(error, KeyboardInterrupt) or asked():
            code, said = INTERRUPTED, "interrupted" if may_speak() else ""
        elif isinstance(error, OSError):
            # The reader of what is printed has gone, or its disk is full: Python would try once more.
            code, said = 1, "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
            _write_no_more()
        else:
            raise
        leave_alone()  # The end is decided: a signal does not change what is said of it.
        if said:
            print(f"{name}: {said}", file=sys.stderr)
    finally:
        leave_alone()
    return code


def _carried_out(module: str, arguments: Sequence[str] | None) -> int:
    try:
        return import_module(module).main(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)


def _write_no_more() -> None:
    """What is left for standard output goes nowhere."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
