"""The top-level `dplot` block, which `visualization dplot` runs for each density snapshot."""

from dataclasses import replace
from typing import Any, cast

from ..free_format.lines import Line, LineReader
from ..system import DensityPlot
from ..system.geometry import ANGSTROM_PER_BOHR

_SPINS = ("total", "alpha", "beta", "spindens")
_MAX_POINTS, _FARTHEST = 10**9, 1e5


def read_dplot(opening: Line, reader: LineReader, before: DensityPlot | None) -> DensityPlot:
    """Read the block: `limitxyz` and three lines `<from> <to> <spacings>`, `spin`, `vectors`, `output`.

    What it does not name is as `before`. A propagation passes over `vectors` and `output`, as NWChem's does.

    Lengths are in Angstrom unless `units au` says bohr.
    """
    opening.finish()
    limits: list[tuple[float, float, int]] = []
    plot = before or DensityPlot((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), ())
    gaussian, scale, missing = False, 1.0, 0
    for row in reader.block(opening):
        key = row.keyword
        if missing:
            limits.append(_limit(row, scale))
            missing -= 1
        elif key == "limitxyz":
            limits, scale, missing = [], _scale(row), 3
        elif key == "gaussian":
            gaussian = True
        elif key == "spin":
            spin = row.take("spin").lower()
            if spin not in _SPINS:
                row.fail(f"dplot: unknown spin {spin!r}; accepted: {' '.join(_SPINS)}")
            plot = replace(plot, spin=cast(Any, spin))
        elif key == "vectors":
            plot = replace(plot, vectors=row.take("file name of vectors"))
        elif key == "output":
            plot = replace(plot, output=row.take_output("file name of output"))
        elif key == "title":
            row.take("title, in quotes if it has blanks")
        else:
            accepted = "limitxyz gaussian spin vectors output title"
            row.fail(f"dplot directive {row.words[0]!r} is not carried out; accepted: {accepted}")
    if missing:
        opening.fail("dplot: limitxyz needs three lines <from> <to> <spacings>")
    if not gaussian:
        reader.notice(opening, "dplot without gaussian: cube files are written all the same")
    if not limits:
        return plot
    lower, upper, spacings = zip(*limits, strict=True)
    if (spacings[0] + 1) * (spacings[1] + 1) * (spacings[2] + 1) > _MAX_POINTS:
        opening.fail("dplot: more than a thousand million points")
    return replace(plot, origin=cast(Any, lower), upper=cast(Any, upper), spacings=cast(Any, spacings))


def _scale(row: Line) -> float:
    if row.peek() is None:
        return 1.0 / ANGSTROM_PER_BOHR
    if row.take("units").lower() != "units":
        row.fail("limitxyz: expected units")
    units = row.take("units").lower()
    if units not in ("angstrom", "au", "bohr"):
        row.fail(f"unknown units {units!r}; accepted: angstrom au bohr")
    return 1.0 / ANGSTROM_PER_BOHR if units == "angstrom" else 1.0


def _limit(row: Line, scale: float) -> tuple[float, float, int]:
    row.cursor = 0
    low, high = (row.take_within(f"{end} limit", -_FARTHEST, _FARTHEST) for end in ("lower", "upper"))
    spacings = row.take_integer("number of spacings")
    if not low < high or spacings < 1:
        row.fail("limitxyz: expected <from> < <to> and at least one spacing")
    return low * scale, high * scale, spacings
