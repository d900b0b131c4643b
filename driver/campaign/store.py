"""`campaign.h5`: mean spectra with their bands, and the table, for programs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.files.plain_hdf5 import new_hdf5
from .collected import MeanSpectrum
from .mean_maps import MeanMap

#: Of a mean map: (delay, energy) in bohr²; the errors, stated by each item, (item, delay).
_OF_MAP = ("change", "standard_error", "deviation", "absorption", "without_pump", "error", "change_error")


def write_store(
    path: Path,
    spectra: Sequence[MeanSpectrum],
    maps: Sequence[MeanMap],
    table: Sequence[Mapping[str, Any]],
) -> None:
    """`spectra/<k>/…` and `maps/<k>/…` in au, eV and bohr², and `table/<column>` with a row a propagation.

    Raises OSError.
    """
    with new_hdf5(path) as file:
        for number, one in enumerate(spectra, start=1):
            group = file.create_group(f"spectra/{number}")
            group.attrs["label"] = one.label
            group.attrs["geometries"] = one.count
            group.attrs["tau_au"] = one.mean.tau
            group["energy_ev"] = one.mean.energy
            group["cross_section"] = one.mean.cross_section
            group["standard_error"] = one.standard_error
            group["standard_deviation"] = one.deviation
            group["convergence"] = np.array(one.convergence, float).reshape(-1, 2)
            for axis, values in one.mean.polarisability.items():
                group[f"polarisability/{axis}"] = values
        for number, one in enumerate(maps, start=1):
            group = file.create_group(f"maps/{number}")
            group.attrs.update({"label": one.label, "geometries": one.count, "tau_au": one.tau})
            group["delays_au"], group["energy_ev"] = one.delays, one.energy
            group["items"] = np.array([name.encode() for name in one.items])
            for name in _OF_MAP:
                group.create_dataset(name, data=getattr(one, name), compression="gzip")
        columns = file.create_group("table")
        for name in table[0]:
            values = [row[name] for row in table]
            numbers = all(isinstance(value, int | float) or value == "" for value in values)
            if numbers and any(value != "" for value in values):
                columns[name] = np.array([np.nan if value == "" else float(value) for value in values])
            else:
                columns[name] = np.array([str(value).encode() for value in values])
        file.attrs["columns"] = json.dumps(list(table[0]))
