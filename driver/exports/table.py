"""A run as a table, a row a time point; the names of the columns end in their units."""

import csv
import io
import json
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import Contents
from ...atomic.whole_file import whole_file, write_whole

#: What a series is called, and the endings of its columns.
_NAMES = {
    "time": "time_au",
    "dipole": "dipole_{}_au",
    "magnetic_dipole": "magnetic_dipole_{}_au",
    "field": "field_{}_au",
    "energy": "energy_hartree",
    "spread": "spread",
    "surrogate": "surrogate",
    "s2": "s2",
    "charges": "charge_{}_e",
    "occupations": "occupation_{}",
}


def columns(contents: Contents) -> dict[str, np.ndarray]:
    """Columns by name, (T,) each: `time_au`, `dipole_x_au`, …, as far as the file has them."""
    found: dict[str, np.ndarray] = {}
    for series, name in _NAMES.items():
        values = contents.series.get(series)
        if values is None:
            continue
        flat = values.reshape(len(values), -1)
        labels = _labels(series, values, contents) if flat.shape[1] > 1 or "{" in name else [""]
        for label, column in zip(labels, flat.T, strict=True):
            found[name.format(label)] = column
    return found


def _labels(series: str, values: np.ndarray, contents: Contents) -> list[str]:
    if series == "charges":
        names = json.loads(str(contents.attributes.get("geometries", "[]")))
        return [str(name) for name in names] or [str(k) for k in range(values.shape[1])]
    if series == "occupations":
        spins = ("",) if values.shape[1] == 1 else ("alpha_", "beta_")
        return [f"{spin}{k}" for spin in spins for k in range(1, values.shape[2] + 1)]
    return ["x", "y", "z"]


def write_csv(contents: Contents, path: Path) -> None:
    """Comma-separated values under one line of names; 17 digits, so that nothing is lost. Raises OSError."""
    table, text = columns(contents), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))
    write_whole(path, text.getvalue())


def write_npz(contents: Contents, path: Path) -> None:
    """Series under their names in the trajectory file, and its attributes as JSON. Raises OSError."""
    attributes = {name: _plain(value) for name, value in contents.attributes.items()}
    with whole_file(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **contents.series, attributes=np.array(json.dumps(attributes)))  # pyright: ignore[reportArgumentType]


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
