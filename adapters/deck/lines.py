"""NWChem's free-format input: physical lines to logical lines, fields, numbers and included files.

Rules as in NWChem's own input reader: blanks and tabs separate fields, `"..."` groups one, `#` starts a
comment, `;` ends a logical line, a trailing `\\` joins lines, `include <file>` reads another file, and a line
that is only `.`, `*` or `eof` ends the input.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from .errors import DeckError, Place

#: NWChem's longest physical line.
MAX_LINE = 1024
MAX_INCLUDES = 10

_REAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eEdD]([+-]?[0-9]+))?")
#: Names and tags that stand for themselves in NWChem's input: printable, and without `"`, `#`, `;`, `\\`.
_NAME = re.compile(r"[ !$-:<-\[\]-~]+")
_TAG = re.compile(r"[!$-:<-\[\]-~]+")
#: What starts a line of NWChem's geometry block that is no centre.
_NO_TAGS = (
    *("end", "file", "load", "source", "symmetry", "system", "carfile", "zcoord"),
    *("zmt", "zmat", "zmatr", "zmatri", "zmatrix"),
)
_FIELD = re.compile(r'"(?:\\.|[^"\\])*"|(?:\\.|[^\s"\\])+')


def real(text: str) -> float | None:
    """Value of a real as NWChem computes it, None where the text is no real.

    All digits form one integer that is multiplied by 10.0**n, or by 0.1**n for a negative power, so `2.4` is
    24*0.1 = 2.4000000000000004. The propagation's step count depends on it.
    """
    match = _REAL.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    sign, whole, decimals, exponent = match[1], match[2], match[3] or "", match[4] or "0"
    digits = (whole + decimals).lstrip("0")
    power = int(exponent) - len(decimals)
    if len(digits) > 300 or power > 300:
        return None
    if power < -300:
        return 0.0
    value = float(int(digits or "0"))
    value = value * 10.0**power if power >= 0 else value * _tenth_to(-power)
    return -value if sign == "-" else value


def _tenth_to(n: int) -> float:
    """0.1**n for n > 0 by repeated squaring, as compiled Fortran rounds it: 0.1**2 = 0.010000000000000002."""
    square, result = 0.1, 1.0
    while n:
        if n % 2:
            result *= square
        square *= square
        n //= 2
    return result


def integer(text: str) -> int | None:
    """Value of an integer field, None where the text is none."""
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None


def suggestion(word: str, accepted: Iterable[str]) -> str:
    """`; did you mean X?` where an accepted word is close, else an empty string."""
    close = difflib.get_close_matches(word.lower(), sorted({name.lower() for name in accepted}), 1, 0.75)
    return f"; did you mean {close[0]}?" if close else ""


@dataclass
class Line:
    """One logical line: its fields, and a cursor over them that starts behind the first (the keyword)."""

    place: Place
    words: tuple[str, ...]
    cursor: int = field(default=1)

    @property
    def keyword(self) -> str:
        """The first field in lower case."""
        return self.words[0].lower()

    def fail(self, message: str) -> NoReturn:
        """Raise DeckError at this line."""
        raise DeckError(self.place, message)

    def peek(self) -> str | None:
        """The next field, or None at the end."""
        return self.words[self.cursor] if self.cursor < len(self.words) else None

    def next(self) -> str | None:
        """Consume and return the next field, or None at the end."""
        word = self.peek()
        if word is not None:
            self.cursor += 1
        return word

    def take(self, what: str) -> str:
        """Consume a field that must be there; `what` names it in the error."""
        word = self.next()
        if word is None:
            self.fail(f"{self.words[0]}: {what} is missing")
        return word

    def maybe_real(self) -> float | None:
        """Consume the next field if it is a real."""
        word = self.peek()
        value = None if word is None else real(word)
        if value is not None:
            self.cursor += 1
        return value

    def maybe_integer(self) -> int | None:
        """Consume the next field if it is an integer."""
        word = self.peek()
        value = None if word is None else integer(word)
        if value is not None:
            self.cursor += 1
        return value

    def take_name(self, what: str, longest: int = 255) -> str:
        """Consume a name that NWChem's own deck can hold between quotes."""
        return self.checked_name(self.take(what), what, longest)

    def checked_name(self, name: str, what: str, longest: int = 255) -> str:
        """A name without the blanks around it; fails as `take_name` does."""
        name = name.strip(" \t")
        if not (1 <= len(name) <= longest and _NAME.fullmatch(name)):
            self.fail(f'{what} {name!r} must have 1 to {longest} ASCII characters, none of them " ; # \\')
        return name

    def check_tag(self, tag: str) -> None:
        """Fail unless the name of a centre is one that NWChem's own deck can hold."""
        if tag.lower() in _NO_TAGS:
            self.fail(f"tag {tag!r} is a directive of NWChem's geometry block")
        if not (len(tag) <= 16 and _TAG.fullmatch(tag)):
            self.fail(f'tag {tag!r} must have 1 to 16 ASCII characters, none of them blank or " ; # \\')

    def take_real(self, what: str) -> float:
        """Consume a real that must be there."""
        word = self.take(what)
        value = real(word)
        if value is None:
            self.fail(f"{what} must be a number, not {word!r}")
        return value

    def take_integer(self, what: str) -> int:
        """Consume an integer that must be there."""
        word = self.take(what)
        value = integer(word)
        if value is None:
            self.fail(f"{what} must be an integer, not {word!r}")
        return value

    def finish(self) -> None:
        """Fail if fields are left over."""
        if self.cursor < len(self.words):
            self.fail(f"{self.words[0]}: unexpected {self.words[self.cursor]!r}")


class LineReader:
    """Logical lines of a deck, one after another; `block` reads up to the `end` that closes a block.

    end: place of the last line.
    """

    def __init__(self, lines: Iterable[Line], end: Place) -> None:
        self._lines: Iterator[Line] = iter(lines)
        self.end = end

    def __iter__(self) -> Iterator[Line]:
        return self._lines

    def block(self, opening: Line, closing: tuple[str, ...] = ("end",)) -> Iterator[Line]:
        """Lines of the block that `opening` starts, without the closing one; DeckError if it never closes."""
        for line in self._lines:
            if line.keyword in closing:
                return
            if line.keyword == "task":  # no block has such a line
                break
            yield line
        raise DeckError(opening.place, f"{opening.words[0]} block has no end")


def read_lines(path: Path) -> LineReader:
    """Reader over the logical lines of a deck and of the files that it includes.

    Raises DeckError for a file that cannot be read or is not text, for unbalanced quotes, overlong lines and
    includes nested deeper than NWChem's ten.
    """
    lines: list[Line] = []
    last = _append_file(path, Place(str(path), 1), lines, 0)
    return LineReader(lines, last)


def read_text(path: Path, place: Place, what: str) -> str:
    """Text of a file named in a deck; DeckError at `place` if it cannot be read or is not text."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DeckError(place, f"{what} not found: {path}") from None
    except IsADirectoryError:
        raise DeckError(place, f"{what} is a folder: {path}") from None
    except OSError as error:
        raise DeckError(place, f"{what} cannot be read: {path} ({error.strerror})") from None
    except ValueError:
        raise DeckError(place, f"{what} has no valid file name: {str(path)!r}") from None
    if b"\0" in data:
        raise DeckError(place, f"{what} is not a text file: {path}")
    # Latin-1 never fails: a non-ASCII byte is harmless in a comment or title, elsewhere an unknown word.
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _append_file(path: Path, opened_at: Place, lines: list[Line], depth: int) -> Place:
    """Append the logical lines of a file; returns the place of its last line."""
    text = read_text(path, opened_at, "input file")
    physical = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    place = Place(str(path), 1)
    number = 0
    while number < len(physical):
        number += 1
        place = Place(str(path), number)
        content, joins = _strip_comment(physical[number - 1], place)
        while joins and number < len(physical):
            number += 1
            more, joins = _strip_comment(physical[number - 1], place)
            content += " " + more
        for part in _split_logical(content):
            words = _fields(part, place)
            if not words:
                continue
            if len(words) == 1 and words[0].lower() in (".", "*", "eof"):
                return place
            if words[0].lower() == "include":
                if len(words) != 2:
                    raise DeckError(place, "include takes one file name")
                if depth == MAX_INCLUDES:
                    raise DeckError(place, f"include files are nested deeper than {MAX_INCLUDES}")
                _append_file(Path(words[1]), place, lines, depth + 1)
                continue
            lines.append(Line(place, words))
    return place


def _strip_comment(text: str, place: Place) -> tuple[str, bool]:
    """A physical line without its comment, and whether a trailing backslash joins the next one."""
    if len(text) > MAX_LINE:
        raise DeckError(place, f"line is longer than {MAX_LINE} characters")
    bare = re.sub(r"(?<!\\)#.*", "", text).rstrip()
    return (bare[:-1], True) if bare.endswith("\\") else (bare, False)


def _split_logical(text: str) -> list[str]:
    return re.split(r"(?<!\\);", text)


def _fields(text: str, place: Place) -> tuple[str, ...]:
    """Fields of one logical line, quotes removed, `\\#`, `\\;` and `\\"` made literal."""
    if len(re.findall(r'(?<!\\)"', text)) % 2:
        raise DeckError(place, 'unbalanced quote (")')
    words = []
    for match in _FIELD.finditer(text):
        word = match[0]
        if word.startswith('"'):
            word = word[1:-1].strip() or " "
        words.append(re.sub(r'\\([#;"])', r"\1", word))
    return tuple(words)
