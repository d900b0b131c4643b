"""The `geometry` block: Cartesian, Z-matrix and loaded xyz coordinates to nuclei in bohr."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..system import Geometry
from ..system.elements import SYMBOLS, element_of_tag
from ..system.geometry import ANGSTROM_PER_BOHR
from .errors import Place
from .lines import Line, LineReader, integer, read_text, real, suggestion
from .zmatrix import zmatrix_positions

#: First letters of NWChem's `units` words, and how many bohr one unit is.
_UNITS = {
    "au": 1.0,
    "at": 1.0,
    "bo": 1.0,
    "an": 1.0 / ANGSTROM_PER_BOHR,
    "nm": 10.0 / ANGSTROM_PER_BOHR,
    "na": 10.0 / ANGSTROM_PER_BOHR,
    "pm": 0.01 / ANGSTROM_PER_BOHR,
    "pi": 0.01 / ANGSTROM_PER_BOHR,
}
_ZMATRIX = ("zmatrix", "zmatri", "zmatr", "zmat", "zmt")
_MAX_COORDINATE = 1e5
#: NWChem's `nw_max_atom`.
_MAX_CENTERS = 3000
#: Ends a word where Fortran reads one, as NWChem does in xyz files.
_SEPARATOR = re.compile(r"[,/*'\"]")


@dataclass(frozen=True)
class GeometryOptions:
    """What the `geometry` line itself asks for. scale: bohr per unit of length."""

    name: str
    scale: float
    center: bool
    autosym: bool


@dataclass(frozen=True, eq=False)
class NamedGeometry:
    """A geometry with the place of its block and what the reader wants to tell about it."""

    place: Place
    geometry: Geometry
    notices: tuple[str, ...]


@dataclass
class _Centers:
    """Centres read so far; positions in units of the block."""

    tags: list[str]
    positions: list[np.ndarray]


def read_geometry(line: Line, reader: LineReader) -> NamedGeometry:
    """Read the block that `line` opens.

    Coordinates end up where NWChem puts them: scaled to bohr and, without `nocenter`, shifted so that the
    centre of nuclear charge is the origin. NWChem also turns a molecule into its principal axes unless
    `noautosym` or `symmetry c1` is given; that turn is not made, and a notice says so.
    """
    options = _options(line)
    centers = _Centers([], [])
    symmetry_given = False
    for row in reader.block(line):
        if row.keyword == "symmetry":
            _refuse_symmetry(row)
            symmetry_given = True
        elif row.keyword == "system":
            _skip_molecule(row, reader)
        elif row.keyword == "zcoord":
            _skip_internal_coordinates(row, reader)
        elif row.keyword in _ZMATRIX:
            if centers.tags:
                row.fail("zmatrix must be the only coordinates of its geometry")
            tags, positions = zmatrix_positions(row, reader)
            centers.tags.extend(tags)
            centers.positions.extend(positions)
        elif row.keyword == "load":
            _load(row, centers, options)
        else:
            _append_center(row, centers)
    return _finish(line, options, centers, symmetry_given)


def _options(line: Line) -> GeometryOptions:
    name, scale, center, autosym = "", 1.0 / ANGSTROM_PER_BOHR, True, True
    conversion: float | None = None
    units = "an"
    while (word := line.next()) is not None:
        key = word.lower()
        if key == "units":
            text = line.take("name of the units")
            units = text.lower()[:2]
            if units not in _UNITS:
                line.fail(
                    f"unknown units {text!r}; accepted: angstroms au bohr atomic nm nanometer pm picometer"
                )
        elif key in ("angstrom_to_au", "ang2au"):
            conversion = line.take_real(key)
        elif key in ("au_to_angstrom", "au2ang"):
            value = line.take_real(key)
            conversion = 1.0 / value if value else 0.0
        elif key in ("center", "nocenter"):
            center = key == "center"
        elif key == "autosym":
            autosym = True
            line.maybe_real()
        elif key == "noautosym":
            autosym = False
        elif key in ("autoz", "noautoz", "noprint"):
            pass  # internal coordinates and printing: nothing that a propagation sees
        elif key == "print":
            if (line.peek() or "").lower() == "xyz":
                line.next()
        elif key in ("nucleus", "nucl", "nuc"):
            if line.take("nuclear model").lower() not in ("point", "pt"):
                line.fail("finite nuclei are not carried out; accepted: nucleus point")
        elif key in ("adjust", "bqbq"):
            line.fail(f"geometry {key} is not carried out")
        elif name:
            line.fail(f"geometry has two names, {name!r} and {word!r}")
        else:
            name = line.checked_name(word, "name of the geometry")
    scale = _UNITS[units]
    if conversion is not None:
        if not conversion > 0.0:
            line.fail("the length conversion must be positive")
        if units not in ("au", "at", "bo"):
            scale *= conversion * ANGSTROM_PER_BOHR
    return GeometryOptions(name or "geometry", scale, center, autosym)


def _refuse_symmetry(row: Line) -> None:
    """RT-TDDFT runs in C1 only: NWChem stops at any other group. `symmetry c1` (or group 1) passes."""
    group = "c1"
    while (word := row.next()) is not None:
        key = word.lower()
        if key in ("setting", "tol"):
            row.take_real(key)
        elif key not in ("group", "print"):
            group = key
    if group not in ("c1", "1"):
        row.fail(f"symmetry {group}: RT-TDDFT works without symmetry only; write all atoms and symmetry c1")


def _skip_molecule(row: Line, reader: LineReader) -> None:
    kind = row.take("kind of system").lower()
    if kind != "molecule":
        row.fail(f"system {kind} is not carried out; only molecules are")
    for _ in reader.block(row):
        pass  # lattice parameters, which a molecule has none of


def _skip_internal_coordinates(row: Line, reader: LineReader) -> None:
    for _ in reader.block(row, ("zend", "end")):
        pass  # internal coordinates serve optimisations only


def _append_center(row: Line, centers: _Centers) -> None:
    tag = row.words[0]
    number = element_of_tag(tag)
    if number is None:
        row.fail(f"unknown element {tag!r} in geometry{suggestion(tag, SYMBOLS[1:])}")
    position = np.array([row.take_real(f"coordinate {axis} of {tag}") for axis in "xyz"])
    while (value := row.maybe_real()) is not None:
        if value != 0.0:
            row.fail(f"{tag}: initial velocities are not carried out; the nuclei are fixed")
    while (word := row.next()) is not None:
        key = word.lower()
        if key == "mass":
            row.fail(f"{tag}: mass apart from the element's is not carried out")
        elif key == "charge":
            if row.take_real("charge") != number:
                row.fail(f"{tag}: a nuclear charge apart from the element's ({number}) is not carried out")
        elif key in ("nucleus", "nucl", "nuc"):
            if row.take("nuclear model").lower() not in ("point", "pt"):
                row.fail("finite nuclei are not carried out; accepted: nucleus point")
        else:
            row.fail(f"{tag}: unexpected {word!r}; accepted: <tag> <x> <y> <z> [charge q] [nucleus point]")
    _add(row, centers, tag, position)


def _load(row: Line, centers: _Centers, options: GeometryOptions) -> None:
    """`load [format xyz] [frame n] [units u] <file>`: NWChem reads xyz files in Angstrom."""
    frame, name, kind = 1, "", ""
    while (word := row.next()) is not None:
        key = word.lower()
        if key == "format":
            kind = row.take("format")
            if kind != "xyz":
                row.fail(f"load format {kind} is not carried out; accepted: xyz")
        elif key == "frame":
            frame = row.take_integer("frame")
            if frame < 1:
                row.fail(f"frames are counted from 1, not {frame}")
        elif key in ("select", "units"):
            row.fail(f"load {key} is not carried out")
        elif name:
            row.fail(f"load: unexpected {word!r}")
        else:
            name = word
    if not name:
        row.fail("load: file name is missing")
    if not (kind or name.endswith(".xyz")):
        row.fail("load: NWChem takes a file for xyz by its name's end .xyz, or after format xyz")
    text = read_text(Path(name), row.place, "xyz file").replace("\r\n", "\n").split("\n")
    start = 0
    count = 0
    for k in range(frame):
        head = text[start].split() if start < len(text) else []
        count = integer(head[0]) if len(head) == 1 else None
        if count is None or count < 1:
            row.fail(f"{name}:{start + 1}: frame {k + 1} should start with the number of atoms")
        if k < frame - 1:
            start += count + 2
    angstrom = 1.0 / ANGSTROM_PER_BOHR / options.scale
    for number in range(start + 2, start + 2 + count):
        fields = text[number].split() if number < len(text) else []
        values = [real(field) for field in fields[1:4]]
        if len(values) != 3 or None in values:
            row.fail(f"{name}:{number + 1}: expected <element> <x> <y> <z>")
        if element_of_tag(fields[0]) is None or _SEPARATOR.search(fields[0]):
            row.fail(f"{name}:{number + 1}: no element is named so")
        _add(row, centers, fields[0], np.array(values, dtype=float) * angstrom)


def _add(row: Line, centers: _Centers, tag: str, position: np.ndarray) -> None:
    row.check_tag(tag)
    if len(centers.tags) == _MAX_CENTERS:
        row.fail(f"more than {_MAX_CENTERS} centres")
    if not np.all(np.abs(position) < _MAX_COORDINATE):
        row.fail(f"{tag}: coordinates are out of range")
    centers.tags.append(tag)
    centers.positions.append(position)


def _finish(line: Line, options: GeometryOptions, centers: _Centers, symmetry_given: bool) -> NamedGeometry:
    if not centers.tags:
        line.fail(f"geometry {options.name!r} has no atoms")
    numbers = np.array([element_of_tag(tag) or 0 for tag in centers.tags])
    positions = np.array(centers.positions) * options.scale
    charges = numbers.astype(float)
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    near = np.argwhere(np.triu(distances < 1e-3, 1))
    if len(near):
        i, j = near[0]
        line.fail(f"geometry {options.name!r}: atoms {i + 1} and {j + 1} are at the same position")
    if options.center and charges.sum() > 0.0:
        positions = positions - charges @ positions / charges.sum()
    notices = ()
    if options.autosym and not symmetry_given and len(numbers) > 1:
        notices = (
            f"{line.place}: geometry {options.name!r} lacks noautosym: NWChem would turn it to its principal "
            "axes, or stop at RT-TDDFT if it has symmetry; x, y, z stay here as they are written",
        )
    geometry = Geometry(options.name, tuple(centers.tags), numbers, charges, positions)
    return NamedGeometry(line.place, geometry, notices)
