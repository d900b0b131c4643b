"""The files of a map: `.h5`, `.csv` with a row for each delay and energy, `.png`, `.json`."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...adapters.files.checksum import check_seal
from ...adapters.files.plain_hdf5 import new_hdf5, open_hdf5
from ...adapters.files.read_errors import reason
from ...atomic.errors import BadInput
from ...atomic.units import FS_PER_AU
from ...atomic.whole_file import write_whole
from ..pictures.plot import PAGE, heat_maps
from .change import PumpProbeMap

#: Names in the file, their units and meaning.
_MEANINGS = {
    "delays": ("au", "time of the probe's centre behind the pump's, (delay,)"),
    "energy": ("eV", "of the light, (energy,)"),
    "absorption": ("bohr^2", "cross-section of the probe, pump-only dipole taken off, (delay, energy)"),
    "without_pump": ("bohr^2", "cross-section of the probe without a pump, (energy,)"),
    "error": ("1", "stated error of each signal, relative, (delay,)"),
    "change_error": ("1", "stated error of signal less signal_without_pump, relative, (delay,)"),
    "time": ("au", "from the point that the probe begins at, (time,)"),
    "signal": ("au", "dipole of pump and probe less that of the pump, (delay, time, xyz)"),
    "signal_without_pump": ("au", "dipole of the probe without a pump, (time, xyz)"),
}
_CHANGE = ("bohr^2", "absorption less without_pump, (delay, energy)")


def write_map(stem: Path, found: PumpProbeMap, title: str, told: Mapping[str, object]) -> None:
    """Write `<stem>.h5`, `.csv`, `.png` and, last, `.json` with what is told. Raises OSError."""
    with new_hdf5(stem.with_name(stem.name + ".h5")) as file:
        file.attrs["title"] = str(title)
        for name, (units, meaning) in {**_MEANINGS, "change": _CHANGE}.items():
            data = file.create_dataset(name, data=getattr(found, name), compression="gzip")
            data.attrs.update({"units": units, "description": meaning})
    write_whole(stem.with_name(stem.name + ".csv"), _table(found))
    delays = found.delays * FS_PER_AU
    maps = {"change of the cross-section (bohr²)": found.change, "cross-section (bohr²)": found.absorption}
    heat_maps(stem.with_name(stem.name + ".png"), title, (delays, found.energy), maps, PAGE)
    write_whole(stem.with_name(stem.name + ".json"), json.dumps(told, indent=1) + "\n")


def read_map(path: Path) -> PumpProbeMap:
    """The map in a file of `write_map`. Raises BadInput."""
    try:
        check_seal(path, needed=False)
        with open_hdf5(path) as file:
            return PumpProbeMap(**{name: np.asarray(file[name]) for name in _MEANINGS})
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise BadInput(f"{path}: not the map of a pump and its probes ({reason(error)})") from error


def _table(found: PumpProbeMap) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("delay_au", "energy_eV", "change_bohr2", "absorption_bohr2", "without_pump_bohr2"))
    for delay, change, section in zip(found.delays, found.change, found.absorption, strict=True):
        columns = (found.energy, change, section, found.without_pump)
        table.writerows(
            [f"{delay:.10g}", f"{e:.4f}", *(f"{value:.8e}" for value in values)]
            for e, *values in zip(*columns, strict=True)
        )
    return text.getvalue()
