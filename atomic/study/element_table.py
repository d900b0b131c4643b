"""One row for each element: what it falls into, what was measured, and how firmly it stands."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..solver.configuration import ground_configuration
from ..solver.elements import SYMBOLS
from ..units import EV_PER_HARTREE
from ..whole_file import write_whole

_SHOWN = ("attractor", "basin", "escape / eV", "rates / eV")
COLUMNS = (
    "z",
    "element",
    "measured",
    "lsda_attractor",
    "lsda_basin",
    "lsda_escape_ev",
    "lsda_rates_ev",
    "lda_attractor",
    "lda_basin",
    "lda_escape_ev",
    "lda_rates_ev",
)


def element_rows(
    basins: Mapping[str, list[dict[str, object]]],
    stability: Iterable[Mapping[str, object]],
    elements: list[int],
) -> list[dict[str, str]]:
    """Text for each of COLUMNS.

    basins: rows of `analysis.basin_table` under "lsda" and "lda"; the lowest attractor is taken.
    stability: rows of `analysis.stability_row`; that of the attractor is taken.
    Rates are those of the flow there, eV: of the cheapest move that touches a full or empty shell, then of
    the partly filled shells among each other. Below zero it decays.
    """
    rates = {(r["z"], r["spin"], r["configuration"]): r for r in stability}
    rows: list[dict[str, str]] = []
    for z in elements:
        measured = str(ground_configuration(z))
        row = {"z": str(z), "element": SYMBOLS[z - 1], "measured": measured}
        for kind, spin in (("lsda", True), ("lda", False)):
            lowest = next((b for b in basins[kind] if b["z"] == z and b["rank"] == 0), None)
            found = rates.get((z, spin, str(lowest["attractor"]))) if lowest else None
            row[f"{kind}_attractor"] = str(lowest["attractor"]) if lowest else ""
            row[f"{kind}_basin"] = f"{lowest['members']} of {lowest['configurations']}" if lowest else ""
            escape = lowest["escape"] if lowest else None
            row[f"{kind}_escape_ev"] = "" if escape is None else f"{float(str(escape)) * EV_PER_HARTREE:.2f}"
            row[f"{kind}_rates_ev"] = _rates(found) if found else ""
        rows.append(row)
    return rows


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    """As CSV."""
    text = io.StringIO(newline="")
    writer: csv.DictWriter[str] = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue())


def markdown(rows: list[dict[str, str]]) -> str:
    """The same as a table for a page; "=" is the measured configuration."""
    heads = ("Z", "measured", *(f"{kind} {what}" for kind in ("LSDA", "LDA") for what in _SHOWN))
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        cells = [f"{row['z']} {row['element']}", row["measured"]]
        for kind in ("lsda", "lda"):
            attractor = row[f"{kind}_attractor"]
            cells.append("=" if attractor == row["measured"] else attractor)
            cells += [row[f"{kind}_basin"], row[f"{kind}_escape_ev"], row[f"{kind}_rates_ev"]]
        lines.append(cells)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _rates(row: Mapping[str, object]) -> str:
    tangent = row["tangent"]
    assert isinstance(tangent, list)
    values = [float(str(row["exchange"])), *(float(str(t)) for t in tangent)]
    first, *others = (f"{v * EV_PER_HARTREE:+.2f}" for v in values)
    return f"{first}; {', '.join(others)}" if others else first
