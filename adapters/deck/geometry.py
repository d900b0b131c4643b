"""The `geometry` block: Cartesian, Z-matrix and loaded xyz coordinates to nuclei in bohr."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..free_format.errors import Place
from ..free_format.lines import Line, LineReader, integer, read_text, real, suggestion
from ..system import Geometry
from ..system.elements import SYMBOLS, element_of_tag
from ..system.geometry import ANGSTROM_PER_BOHR
from .zmatrix import zmatrix_positions

#: NWChem's `units`, of which it looks at two letters, and how many bohr one is.
_UNITS = {
    **dict.fromkeys(("angstroms", "angstrom", "ang", "an"), 1.0 / ANGSTROM_PER_BOHR),
    **dict.fromkeys(("au", "atomic", "at", "bohr", "bo"), 1.0),
    **dict.fromkeys(("nm", "nanometers", "nanometer", "na"), 10.0 / ANGSTROM_PER_BOHR),
    **dict.fromkeys(("pm", "picometers", "picometer", "pi"), 0.01 / ANGSTROM_PER_BOHR),
}
_ZMATRIX = ("zmatrix", "zmatri", "zmatr", "zmat", "zmt")
_MAX_COORDINATE = 1e5
#: NWChem's least distance of two centres, bohr (`geom_verify_coords`).
_LEAST_DISTANCE = 0.5
#: Kinds of internal coordinates, and how many atoms one takes.
_COORDINATES = {"bond": 2, "angle": 3, "torsion": 4}
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
    units = "angstroms"
    while (word := line.next()) is not None:
        key = word.lower()
        if key == "units":
            text = line.take("name of the units")
            units = text.lower()
            if units not in _UNITS:
                line.fail(f"unknown units {text!r}; accepted: {' '.join(_UNITS)}")
        elif key in ("angstrom_to_au", "ang2au", "au_to_angstrom", "au2ang"):
            if conversion is not None:
                line.fail("a second conversion of lengths")
            value = line.take_within(key, 1e-3, 1e3)
            conversion = value if key in ("angstrom_to_au", "ang2au") else 1.0 / value
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
    if conversion is not None and scale != 1.0:
        scale *= conversion * ANGSTROM_PER_BOHR
    return GeometryOptions(name or "geometry", scale, center, autosym)


def _refuse_symmetry(row: Line) -> None:
    """RT-TDDFT runs in C1 only: NWChem stops at any other group. `symmetry c1` (or group 1) passes."""
    while (word := row.next()) is not None:
        key = word.lower()
        if key == "setting":
            row.take_integer(key)
        elif key == "tol":
            row.maybe_real()
        elif key not in ("group", "print", "primitive", "conventional", "c1", "1"):
            row.fail(f"symmetry {key}: RT-TDDFT works without symmetry only; write all atoms and symmetry c1")


def _skip_molecule(row: Line, reader: LineReader) -> None:
    kind = row.take("kind of system").lower()
    if kind != "molecule":
        row.fail(f"system {kind} is not carried out; only molecules are")
    for line in reader.block(row):
        # A molecule has no lattice: what its parameters are is of no effect.
        line.cursor = 0
        while (word := line.next()) is not None:
            if word.lower() not in ("lat_a", "lat_b", "lat_c", "alpha", "beta", "gamma"):
                line.fail(f"unexpected {word!r}; accepted: lat_a lat_b lat_c alpha beta gamma")
            line.take_real(word)


def _skip_internal_coordinates(row: Line, reader: LineReader) -> None:
    """Internal coordinates serve optimisations, save those with a value, which move NWChem's atoms."""
    for line in reader.block(row, ("zend", "end")):
        if line.keyword not in _COORDINATES:
            line.fail(f"zcoord: unexpected {line.words[0]!r}; accepted: {' '.join(_COORDINATES)}")
        for _ in range(_COORDINATES[line.keyword]):
            line.take_integer("number of an atom")
        if line.peek() is not None:
            line.fail("zcoord: values and names of coordinates are not carried out; write the atoms there")


def _append_center(row: Line, centers: _Centers) -> None:
    tag = row.words[0]
    number = element_of_tag(tag)
    if number is None:
        row.fail(f"unknown element {tag!r} in geometry{suggestion(tag, SYMBOLS[1:])}")
    position = np.array([row.take_real(f"coordinate {axis} of {tag}") for axis in "xyz"])
    if row.peek() is not None and real(row.peek() or "") is not None:
        velocity = [row.take_real(f"velocity along {axis} of {tag}") for axis in "xyz"]
        if any(velocity):
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
    near = np.argwhere(np.triu(distances <= _LEAST_DISTANCE, 1))
    if len(near):
        i, j = near[0]
        found = f"atoms {i + 1} and {j + 1} are {distances[i, j]:.3g} bohr apart"
        line.fail(f"geometry {options.name!r}: {found}; NWChem wants more than {_LEAST_DISTANCE}")
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
