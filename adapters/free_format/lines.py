"""NWChem's free-format input: physical lines to logical lines, fields, numbers and included files.

Rules as in NWChem's own input reader (src/inp/inp.F), and in its order: a line that is only `.`, `*` or
`eof` ends the input, `include <file>` at its start reads another file, a trailing `\\` joins lines, comments
too, `#` starts a comment, `;` ends a logical line, blanks and tabs separate fields, `"..."` groups one. What
NWChem passes over in silence is refused: text beyond 1024 characters, a last line that is joined to nothing.
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from ..regular_file import RefusedFile, read_regular
from ..rtdb.reals import real_value
from .blocks import BLOCKS
from .errors import AlreadyNoted, DeckError, Place, UnfinishedBlock

#: NWChem's longest line, whether it is one or joined, and longest field.
MAX_LINE, MAX_FIELD = 1024, 255
#: Of 255 bytes that a file's name may have, 24 may be a tag's, and others an end's and a half-written file's.
LONGEST_NAME = 150
MAX_INCLUDES = 10
#: Bytes and lines of a deck with all that it includes, and bytes of another text that it names.
MAX_INPUT, MAX_LINES, MAX_TEXT = 2**24, 10**6, 2**26

#: Names and tags that stand for themselves in NWChem's input: printable, and without `"`, `#`, `;`, `\\`.
_NAME = re.compile(r"[ !$-:<-\[\]-~]+")
_TAG = re.compile(r"[!$-:<-\[\]-~]+")
#: What starts a line of NWChem's geometry block that is no centre.
_NO_TAGS = (
    *("end", "file", "load", "source", "symmetry", "system", "carfile", "zcoord"),
    *("zmt", "zmat", "zmatr", "zmatri", "zmatrix"),
)
_FIELD = re.compile(r'"(?P<quoted>(?:\\"|[^"\\]|\\(?!"))*)"|(?P<open>")|(?P<plain>[^ \t]+)')
_BLANKS = " \t"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class Quoted(str):
    """A field that stood in quotes; NWChem takes none for a number."""

    __slots__ = ()


def real(text: str) -> float | None:
    """Value of a real as NWChem computes it (see `real_value`), None where the field is no real."""
    return None if isinstance(text, Quoted) or len(text) > MAX_FIELD else real_value(text)


def integer(text: str) -> int | None:
    """Value of an integer field, None where the text is none."""
    if isinstance(text, Quoted) or re.fullmatch(r"[+-]?[0-9]{1,18}", text) is None:
        return None
    return int(text)


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

    def take_output(self, what: str) -> str:
        """Consume the path of a file that will be written: hours later is too late to find out."""
        path = self.take(what)
        name = path.rpartition("/")[2]
        if name in ("", ".", "..") or not path.isprintable():
            self.fail(f"{what} {path[:30]!r} is no file name")
        if len(os.fsencode(name)) > LONGEST_NAME:
            self.fail(f"{what} {name[:30]!r}... is longer than {LONGEST_NAME} bytes")
        return path

    def checked_name(self, name: str, what: str, longest: int = 255) -> str:
        """A name without the blanks around it; fails as `take_name` does."""
        name = name.rstrip(_BLANKS)
        if name.startswith(tuple(_BLANKS)):
            self.fail(f"{what} {name!r} begins with a blank, which NWChem takes for a part of it")
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

    def take_within(self, what: str, low: float, high: float) -> float:
        """Consume a real that must lie between two others."""
        value = self.take_real(what)
        if not low <= value <= high:
            self.fail(f"{what} must lie between {low:g} and {high:g}, not {value:g}")
        return value

    def rest(self) -> tuple[str, ...]:
        """Consume and return all fields that are left."""
        words = self.words[self.cursor :]
        self.cursor = len(self.words)
        return words

    def finish(self) -> None:
        """Fail if fields are left over."""
        if self.cursor < len(self.words):
            self.fail(f"{self.words[0]}: unexpected {self.words[self.cursor]!r}")


class LineReader:
    """Logical lines of a deck, one after another; `block` reads up to the `end` that closes a block.

    Who asks for the next line of a block has taken every field of the one before: one that is left over is
    refused, also behind `end`, where NWChem passes over it in silence.
    end: place of the last line. taken: lines handed out so far. refusals: noted so far.
    notices: for the user, of lines that change nothing here.
    """

    def __init__(self, lines: Iterable[Line], end: Place) -> None:
        self.taken: list[Line] = []
        self.refusals: list[DeckError] = []
        self.notices: list[tuple[Place, str]] = []
        self._opened = self._closed = 0
        self._lines: Iterator[Line] = self._noting(lines)
        self.end = end

    def _noting(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            self.taken.append(line)
            yield line

    def __iter__(self) -> Iterator[Line]:
        return self._lines

    def block(self, opening: Line, closing: tuple[str, ...] = ("end",)) -> Iterator[Line]:
        """Lines of the block that `opening` starts, without the closing one.

        Raises UnfinishedBlock if it never closes, AlreadyNoted where lines of it were refused under `noting`.
        """
        self._opened += 1
        noted = len(self.refusals)
        for line in self._lines:
            if line.keyword in closing:
                self._closed += 1
                line.finish()
                if len(self.refusals) > noted:
                    raise AlreadyNoted(opening.place, f"lines of {opening.words[0]} are refused")
                return
            if line.keyword == "task":  # no block has such a line
                break
            before = len(self.refusals)
            yield line
            if len(self.refusals) == before:
                line.finish()
        raise UnfinishedBlock(opening.place, f"{opening.words[0]} block has no end")

    @contextmanager
    def noting(self, row: Line) -> Iterator[None]:
        """Note a refusal that `row` meets, and go on behind it and the block that it opens, if it does.

        Whoever reads the outermost lines raises what was noted.
        """
        opened, unclosed = self._opened, self._opened - self._closed
        try:
            yield
        except UnfinishedBlock:
            raise
        except DeckError as error:
            if not isinstance(error, AlreadyNoted):
                self.refusals.append(error)
            if self._opened == opened and row.keyword in BLOCKS:
                # Of a block that is refused anyway it does not matter that it never ends.
                with suppress(UnfinishedBlock):
                    self.pass_over_block(row)
            while self._opened - self._closed > unclosed:
                self._to_end(row, ())
                self._closed += 1

    def notice(self, row: Line, text: str) -> None:
        """Tell the user of a line that he may expect more of."""
        self.notices.append((row.place, text))

    def pass_over_block(self, opening: Line) -> None:
        """Go behind the `end` of the block that `opening` starts. Raises UnfinishedBlock."""
        self._to_end(opening, BLOCKS.get(opening.keyword, ()))

    def _to_end(self, opening: Line, inner: tuple[str, ...]) -> None:
        depth = 1
        for line in self._lines:
            depth += (line.keyword in inner) - (line.keyword == "end")
            if depth == 0:
                return
            if line.keyword == "task":
                break
        raise UnfinishedBlock(opening.place, f"{opening.words[0]} block has no end")


def read_lines(path: Path) -> LineReader:
    """Reader over the logical lines of a deck and of the files that it includes.

    Raises DeckError for a file that cannot be read, is too large or is not text, for unbalanced quotes,
    overlong lines, joined ones too, and includes nested deeper than NWChem's ten.
    """
    reading = _Reading()
    last = _append_file(path, Place(str(path), 1), reading, 0)
    return LineReader(reading.lines, last)


def lines_of(texts: Sequence[str], source: Path) -> LineReader:
    """Reader over lines that a program has written; `source` names their file in messages."""
    lines: list[Line] = []
    for number, text in enumerate(texts, start=1):
        _append_logical(text, Place(str(source), number), lines)
    return LineReader(lines, Place(str(source), max(len(texts), 1)))


def text_of(line: Line) -> str:
    """A logical line as it may stand in a deck."""
    words = (re.sub(r'([#;"])', r"\\\1", word) for word in line.words)
    return " ".join(
        f'"{word}"' if isinstance(of, Quoted) else word for word, of in zip(words, line.words, strict=True)
    )


def read_text(path: Path, place: Place, what: str, most: int = MAX_TEXT) -> str:
    """Text of a file named in a deck; DeckError at `place` if it cannot be read or is not text.

    most: bytes; a larger file is not read.
    """
    try:
        data = read_regular(path, most)
    except FileNotFoundError:
        raise DeckError(place, f"{what} not found: {path}") from None
    except RefusedFile as error:
        raise DeckError(place, f"{what} is {error.strerror}: {path}") from None
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


@dataclass
class _Reading:
    """What has been read of a deck and its includes; left, lines_left: bytes and lines still allowed."""

    lines: list[Line] = field(default_factory=list)
    left: int = MAX_INPUT
    lines_left: int = MAX_LINES


def _append_file(path: Path, opened_at: Place, reading: _Reading, depth: int) -> Place:
    """Append the logical lines of a file; returns the place of its last line."""
    text = read_text(path, opened_at, "input file", reading.left)
    reading.left -= len(text)
    physical = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    reading.lines_left -= len(physical)
    if reading.lines_left < 0:
        raise DeckError(opened_at, f"the deck and what it includes have more than {MAX_LINES} lines")
    place, joined = Place(str(path), 1), ""
    for number, more in enumerate(physical, start=1):
        if not joined:
            place = Place(str(path), number)
        line = (joined + more).rstrip(_BLANKS)
        if len(line) > MAX_LINE:
            raise DeckError(place, f"line is longer than {MAX_LINE} characters, with those joined to it")
        if line in (".", "*") or line.lower() == "eof":
            return place
        joined = ""
        if line[:7].lower() == "include":
            _include(line, place, reading, depth)
        elif line.endswith("\\"):
            joined = line[:-1] + " " if line[:-1].strip(_BLANKS) else ""
        else:
            _append_logical(line, place, reading.lines)
    if joined:
        raise DeckError(place, "the file ends in a line that a backslash joins to the next")
    return place


def _include(line: str, place: Place, reading: _Reading, depth: int) -> None:
    """NWChem takes all that stands behind `include` and one blank for the name, quotes and `;` as well."""
    name = line[8:]
    if line[7:8] not in tuple(_BLANKS) or not name or re.search(r'[\s;#"\\]', name):
        raise DeckError(place, "include takes one file name, behind one blank, without quotes or a comment")
    if depth == MAX_INCLUDES:
        raise DeckError(place, f"include files are nested deeper than {MAX_INCLUDES}")
    _append_file(Path(name), place, reading, depth + 1)


def _append_logical(line: str, place: Place, lines: list[Line]) -> None:
    """The logical lines of a physical one."""
    comment = re.search(r"(?<!\\)#", line)
    bare = line[: comment.start()] if comment else line
    if not bare.strip(_BLANKS):
        return
    if control := _CONTROL.search(bare):
        raise DeckError(place, f"control character {control[0]!r}")
    parts = re.split(r"(?<!\\);", bare.replace("\\#", "#"))
    if len(parts) > 1 and not parts[-1].strip(_BLANKS):
        parts.pop()
    for part in parts:
        words = _fields(part.replace("\\;", ";"), place)
        if not words:
            raise DeckError(place, "nothing stands before a semicolon")
        lines.append(Line(place, words))


def _fields(text: str, place: Place) -> tuple[str, ...]:
    """Fields of one logical line; a quoted one ends at its quote, and one in the midst of a field is none."""
    words: list[str] = []
    for match in _FIELD.finditer(text):
        if match["open"]:
            raise DeckError(place, 'unbalanced quote (")')
        word = match["plain"] or Quoted((match["quoted"] or "").replace('\\"', '"'))
        if len(word) > MAX_FIELD:
            raise DeckError(place, f"a word is longer than {MAX_FIELD} characters")
        if not word.isascii() and any(c.lower().isascii() for c in word if not c.isascii()):
            raise DeckError(place, f"{word!r} has a character that looks like a letter and is none")
        words.append(word)
    return tuple(words)
