"""The table of a campaign: a row a propagation, one for an item that has none yet."""

import contextlib
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...atomic.whole_file import whole_file, write_whole
from .carry_out import DONE, Standing
from .items import Item

#: Names of columns by those of a record.
_RUN = {
    "steps": "steps",
    "fock_builds": "fock_builds",
    "estimated_error": "estimated_error",
    "error_bound": "error_bound",
    "tolerance_met": "tolerance_met",
    "estimated_energy_error": "energy_error_hartree",
    "largest_dipole_change": "largest_dipole_change_au",
    "energy_gained": "energy_gained_hartree",
}
#: The same of maps of pump and probe alone.
_MAP = {"estimated_change_error": "change_error"}
#: Columns that differ from machine to machine.
SECONDS = ("item_seconds", "item_processor_seconds")


def rows(items: Sequence[Item], standings: Mapping[str, Standing]) -> list[dict[str, Any]]:
    """All rows, with the same columns; an empty text where there is nothing."""
    swept = list(dict.fromkeys(name for item in items for one in item.variations for name in one.values))
    columns = {**_RUN, **(_MAP if any(item.probing for item in items) else {})}
    found = []
    for item in items:
        stands = standings[item.name]
        base = {
            "item": item.name,
            "state": stands.state,
            "geometry": item.geometry,
            "functional": item.level.get("functional", ""),
            "basis": item.level.get("basis", ""),
        }
        tail = {
            "item_seconds": stands.seconds or "",
            "item_processor_seconds": stands.processor_seconds or "",
            "starts_from": item.seed,
            "reason": stands.reason,
        }
        if stands.state != DONE:
            empty = dict.fromkeys(("run", "kick", *swept, *columns.values()), "")
            found.append({**base, **empty, **tail})
            continue
        for variation, run in zip(item.variations, stands.runs, strict=True):
            own = {"run": variation.tag, "kick": variation.kick}
            values = {name: variation.values.get(name, "") for name in swept}
            told = {column: _plain(run.get(name)) for name, column in columns.items()}
            found.append({**base, **own, **values, **told, **tail})
    return found


def _plain(value: Any) -> Any:
    return "" if value is None else value


def write_table(found: Sequence[Mapping[str, Any]], path: Path) -> None:
    """As comma-separated values; as parquet beside it where pandas can. Raises OSError."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    write_whole(path, text.getvalue())
    with contextlib.suppress(ImportError):
        import pandas

        # Pandas itself asks for one of two libraries more.
        frame = pandas.read_csv(io.StringIO(text.getvalue()), keep_default_na=True)
        with whole_file(path.with_suffix(".parquet")) as part:
            frame.to_parquet(part)
