"""`hybrid-propagate --list`: what decks may ask for, a name a line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

#: What can be listed.
LISTS = ("xc", "basis", "tasks")


class ListAction(argparse.Action):
    """Prints a list and ends the command, as --help does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Print the names of `values`, one a line."""
        print("\n".join(_names(str(values))))
        parser.exit()


def _names(what: str) -> list[str]:
    if what == "xc":
        from ...adapters.deck.xc import accepted_words

        return sorted(accepted_words())
    if what == "basis":
        from ...adapters.system.basis_library import library_names

        return library_names()
    from ...adapters.deck.reader import TASKS

    return [f"task {theory} {operation}".replace("dplot energy", "dplot") for theory, operation in TASKS]
