"""Where in a deck something stands, and the error that names it."""

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
    """Bad input. The text is one line: what is wrong and what is accepted, led by file:line."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
