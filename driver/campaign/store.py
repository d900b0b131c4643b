"""`campaign.h5`: mean spectra with their bands, and the table, for programs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.files.plain_hdf5 import new_hdf5
from .collected import MeanSpectrum


def write_store(path: Path, spectra: Sequence[MeanSpectrum], table: Sequence[Mapping[str, Any]]) -> None:
    """`spectra/<k>/…` in eV and bohr², and `table/<column>` with a row a propagation. Raises OSError."""
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
        columns = file.create_group("table")
        for name in table[0]:
            values = [row[name] for row in table]
            numbers = all(isinstance(value, int | float) or value == "" for value in values)
            if numbers and any(value != "" for value in values):
                columns[name] = np.array([np.nan if value == "" else float(value) for value in values])
            else:
                columns[name] = np.array([str(value).encode() for value in values])
        file.attrs["columns"] = json.dumps(list(table[0]))
