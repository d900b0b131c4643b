"""The text of a deck whose every line is one line to NWChem, whatever names stand in it.

NWChem's reader ends a line at `;`, drops what follows `#`, joins lines at a trailing backslash, cuts at 1024
characters, and runs a command for `task shell`.
"""

import re
from collections.abc import Iterable

from ..free_format.errors import DeckError, Place
from ..free_format.lines import MAX_LINE

_PLAIN = re.compile(r"[ -~]*")
_SPECIAL = re.compile(r"[;#\\]")


def quoted(name: str) -> str:
    """A name as one field of NWChem's input; `deck_text` sees to what may not be in it."""
    return f'"{name}"'


def deck_text(lines: Iterable[str], place: Place) -> str:
    """The lines, ended. Raises DeckError at `place`, the task's, for one that NWChem reads otherwise."""
    written: list[str] = []
    for line in lines:
        if not _PLAIN.fullmatch(line) or _SPECIAL.search(line) or line.count('"') % 2:
            raise DeckError(place, f"this line cannot be written for NWChem: {line!r}")
        if len(line) > MAX_LINE:
            raise DeckError(place, f"a line for NWChem is longer than {MAX_LINE} characters: {line[:60]!r}")
        written.append(line)
    return "\n".join(written) + "\n"
