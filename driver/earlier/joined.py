"""The part of a trajectory that a run from a restart file goes on with: parts of one run are joined."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ...adapters.files.checksum import check_seal
from ...adapters.files.plain_hdf5 import open_hdf5
from ...adapters.files.trajectory import IN_MEMORY

#: Settings that say what is written, and how an error is kept small: parts may have others.
_FREE = ("n_checks", "n_prints", "n_restarts", "check_level", "profile", "visualization", "--prior")


@dataclass(frozen=True, eq=False)
class EarlierPart:
    """Rows of `dynamics` and `control` ahead of a point, by name."""

    points: Mapping[str, np.ndarray]
    control: Mapping[str, np.ndarray]


def earlier_part(path: Path, settings: Mapping[str, str], step: int, t: float) -> EarlierPart | None:
    """What the trajectory file has ahead of the point that `step` starts from, at t (au).

    settings: of the run that goes on. None where the file is of other settings or does not lead up to there.
    """
    try:
        if step < 1 or path.stat().st_size > IN_MEMORY:
            return None
        check_seal(path, needed=True)
        with open_hdf5(path) as file:
            before = json.loads(str(file.attrs["settings"]))
            times = np.asarray(file["dynamics/time"])[:step]
            leads = len(times) == step and abs(times[-1] + float(np.asarray(file.attrs["dt"])) - t) < 1e-6
            if not leads or not _same(before, settings):
                return None
            return EarlierPart(_points(file, step), _control(file, step))
    except (OSError, KeyError, ValueError, TypeError):
        # Whatever it is, it has a second name and stays.
        return None


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    names = {*one, *other} - set(_FREE)
    return all(one.get(name) == other.get(name) for name in names)


def _points(file: h5py.File, step: int) -> dict[str, np.ndarray]:
    rows = _columns(file, "dynamics")
    kept = np.flatnonzero(rows.get("density_step", np.zeros(0, int)) < step)
    return {
        name: values[kept] if name.startswith("density_") else values[:step] for name, values in rows.items()
    }


def _control(file: h5py.File, step: int) -> dict[str, np.ndarray]:
    rows = _columns(file, "control")
    found: dict[str, np.ndarray] = {}
    for name, values in rows.items():
        ahead = rows[f"{name.partition('_')[0]}_step"]
        kept = values[ahead < step if name.startswith("segment") else ahead <= step]
        found[name] = np.array([v.decode() for v in kept], "U24") if values.dtype.kind in "SO" else kept
    return found


def _columns(file: h5py.File, group: str) -> dict[str, np.ndarray]:
    rows = file.get(group)
    if not isinstance(rows, h5py.Group):
        return {}
    return {name: np.asarray(item) for name, item in rows.items() if isinstance(item, h5py.Dataset)}
