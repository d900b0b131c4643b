"""The reading of a command line: errors of one line, `--version`, and completion in a shell."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn


class CommandParser(argparse.ArgumentParser):
    """argparse's, whose errors are one line without the usage.

    A shell completes options and names after `eval "$(register-python-argcomplete hybrid-propagate)"`.
    """

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit code 2."""
        print(f"{self.prog}: {message}; {self.prog} --help tells what there is", file=sys.stderr)
        sys.exit(2)

    def read(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """The options of a command line; None: the process's own."""
        self.add_argument("--version", action=_Version, help="print the version and leave")
        if "_ARGCOMPLETE" in os.environ:
            import argcomplete

            argcomplete.autocomplete(self)
        return self.parse_args(arguments)


class _Version(argparse.Action):
    """Looks the version up when it is asked for, which takes longer than all of `--help`."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        """Print it on standard output."""
        from importlib.metadata import version

        print(f"{parser.prog} {version('hybrid-propagate')}")
        parser.exit()
