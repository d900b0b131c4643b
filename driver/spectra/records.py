"""Dipoles over time out of the files that hold them: NWChem's logs, ours, and trajectory stores (HDF5)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.log.reader import LogError, RunLog, read_log
from ...adapters.regular_file import open_regular, read_regular
from .spectrum import SpectrumError

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
#: Series of a trajectory file that make a record.
_SERIES = ("time", "dipole", "field", "magnetic_dipole")
#: Two parts of one run agree at a common point within this, au of the dipole; logs have 13 digits.
_SAME_DIPOLE = 1e-6
#: Of a summary.
_MOST_BYTES = 2**26


@dataclass(frozen=True, eq=False)
class DipoleRecord:
    """One run, or a part of one.

    name: for messages. tag, title: of the run, as far as the file tells.
    time: (n,) au; dipole: (n, 3); field: (n, 3), None where the file has none at the points of time.
    kick: (3,) size and direction that the header of a log gives a delta kick at the first point, else None.
    dt: au; magnus: whether the propagator takes the mean field of both ends of a step.
    electrons: their number, None where the file does not tell.
    magnetic: (n, 3) magnetic dipole, None where the file has none.
    stated: root mean square error of the dipole that the run states, au; 0 where it states none.
    """

    name: str
    tag: str
    title: str
    time: np.ndarray
    dipole: np.ndarray
    field: np.ndarray | None
    kick: np.ndarray | None
    dt: float
    magnus: bool
    electrons: int | None
    magnetic: np.ndarray | None = None
    stated: float = 0.0


def read_records(path: Path, tag: str | None = None, geometry: str | None = None) -> list[DipoleRecord]:
    """The runs of one file, in order.

    tag: only runs of this tag; geometry: the fragment whose dipole counts, where a log has several.
    Raises SpectrumError when the file cannot be read or lacks the dipole.
    """
    try:
        with open_regular(path) as file:
            is_hdf5 = file.read(len(_HDF5_MAGIC)) == _HDF5_MAGIC
    except OSError as error:
        raise SpectrumError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SpectrumError(f"{str(path)!r}: no file name") from error
    if is_hdf5:
        return [_stored(path)]
    try:
        runs = read_log(path)
        chosen = [run for run in runs if tag in (None, run.tag)]
        if not chosen:
            tags = ", ".join(dict.fromkeys(run.tag for run in runs))
            raise SpectrumError(f"{path}: no tag {tag!r}; there are: {tags}")
        return [_logged(path, run, geometry) for run in chosen]
    except LogError as error:
        text = str(error)
        raise SpectrumError(text if text.startswith(str(path)) else f"{path}: {text}") from error


def joined(records: Sequence[DipoleRecord]) -> list[DipoleRecord]:
    """Runs whole again: a part that begins inside an earlier one of its tag, or right behind it, goes on it.

    What the earlier one has at the later one's times and beyond gives way, as in a log of both.
    """
    runs: list[DipoleRecord] = []
    for part in records:
        begun = next((k for k, run in enumerate(runs) if _goes_on(run, part)), None)
        if begun is None:
            runs.append(part)
        else:
            runs[begun] = _join(runs[begun], part)
    return runs


def _goes_on(run: DipoleRecord, part: DipoleRecord) -> bool:
    """Whether `part` begins later than the run, within its times or a step behind, at the dipole it has."""
    start = float(part.time[0])
    if part.tag != run.tag or start <= run.time[0] + 0.5 * run.dt or start > run.time[-1] + 1.5 * run.dt:
        return False
    nearest = int(np.abs(run.time - start).argmin())
    if abs(run.time[nearest] - start) > 0.01 * run.dt:
        return True
    return bool(np.abs(run.dipole[nearest] - part.dipole[0]).max() < _SAME_DIPOLE)


def _join(run: DipoleRecord, part: DipoleRecord) -> DipoleRecord:
    keep = run.time < part.time[0] - 0.01 * run.dt
    field = run.field
    if field is not None:
        later = np.zeros((len(part.time), 3)) if part.field is None else part.field
        field = np.concatenate([field[keep], later])
    return replace(
        run,
        name=f"{run.name} and {part.name}",
        time=np.concatenate([run.time[keep], part.time]),
        dipole=np.concatenate([run.dipole[keep], part.dipole]),
        magnetic=None
        if run.magnetic is None or part.magnetic is None
        else np.concatenate([run.magnetic[keep], part.magnetic]),
        field=field,
        stated=max(run.stated, part.stated),
    )


def without(record: DipoleRecord, still: DipoleRecord) -> DipoleRecord:
    """The run less what happens without a field; raises SpectrumError where that is not known throughout."""
    n = len(record.time)
    if len(still.time) < n or np.abs(still.time[:n] - record.time).max() > 0.01 * record.dt:
        raise SpectrumError(f"{still.name}: its points in time are not those of {record.name}, or end before")
    magnetic = None
    if record.magnetic is not None and still.magnetic is not None:
        magnetic = record.magnetic - still.magnetic[:n]
    left, stated = record.dipole - still.dipole[:n], float(np.hypot(record.stated, still.stated))
    return replace(record, dipole=left, magnetic=magnetic, stated=stated)


def _logged(path: Path, run: RunLog, geometry: str | None) -> DipoleRecord:
    name = f"{path}, tag {run.tag!r}"
    geometry = geometry or _kicked_geometry(name, run)
    dipole = run.find("Dipole moment", geometry)
    dt = run.dt or float(np.diff(dipole.time).min(initial=np.inf))
    header = run.header
    kick = header.kick(geometry)
    fields = [
        s
        for key, s in run.series.items()
        if key.name == "Applied E-field" and geometry in (None, key.geometry)
    ]
    field = None
    if fields:
        # Alpha and beta act alike unless the field has a spin; the dipole is of both.
        n = min(len(series.time) for series in fields)
        mean = np.mean([series.values[:n] for series in fields], axis=0)
        field = np.zeros((len(dipole.time), 3))
        at = np.searchsorted(dipole.time, fields[0].time[:n] - 0.25 * dt)
        inside = at < len(field)
        field[at[inside]] = mean[inside]
    magnetic = next((s.values for key, s in run.series.items() if key.name == "Magnetic moment"), None)
    if magnetic is not None and len(magnetic) != len(dipole.time):
        magnetic = None
    return DipoleRecord(
        name,
        run.tag,
        header.title,
        dipole.time,
        dipole.values,
        field,
        kick,
        dt,
        run.magnus,
        header.electrons,
        magnetic,
    )


def _kicked_geometry(name: str, run: RunLog) -> str | None:
    """The one geometry with a field, of several; None where there is but one."""
    geometries = {key.geometry for key in run.series if key.name == "Dipole moment"}
    if len(geometries) < 2:
        return None
    kicked = {
        key.geometry
        for key, s in run.series.items()
        if key.name == "Applied E-field" and np.abs(s.values).any()
    } or {geometry for geometry, _ in run.header.excitations}
    if len(kicked) != 1:
        raise SpectrumError(
            f"{name}: several geometries ({', '.join(sorted(geometries))}); choose one with --geometry"
        )
    return kicked.pop()


def _stored(path: Path) -> DipoleRecord:
    from ...adapters.files.checksum import check_seal
    from ...adapters.files.plain_hdf5 import open_hdf5

    try:
        check_seal(path, needed=False)
        with open_hdf5(path) as store:
            names = [name for name in _SERIES if f"dynamics/{name}" in store]
            series = {name: np.asarray(store[f"dynamics/{name}"]) for name in names}
            told = dict(store.attrs)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise _unreadable(path, error) from error
    return stored_record(path, told, series, stated_error(path))


def _unreadable(path: Path, error: Exception) -> SpectrumError:
    return SpectrumError(f"{path}: no trajectory that can be read ({str(error).strip(chr(39))})")


def stored_record(
    path: Path, told: Mapping[str, object], series: Mapping[str, np.ndarray], error: float
) -> DipoleRecord:
    """The run of a trajectory file with these attributes and series, `dynamics/<name>` by name.

    error: of the induced dipole, relative, as the run states it. Raises SpectrumError.
    """
    try:
        time, dipole, field = (np.array(series[name], float) for name in ("time", "dipole", "field"))
        moment = series.get("magnetic_dipole")
        magnetic = None if moment is None else np.array(moment, float)
        dt = float(np.asarray(told["dt"]))
        electrons = int(np.asarray(told["n_electrons"])) if "n_electrons" in told else None
    except (KeyError, ValueError, TypeError) as wrong:
        raise _unreadable(path, wrong) from wrong
    if time.ndim != 1 or not (dipole.shape == field.shape == (len(time), 3)):
        raise SpectrumError(f"{path}: time, dipole and field have different lengths")
    if not all(np.isfinite(values).all() for values in (time, dipole, field, dt)):
        raise SpectrumError(f"{path}: time, dipole or field has a value that is no number")
    if magnetic is not None and (magnetic.shape != dipole.shape or not np.isfinite(magnetic).all()):
        magnetic = None
    tag = str(told.get("tag", told.get("molecule", "")))
    magnus = str(told.get("propagator", "magnus")) == "magnus"
    title = str(told.get("title", ""))
    name = f"{path} ({tag})"
    stated = error * size_of(dipole)
    return DipoleRecord(name, tag, title, time, dipole, field, None, dt, magnus, electrons, magnetic, stated)


def size_of(dipole: np.ndarray) -> float:
    """Root mean square of an induced dipole (n, 3)."""
    return float(np.sqrt(np.square(dipole - dipole[:1]).sum(axis=1).mean())) if len(dipole) else 0.0


def stated_error(path: Path) -> float:
    """Of the induced dipole of a trajectory file, from the summary beside it; 0 without one."""
    summary = summary_of(path)
    try:
        return float(summary["estimated_error"]) if summary else 0.0
    except (ValueError, KeyError, TypeError) as error:
        raise no_summary(path, error) from error


def summary_of(path: Path) -> dict[str, Any]:
    """What stands beside a trajectory file; empty where nothing does. Raises SpectrumError."""
    try:
        found = json.loads(read_regular(path.with_suffix(".json"), _MOST_BYTES))
        return {**found}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise no_summary(path, error) from error


def no_summary(path: Path, error: Exception) -> SpectrumError:
    """What says that the JSON beside a run's file is not its summary."""
    return SpectrumError(f"{path.with_suffix('.json')}: not the summary of a run ({error})")
