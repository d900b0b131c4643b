"""The `basis` and `ecp` blocks, and how their entries meet the tags of a geometry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..free_format.errors import DeckError, Place
from ..free_format.lines import Line, LineReader, real, suggestion
from ..system import Geometry, Shells
from ..system.basis_library import library_ecp, library_has, library_key, library_names, library_shells
from ..system.elements import SYMBOLS, element_of_tag, names_of_element

_MOMENTA = {letter: momentum for momentum, letter in enumerate("spdfghi")}
#: NWChem's most primitives of a shell, and columns of coefficients; and what no function lies outside of.
_MOST_PRIMITIVES, _MOST_COLUMNS = 40, 30
_LEAST_EXPONENT, _MOST_EXPONENT, _MOST_COEFFICIENT = 1e-8, 1e12, 1e10
_MOST_POWER = 4
_SP = ("sp", "l")


@dataclass(frozen=True)
class LibraryEntry:
    """`<tag> library [<tag in library>] <set> [file <path>]`; `tag` is `*` for all tags but `excepted`.

    file: of NWChem's library format, or a folder of such; None: the libraries.
    """

    place: Place
    tag: str
    set_name: str
    element: int | None
    excepted: tuple[str, ...] = ()
    file: Path | None = None


@dataclass(frozen=True, eq=False)
class ShellEntry:
    """One explicit shell of a tag; `SP` stands for two."""

    tag: str
    shells: Shells


@dataclass(frozen=True, eq=False)
class BasisInput:
    """A `basis` or `ecp` block as read. Entries are matched to tags when a task needs them.

    entries: in the order of the deck.
    potentials: explicit ECPs by tag, in PySCF's format.
    tags_at: where each tag stands first.
    """

    place: Place
    name: str
    spherical: bool
    entries: tuple[LibraryEntry | ShellEntry, ...]
    potentials: dict[str, Any]
    tags_at: dict[str, Place]


def read_basis(line: Line, reader: LineReader) -> BasisInput:
    """Read the `basis` block that `line` opens."""
    name, spherical = _options(line, "ao basis")
    entries: list[LibraryEntry | ShellEntry] = []
    tags_at: dict[str, Place] = {}
    columns: _Columns | None = None
    for row in reader.block(line):
        with reader.noting(row):
            if real(row.words[0]) is not None:
                if columns is not None:
                    columns.append(row)
                elif reader.refusals:
                    row.rest()  # of a shell that is refused
                else:
                    row.fail("exponents must follow a line <tag> <shell type>, such as O S")
                continue
            if columns is not None:
                columns.close()
                columns = None
            kind = row.take("shell type or library").lower()
            tags_at.setdefault(row.words[0], row.place)
            if kind == "library":
                entries.append(_library_entry(row))
            elif kind in _MOMENTA or kind in _SP:
                _check_tag(row)
                if (row.peek() or "").lower() == "rel":
                    row.fail("relativistic shells are not carried out")
                shell = ShellEntry(row.words[0], [])
                entries.append(shell)
                columns = _Columns(row, shell.shells, (0, 1) if kind in _SP else (_MOMENTA[kind],))
            elif kind in ("file", "nelec"):
                row.fail(f"basis: unexpected {kind}")
            else:
                row.fail(f"unknown shell type {kind!r}; accepted: {' '.join(_MOMENTA)} sp library")
    if columns is not None:
        columns.close()
    return BasisInput(line.place, name, spherical, tuple(entries), {}, tags_at)


def read_ecp(line: Line, reader: LineReader) -> BasisInput:
    """Read the `ecp` block that `line` opens."""
    name, spherical = _options(line, "ecp basis")
    library: list[LibraryEntry] = []
    potentials: dict[str, Any] = {}
    tags_at: dict[str, Place] = {}
    terms: list[list[list[float]]] | None = None
    for row in reader.block(line):
        if real(row.words[0]) is not None:
            if terms is None:
                row.fail("ecp terms must follow a line <tag> <channel>, such as Au ul")
            _append_term(row, terms)
            continue
        kind = row.take("channel, nelec or library").lower()
        tag = row.words[0]
        tags_at.setdefault(tag, row.place)
        if kind == "library":
            library.append(_library_entry(row))
            terms = None
            continue
        _check_tag(row)
        potential = potentials.setdefault(tag, [0, []])
        if kind == "nelec":
            potential[0] = row.take_integer("number of core electrons")
            if not 0 <= potential[0] <= (element_of_tag(tag) or 0):
                row.fail(f"ecp: {tag} cannot lose {potential[0]} electrons")
        elif kind == "ul" or kind in _MOMENTA:
            if row.peek() is not None:
                row.fail("spin-polarised ECPs are not carried out")
            terms = [[] for _ in range(7)]
            potential[1].append([-1 if kind == "ul" else _MOMENTA[kind], terms])
        else:
            row.fail(f"unknown ecp channel {kind!r}; accepted: ul {' '.join(_MOMENTA)} nelec library")
    return BasisInput(line.place, name, spherical, tuple(library), potentials, tags_at)


@dataclass
class _Columns:
    """Primitives of the shell being read; each column becomes a shell (SP: one s, one p)."""

    opening: Line
    target: Shells
    momenta: tuple[int, ...]
    rows: list[list[float]] | None = None

    def append(self, row: Line) -> None:
        row.cursor = 0
        tag = self.opening.words[0]
        values = [row.take_within(f"{tag}: exponent", _LEAST_EXPONENT, _MOST_EXPONENT)]
        while row.peek() is not None:
            values.append(row.take_within(f"{tag}: coefficient", -_MOST_COEFFICIENT, _MOST_COEFFICIENT))
        if not 2 <= len(values) <= _MOST_COLUMNS + 1:
            row.fail(f"{tag}: an exponent needs its coefficient, and at most {_MOST_COLUMNS}")
        if len(self.momenta) == 2 and len(values) != 3:
            row.fail(f"{tag}: an SP shell needs an exponent and two coefficients a line")
        self.rows = self.rows or []
        if self.rows and len(self.rows[0]) != len(values):
            row.fail(f"{tag}: lines of one shell differ in length")
        if len(self.rows) == _MOST_PRIMITIVES:
            row.fail(f"{tag}: more than {_MOST_PRIMITIVES} primitives in a shell")
        self.rows.append(values)

    def close(self) -> None:
        if not self.rows:
            self.opening.fail(f"shell of {self.opening.words[0]} has no exponents")
        for k in range(1, len(self.rows[0])):
            momentum = self.momenta[k - 1] if len(self.momenta) == 2 else self.momenta[0]
            primitives = [[row[0], row[k]] for row in self.rows if row[k] != 0.0]
            if not primitives:
                self.opening.fail(f"shell of {self.opening.words[0]} has only zero coefficients")
            self.target.append([momentum, *primitives])


def _append_term(row: Line, terms: list[list[list[float]]]) -> None:
    row.cursor = 0
    power = row.take_within("ecp: the power of r", 0.0, _MOST_POWER)
    exponent = row.take_within("ecp: exponent", _LEAST_EXPONENT, _MOST_EXPONENT)
    coefficient = row.take_within("ecp: coefficient", -_MOST_COEFFICIENT, _MOST_COEFFICIENT)
    if power != int(power):
        row.fail(f"ecp: the power of r must be an integer from 0 to {_MOST_POWER}")
    terms[int(power)].append([exponent, coefficient])


def _options(line: Line, name: str) -> tuple[str, bool]:
    spherical = False
    while (word := line.next()) is not None:
        key = word.lower()
        if key in ("spherical", "cartesian"):
            spherical = key == "spherical"
        elif key in ("segment", "print", "noprint"):
            pass  # printing; segmentation is how the shells are stored anyway
        elif key in ("nosegment", "rel", "bse", "file", "library", "ecpset", "soset", "version"):
            line.fail(f"{line.words[0]} option {word!r} is not carried out")
        elif line.cursor == 2:
            name = line.checked_name(word, "name of the basis")
        else:
            line.fail(
                f"{line.words[0]}: unexpected {word!r}; accepted: [name] spherical cartesian segment noprint"
            )
    return name, spherical


def _check_tag(row: Line) -> None:
    tag = row.words[0]
    row.check_tag(tag)
    if "*" in tag:
        row.fail("explicit shells need a tag, not *")
    if element_of_tag(tag) is None:
        row.fail(f"unknown element {tag!r}{suggestion(tag, SYMBOLS[1:])}")


def _library_entry(row: Line) -> LibraryEntry:
    """`tag library [element] set [except tag ...]`."""
    tag = row.words[0]
    row.check_tag(tag)
    if "*" in tag[1:]:
        row.fail(f"{tag!r}: patterns of tags are not carried out; accepted: * and tags")
    if tag != "*" and element_of_tag(tag) is None:
        row.fail(f"unknown element {tag!r}{suggestion(tag, SYMBOLS[1:])}")
    words: list[str] = []
    excepted: list[str] = []
    file: Path | None = None
    while (word := row.next()) is not None:
        if word.lower() == "except":
            if tag != "*":
                row.fail("except stands behind * only")
            while (other := row.next()) is not None:
                excepted.append(other)
        elif word.lower() == "file":
            file = Path(row.take("file of the library"))
        elif word.lower() == "rel":
            row.fail(f"basis library option {word!r} is not carried out")
        else:
            words.append(word)
    element: int | None = None
    if len(words) == 2 and tag != "*":
        element = element_of_tag(words[0])
        if element is None:
            row.fail(f"unknown element {words[0]!r}")
        words = words[1:]
    if len(words) != 1:
        row.fail('library takes one set name (in quotes if it has blanks), such as: * library "6-31G*"')
    if not library_has(words[0], file):
        if file is not None:
            row.fail(f"library {words[0]}: {file} is no file, nor a folder that has it")
        row.fail(f"unknown basis library {words[0]!r}{suggestion(library_key(words[0]), library_names())}")
    return LibraryEntry(row.place, tag, words[0], element, tuple(excepted), file)


def shells_of(basis: BasisInput, geometry: Geometry) -> dict[str, Shells]:
    """Shells by tag of a geometry. Raises DeckError where an atom has none."""
    found: dict[str, Shells] = {}
    for tag, number in _tags(geometry):
        shells: Shells = []
        for entry in _entries(basis, tag, number):
            if isinstance(entry, ShellEntry):
                shells += entry.shells
                continue
            element = _library_element(entry, tag, number)
            more = _shells_in_library(entry, element) if element else None
            if more is None and (entry.tag != "*" or number):
                raise DeckError(
                    entry.place, f"basis library {entry.set_name} has no {SYMBOLS[element or 0]} (tag {tag})"
                )
            shells += more or []
        if not shells and number:
            raise DeckError(basis.place, f"basis {basis.name!r} has no functions for {tag}")
        found[tag] = shells
    if not any(found.values()):
        raise DeckError(basis.place, f"basis {basis.name!r} has no functions")
    return found


def _shells_in_library(entry: LibraryEntry, element: int) -> Shells | None:
    try:
        return library_shells(entry.set_name, element, entry.file)
    except (OSError, ValueError, LookupError) as error:
        raise DeckError(entry.place, f"library {entry.set_name} cannot be read: {error}") from None


def potentials_of(ecp: BasisInput, geometry: Geometry) -> dict[str, Any]:
    """Effective core potentials by tag, only for tags that have one. Raises DeckError for two of one tag."""
    found: dict[str, Any] = {}
    for tag, number in _tags(geometry):
        if not number:
            continue
        key = _matching(tag, number, _own_tags(ecp))
        if key is not None and key in ecp.potentials:
            found[tag] = ecp.potentials[key]
        for entry in ecp.entries:
            if not isinstance(entry, LibraryEntry) or entry.tag not in ("*", key) or tag in entry.excepted:
                continue
            potential = library_ecp(entry.set_name, _library_element(entry, tag, number) or 0, entry.file)
            if potential is None:
                if entry.tag != "*":
                    raise DeckError(entry.place, f"library {entry.set_name} has no ECP for {tag}")
                continue
            if tag in found:
                raise DeckError(ecp.tags_at[key or "*"], f"two potentials for {tag}, which NWChem adds up")
            found[tag] = potential
    return found


def check_tags(basis: BasisInput, geometries: Sequence[Geometry]) -> None:
    """Raise DeckError for a tag that no centre of any geometry takes anything from."""
    own = _own_tags(basis)
    used = {_matching(tag, number, own) for geometry in geometries for tag, number in _tags(geometry)}
    for tag in own:
        if tag not in used:
            raise DeckError(basis.tags_at[tag], f"basis {basis.name!r}: no centre takes anything from {tag}")


def _own_tags(basis: BasisInput) -> list[str]:
    """Tags of the block but `*`, in order."""
    return [tag for tag in basis.tags_at if tag != "*"]


def _tags(geometry: Geometry) -> Iterator[tuple[str, int]]:
    return iter(dict(zip(geometry.tags, (int(z) for z in geometry.atomic_numbers), strict=True)).items())


def _matching(tag: str, number: int, keys: list[str]) -> str | None:
    """Entry that serves a tag: the same text, else the element's symbol or name in any case."""
    if tag in keys:
        return tag
    names = names_of_element(number) if number else ("bq",)
    return next((key for key in keys if key.lower() in names), None)


def _entries(basis: BasisInput, tag: str, number: int) -> list[LibraryEntry | ShellEntry]:
    """Entries that serve a tag, in NWChem's order.

    NWChem writes `*` out for every tag of the geometry but the excepted ones, behind all other entries, and
    adds. A tag takes what stands under its own name, and only where nothing does, its element's entries.
    """
    own = [entry for entry in basis.entries if entry.tag == tag]
    own += [
        entry
        for entry in basis.entries
        if isinstance(entry, LibraryEntry) and entry.tag == "*" and tag not in entry.excepted
    ]
    key = None if own else _matching(tag, number, [entry.tag for entry in basis.entries if entry.tag != "*"])
    return own or [entry for entry in basis.entries if entry.tag == key]


def _library_element(entry: LibraryEntry, tag: str, number: int) -> int | None:
    if entry.element is not None:
        return entry.element
    if number:
        return number
    # `bqH` takes the functions of the element behind its `bq`.
    return element_of_tag(tag[2:]) if tag.lower().startswith("bq") and len(tag) > 2 else None
