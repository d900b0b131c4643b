"""Whether a trajectory file has what going on from it needs: names, shapes, kinds, finite numbers."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import Contents, TrajectoryError


def check_contents(path: Path, contents: Contents) -> None:
    """Raise TrajectoryError, naming the first thing that is wrong, unless a run can go on from the file."""
    try:
        _check_attributes(contents.attributes)
        n_spin, n, m = contents.ground["coefficients"].shape
        _check_ground(contents.ground, (n_spin, n, m))
        _check_state(contents.checkpoint, (n_spin, n, m))
        _check_series(contents)
        for group in (contents.ground, contents.checkpoint, contents.series):
            for name, array in group.items():
                if np.asarray(array).dtype.kind in "fc" and not np.isfinite(array).all():
                    raise ValueError(f"{name} has a value that is no number")
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise TrajectoryError(f"{path}: cannot be gone on from: {reason}; leave out --restart") from error


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


def _check_state(checkpoint: Mapping[str, np.ndarray], shape: tuple[int, int, int]) -> None:
    n_spin = shape[0]
    k = checkpoint["state_density"].shape[-1]
    for name in ("density", "fock", "fock_half"):
        _check(f"state_{name}", checkpoint[f"state_{name}"], (n_spin, k, k), "c")
    occupied = checkpoint["state_orbitals"].shape[-1]
    _check("state_orbitals", checkpoint["state_orbitals"], (n_spin, k, occupied), "c")
    _check("state_occupations", checkpoint["state_occupations"], (n_spin, occupied), "f")
    _check("state_step", checkpoint["state_step"], (), "iu")
    _check("state_time", checkpoint["state_time"], (), "f")
    _check("energies", checkpoint["energies"], (3,), "f")
    tally = json.loads(bytes(np.asarray(checkpoint["tally"]).item()))
    seconds = tally["seconds"]
    counts = [value for name, value in tally.items() if name != "seconds"]
    if not all(isinstance(value, int | float) for value in (*counts, *seconds.values())):
        raise ValueError("tally has a value that is no number")


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
    if int(contents.checkpoint["state_step"]) < n_points:
        raise ValueError("it has more points than its checkpoint")


def _check(name: str, array: np.ndarray, shape: tuple[int, ...], kinds: str) -> None:
    found = np.asarray(array)
    if found.shape != shape or found.dtype.kind not in kinds:
        raise ValueError(f"{name} has shape {found.shape} and kind {found.dtype}, not {shape}")
