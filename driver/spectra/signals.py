"""Kicked runs out of the files that hold them: NWChem's logs, ours, and trajectory stores (HDF5)."""

from pathlib import Path

import numpy as np

from ...adapters.log.reader import LogError, RunLog, read_log
from ...adapters.regular_file import open_regular
from .spectrum import Kick, Signal, SpectrumError, delta_kick

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


def read_signals(
    path: Path,
    tag: str | None = None,
    geometry: str | None = None,
    kick: tuple[np.ndarray, float] | None = None,
) -> list[Signal]:
    """The kicked runs of one file.

    tag: only runs of this tag; geometry: the fragment whose dipole counts, where a log has several.
    kick: direction and impulse (au) of a kick at the first point, for files that do not hold their field.
    Raises SpectrumError when the file cannot be read, lacks the dipole, or names no kick.
    """
    try:
        with open_regular(path) as file:
            is_hdf5 = file.read(len(_HDF5_MAGIC)) == _HDF5_MAGIC
    except OSError as error:
        raise SpectrumError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SpectrumError(f"{str(path)!r}: no file name") from error
    if is_hdf5:
        return [_stored(path, kick)]
    try:
        runs = read_log(path)
        chosen = [run for run in runs if tag in (None, run.tag)]
        if not chosen:
            tags = ", ".join(dict.fromkeys(run.tag for run in runs))
            raise SpectrumError(f"{path}: no tag {tag!r}; there are: {tags}")
        return [_logged(path, run, geometry, kick) for run in chosen]
    except LogError as error:
        text = str(error)
        raise SpectrumError(text if text.startswith(str(path)) else f"{path}: {text}") from error


def _logged(path: Path, run: RunLog, geometry: str | None, kick: tuple[np.ndarray, float] | None) -> Signal:
    name = f"{path}, tag {run.tag!r}"
    geometry = geometry or _kicked_geometry(name, run)
    dipole = run.find("Dipole moment", geometry)
    dt = run.dt or float(np.diff(dipole.time).min(initial=np.inf))
    if kick is not None:
        return Signal(name, dipole.time, dipole.values, _given(kick, dipole.time, dt))
    fields = [
        s
        for key, s in run.series.items()
        if key.name == "Applied E-field" and geometry in (None, key.geometry)
    ]
    if not fields:
        raise SpectrumError(f"{name}: no `Applied E-field` lines; give the kick with --kick AXIS=IMPULSE")
    # Alpha and beta act alike unless the field has a spin; the dipole is of both.
    n = min(len(series.time) for series in fields)
    field = np.mean([series.values[:n] for series in fields], axis=0)
    found = _found(name, field, fields[0].time[:n], dt, magnus=run.magnus)
    return Signal(name, dipole.time, dipole.values, found)


def _kicked_geometry(name: str, run: RunLog) -> str | None:
    """The one geometry with a field, of several; None where there is but one."""
    geometries = {key.geometry for key in run.series if key.name == "Dipole moment"}
    if len(geometries) < 2:
        return None
    kicked = {
        key.geometry
        for key, s in run.series.items()
        if key.name == "Applied E-field" and np.abs(s.values).any()
    }
    if len(kicked) != 1:
        raise SpectrumError(
            f"{name}: several geometries ({', '.join(sorted(geometries))}); choose one with --geometry"
        )
    return kicked.pop()


def _stored(path: Path, kick: tuple[np.ndarray, float] | None) -> Signal:
    from ...adapters.files.checksum import check_seal
    from ...adapters.files.plain_hdf5 import open_hdf5

    try:
        check_seal(path, needed=False)
        with open_hdf5(path) as store:
            name = f"{path} ({store.attrs.get('tag', store.attrs.get('molecule', ''))})"
            time, dipole, field = (
                np.array(store[f"dynamics/{key}"], float) for key in ("time", "dipole", "field")
            )
            dt = float(np.asarray(store.attrs["dt"]))
            magnus = str(store.attrs.get("propagator", "magnus")) == "magnus"
    except (OSError, KeyError) as error:
        raise SpectrumError(
            f"{path}: no trajectory that can be read ({str(error).strip(chr(39))})"
        ) from error
    if not (dipole.shape == field.shape == (len(time), 3)):
        raise SpectrumError(f"{path}: time, dipole and field have different lengths")
    found = _given(kick, time, dt) if kick is not None else _found(name, field, time, dt, magnus=magnus)
    return Signal(name, time, dipole, found)


def _given(kick: tuple[np.ndarray, float], time: np.ndarray, dt: float) -> Kick:
    direction, impulse = kick
    return Kick(direction, impulse, float(time[0]), float(time[0]) + dt)


def _found(name: str, field: np.ndarray, time: np.ndarray, dt: float, *, magnus: bool) -> Kick:
    try:
        found = delta_kick(field, time, dt, magnus=magnus)
    except SpectrumError as error:
        raise SpectrumError(f"{name}: {error}") from error
    if found is None:
        raise SpectrumError(f"{name}: the field is zero throughout; give the kick with --kick AXIS=IMPULSE")
    return found
