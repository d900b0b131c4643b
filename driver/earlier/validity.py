"""Whether a trajectory file has what going on from it needs: names, shapes, kinds, finite numbers."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import OPTIONAL, Contents, TrajectoryError
from ..estimate.statement import Sums

#: Name in a checkpoint of how far the log had come: its path, and bytes.
LOG = "log"


def check_contents(path: Path, contents: Contents) -> None:
    """Raise TrajectoryError, naming the first thing that is wrong, unless a run can go on from the file."""
    try:
        _check_attributes(contents.attributes)
        n_spin, n, m = contents.ground["coefficients"].shape
        _check_ground(contents.ground, (n_spin, n, m))
        _check_state(contents.checkpoint, (n_spin, n, m))
        # A quantity that a part of the run did not print has NaN there.
        series = {name: rows for name, rows in contents.series.items() if name not in OPTIONAL}
        for group in (contents.ground, contents.checkpoint, series):
            for name, array in group.items():
                if not _is_sound(name, np.asarray(array)):
                    raise ValueError(f"{name} has a value that is no number")
        _check_series(contents)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise TrajectoryError(f"{path}: cannot be gone on from: {reason}; leave out --restart") from error


def _is_sound(name: str, array: np.ndarray) -> bool:
    if array.dtype.kind not in "fc":
        return True
    found = np.isfinite(array)
    # The controller's rate, its second number, is infinite where no segment was rejected.
    return bool(found.all() or (name == "ledger" and np.delete(found, 1).all() and np.isposinf(array[1])))


def _check_attributes(attributes: Mapping[str, object]) -> None:
    settings = json.loads(str(attributes["settings"]))
    if not isinstance(settings, dict):
        raise ValueError("settings are no table")
    for name in ("tmax", "dt", "n_steps"):
        if not np.isfinite(float(np.asarray(attributes[name]))):
            raise ValueError(f"{name} is no number")
    if not isinstance(attributes["complete"], bool | np.bool_):
        raise ValueError("complete is neither true nor false")


def _check_ground(ground: Mapping[str, np.ndarray], shape: tuple[int, int, int]) -> None:
    n_spin, n, m = shape
    k = ground["basis_energies"].shape[-1]
    shapes = {
        "coefficients": shape,
        "energies": (n_spin, m),
        "occupations": (n_spin, m),
        "total_energy": (),
        "basis_coefficients": (n_spin, n, k),
        "basis_dual": (n_spin, k, n),
        "basis_to_canonical": (n_spin, k, k),
        "basis_energies": (n_spin, k),
        "basis_irreps": (n_spin, k),
    }
    for name, wanted in shapes.items():
        _check(name, ground[name], wanted, "iu" if name == "basis_irreps" else "f")
    # A file of an earlier version keeps all pairs.
    if "pairs_kept" in ground:
        _check_columns(ground["pairs_kept"], ground["pairs"])


def _check_columns(kept: np.ndarray, pairs: np.ndarray) -> None:
    """Of the response: each a pair of its own."""
    _check("pairs", pairs, (len(pairs), 3), "iu")
    _check("pairs_kept", kept, (kept.size,), "iu")
    if len(np.unique(kept)) < len(kept) or not np.isin(kept, np.arange(len(pairs))).all():
        raise ValueError("pairs_kept are no pairs")


def _check_state(checkpoint: Mapping[str, np.ndarray], shape: tuple[int, int, int]) -> None:
    n_spin, k = shape[0], checkpoint["state_density"].shape[-1]
    _check_matrices(checkpoint, "state", n_spin, k)
    if any(name.startswith(("estimate_", "shadow_")) for name in checkpoint):
        _check_matrices(checkpoint, "shadow", n_spin, k)
        _check("shadow_place", checkpoint["shadow_place"], (2,), "f")
        _check("estimate_origin", checkpoint["estimate_origin"], (3,), "f")
        _check("estimate_sums", checkpoint["estimate_sums"], (len(fields(Sums)),), "f")
    _check("state_step", checkpoint["state_step"], (), "iu")
    _check("state_time", checkpoint["state_time"], (), "f")
    _check("energies", checkpoint["energies"], (3,), "f")
    _check("energy_drift", checkpoint["energy_drift"], (), "f")
    tally = json.loads(bytes(np.asarray(checkpoint["tally"]).item()))
    turns = [spent for kind in tally["turns"].values() for spent in kind]
    counts = [value for name, value in tally.items() if name not in ("seconds", "processor", "turns")]
    numbers = (*counts, *turns, *tally["seconds"].values(), *tally["processor"].values())
    if not all(isinstance(value, int | float) for value in numbers):
        raise ValueError("tally has a value that is no number")
    if LOG in checkpoint:
        path, position = json.loads(bytes(np.asarray(checkpoint[LOG]).item()))
        if not (isinstance(path, str) and isinstance(position, int)):
            raise ValueError("log is no path and position")


def _check_matrices(checkpoint: Mapping[str, np.ndarray], lead: str, n_spin: int, k: int) -> None:
    for name in ("density", "fock", "fock_half"):
        _check(f"{lead}_{name}", checkpoint[f"{lead}_{name}"], (n_spin, k, k), "c")
    occupied = checkpoint[f"{lead}_orbitals"].shape[-1]
    _check(f"{lead}_orbitals", checkpoint[f"{lead}_orbitals"], (n_spin, k, occupied), "c")
    _check(f"{lead}_occupations", checkpoint[f"{lead}_occupations"], (n_spin, occupied), "f")


def _check_series(contents: Contents) -> None:
    """Every series has a row a point, and the points lead up to the checkpoint's."""
    n_points = int(np.asarray(contents.attributes["n_steps"]))
    if not n_points:
        return
    for name in ("time", "dipole", "field", "energy"):
        wanted = (n_points, 3) if name in ("dipole", "field") else (n_points,)
        _check(name, contents.series[name], wanted, "f")
    times, dt = contents.series["time"], float(np.asarray(contents.attributes["dt"]))
    now = float(contents.checkpoint["state_time"])
    if np.any(np.diff(times) <= 0.0) or abs(times[-1] + dt - now) > 1e-6 * max(1.0, now):
        raise ValueError("its times do not lead up to its checkpoint")
    # A restart file's point 0 lies a step before the first.
    if int(contents.checkpoint["state_step"]) < n_points - 1:
        raise ValueError("it has more points than its checkpoint")


def _check(name: str, array: np.ndarray, shape: tuple[int, ...], kinds: str) -> None:
    found = np.asarray(array)
    if found.shape != shape or found.dtype.kind not in kinds:
        raise ValueError(f"{name} has shape {found.shape} and kind {found.dtype}, not {shape}")
