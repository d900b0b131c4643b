"""Absorbing potentials of the `rt_tddft` block: `mocap` and `spatialcap`."""

from typing import Any, cast

from ..free_format.errors import DeckError, Place
from ..free_format.lines import Line, LineReader
from ..system import Geometry, MOCap, SpatialCap

_CAP_RANGES = {
    "expconst": (-1e3, 1e3),
    "emin": (-1e6, 1e6),
    "prefac": (-1e6, 1e6),
    "maxval": (0.0, 1e6),
}
_ORBITAL = (*_CAP_RANGES, "on", "off", "checks", "nochecks", "print", "noprint")
_SPATIAL = ("units", "potmax", "nq", "qmin", "qmax", "range", "on", "off")
#: Bohr, as NWChem's rt_tddft converts.
_ANGSTROM = 1.889725989
_UNITS = {
    **dict.fromkeys(("au", "bohr", "bohrs"), 1.0),
    **dict.fromkeys(("angstroms", "angstrom", "ang"), _ANGSTROM),
}
#: Lengths in the deck's units; points along one axis.
_FAR, _MOST = 1e4, 1000


def read_mocap(opening: Line, reader: LineReader) -> MOCap | None:
    """The block that `opening` opens; None where it is `off`, as by default."""
    values: dict[str, Any] = {}
    active = False
    opening.finish()
    for row in reader.block(opening):
        key = row.keyword
        if key in ("expconst", "emin", "prefac", "maxval"):
            values[key] = row.take_within(f"mocap: {key}", *_CAP_RANGES[key])
        elif key in ("on", "off"):
            active = key == "on"
        elif key in ("checks", "nochecks"):
            values["checks"] = key == "checks"
        elif key in ("print", "noprint"):
            values["verbose"] = key == "print"
        else:
            row.fail(f"unknown mocap directive {row.words[0]!r}; accepted: {' '.join(_ORBITAL)}")
        row.finish()
    return MOCap(**values) if active else None


def read_spatial_cap(opening: Line, reader: LineReader) -> SpatialCap | None:
    """The block that `opening` opens; None where it is `off`."""
    found: dict[str, Any] = {"ranges": ()}
    unit, active = None, True
    opening.finish()
    for row in reader.block(opening):
        key = row.keyword
        if key in ("qmin", "qmax", "range") and unit is None:
            row.fail(f"units must stand before {key}")
        if key == "units":
            unit = _unit(row)
        elif key == "potmax":
            found[key] = row.take_within("spatialcap: potmax", 0.0, 1e6)
        elif key == "nq":
            found[key] = tuple(_count(row) for _ in "xyz")
        elif key in ("qmin", "qmax"):
            found[key] = tuple(cast(float, unit) * row.take_within(key, -_FAR, _FAR) for _ in "xyz")
        elif key == "range":
            found["ranges"] = _ranges(row, reader, cast(float, unit))
        elif key in ("on", "off"):
            active = key == "on"
        else:
            row.fail(f"unknown spatialcap directive {row.words[0]!r}; accepted: {' '.join(_SPATIAL)}")
        row.finish()
    for key in ("potmax", "nq", "qmin", "qmax"):
        if key not in found:
            opening.fail(f"spatialcap must supply {key}")
    if any(low >= high for low, high in zip(found["qmin"], found["qmax"], strict=True)):
        opening.fail("spatialcap: qmax must lie above qmin along x, y and z")
    cap = SpatialCap(*(found[key] for key in ("potmax", "nq", "qmin", "qmax", "ranges")))
    return cap if active else None


def check_ranges(cap: SpatialCap, geometry: Geometry, place: Place) -> None:
    """Every atom needs its range. Raises DeckError."""
    known = {tag for tag, _, _ in cap.ranges}
    missing = [tag for tag in dict.fromkeys(geometry.tags) if tag not in known]
    if missing:
        raise DeckError(place, f"spatialcap has no range for {' '.join(missing)}")


def _unit(row: Line) -> float:
    word = row.take("units").lower()
    if word not in _UNITS:
        row.fail(f"unknown units {word!r}; accepted: {' '.join(_UNITS)}")
    return _UNITS[word]


def _count(row: Line) -> int:
    count = row.take_integer("nq")
    if not 1 <= count <= _MOST:
        row.fail(f"nq must lie between 1 and {_MOST}, not {count}")
    return count


def _ranges(opening: Line, reader: LineReader, unit: float) -> tuple[tuple[str, float, float], ...]:
    found: dict[str, tuple[float, float]] = {}
    opening.finish()
    for row in reader.block(opening):
        tag = row.words[0]
        start, end = (unit * row.take_within(f"{what} of {tag}", 0.0, _FAR) for what in ("rstart", "rend"))
        if end < start:
            row.fail(f"range of {tag}: rend lies before rstart")
        found[tag] = (start, end)
        row.finish()
    return tuple((tag, *ends) for tag, ends in found.items())
