"""Where in a deck something stands, and the error that names it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...atomic.errors import BadInput


@dataclass(frozen=True)
class Place:
    """A line of a file, for messages."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class DeckError(BadInput):
    """Bad input. The text is one line: what is wrong and what is accepted, led by file:line.

    further: what else is refused in the same deck, a line each.
    """

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
        self.further: tuple[str, ...] = ()


class UnfinishedBlock(DeckError):
    """A block that never closes, or a directive that nobody knows: what follows cannot be told from it."""


class AlreadyNoted(DeckError):
    """A block of which some lines are refused, and noted: it cannot be carried out."""


def in_one(errors: Sequence[DeckError]) -> DeckError:
    """The first of several, with the others as what is further refused; every text once."""
    found: dict[str, DeckError] = {}
    for error in errors:
        found.setdefault(str(error).removeprefix(f"{error.place}: "), error)
    first, *rest = found.values()
    first.further = tuple(str(error) for error in rest)
    return first
