"""Where a command begins and ends: no moment of it is without an exit code, nor without its one line."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .interruption import INTERRUPTED, asked, leave_alone, listen
from .threads import start_with_one


def run_command(name: str, module: str, arguments: Sequence[str] | None = None) -> int:
    """Import a command's module and run its `main`; returns the exit code.

    name: of the command; module: where its `main` is. Signals are heard before anything else is imported.
    """
    listen()
    start_with_one()
    try:
        try:
            code = import_module(module).main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        code = _flushed(name, code)
    except BaseException as error:
        # What a library makes of an interruption may have any name.
        if not (isinstance(error, KeyboardInterrupt) or asked()):
            raise
        print(f"{name}: interrupted", file=sys.stderr)
        code = INTERRUPTED
    finally:
        leave_alone()
    return code


def _flushed(name: str, code: int) -> int:
    """Write out what is left for standard output; a full disk is a failure, a reader who has gone is not."""
    if sys.stdout is None:
        return code
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _write_no_more()
    except OSError as error:
        _write_no_more()
        if not code:
            print(f"{name}: standard output: {error.strerror}", file=sys.stderr)
        code = code or 1
    return code


def _write_no_more() -> None:
    """Python writes out the rest once more as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
