"""Runs driven by a known field, ready for a spectrum."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .records import DipoleRecord, joined, read_records, size_of, without
from .spectrum import Kick, Pulse, Signal, SpectrumError, delta_kick, short_kick


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
    return [signal_of(record, kick, pulses=False) for record in joined(read_records(path, tag, geometry))]


def signals_of(
    records: Sequence[DipoleRecord],
    kick: tuple[np.ndarray, float] | None = None,
    still: DipoleRecord | None = None,
) -> list[Signal]:
    """Whole runs driven by kicks or pulses; still: a run without field, whose dipole is taken off.

    Raises SpectrumError where a run's field is not known or turns.
    """
    runs = joined(records)
    if still is not None:
        runs = [without(run, still) for run in runs]
    return [signal_of(run, kick, pulses=True) for run in runs]


def signal_of(record: DipoleRecord, kick: tuple[np.ndarray, float] | None, *, pulses: bool) -> Signal:
    """A run with its field, which is `kick` where given. Raises SpectrumError."""
    return Signal(
        record.name,
        record.time,
        record.dipole,
        _kick(record, pulses=pulses) if kick is None else _given(kick, record),
        record.title,
        record.electrons,
        record.magnetic,
        record.stated,
    )


def error_of(signal: Signal) -> float:
    """The stated error relative to the induced dipole; at most 1."""
    size = size_of(signal.dipole)
    return min(signal.stated / size, 1.0) if size > 0.0 else 0.0


def _given(kick: tuple[np.ndarray, float], record: DipoleRecord) -> Kick:
    direction, impulse = kick
    start = float(record.time[0])
    return Kick(direction, impulse, start, start + record.dt, int(record.magnus))


_BEHIND = "{}: begins at {:g} au, behind its kick: name the part before too"


def _kick(record: DipoleRecord, *, pulses: bool) -> Kick | Pulse:
    """What drives a run: by the field at its points, else by its header."""
    name, field, time, dt = record.name, record.field, record.time, record.dt
    if field is None:
        if record.kick is None:
            raise SpectrumError(
                f"{name}: neither `Applied E-field` lines nor a delta kick along x, y or z in its header; "
                "give the kick with --kick AXIS=IMPULSE"
            )
        if time[0] > 0.5 * dt:
            raise SpectrumError(_BEHIND.format(name, time[0]))
        field = np.zeros((len(time), 3))
        field[0] = record.kick
    try:
        if (np.abs(field).max(axis=1) > 0.0).sum() > 1:
            if pulses:
                return _pulse(field, record)
            if (short := _short(field, record)) is not None:
                return short
        found = delta_kick(field, time, dt, magnus=record.magnus)
    except SpectrumError as error:
        raise SpectrumError(f"{name}: {error}") from error
    if found is None and time[0] > 0.5 * dt:
        raise SpectrumError(_BEHIND.format(name, time[0]))
    if found is None:
        raise SpectrumError(f"{name}: the field is zero throughout; give the kick with --kick AXIS=IMPULSE")
    return found


def _short(field: np.ndarray, record: DipoleRecord) -> Kick | None:
    """A short pulse along one line as a kick."""
    with contextlib.suppress(SpectrumError):
        return short_kick(_pulse(field, record), record.time)
    return None


def kicked(signal: Signal) -> Signal | None:
    """The same run with its short pulse taken for a kick; None where the pulse is none."""
    if isinstance(signal.kick, Kick):
        return signal
    kick = short_kick(signal.kick, signal.time)
    return None if kick is None else replace(signal, kick=kick)


def _pulse(field: np.ndarray, record: DipoleRecord) -> Pulse:
    """A field along one line. Raises SpectrumError for one that turns."""
    strongest = field[np.abs(field).max(axis=1).argmax()]
    direction = strongest / np.linalg.norm(strongest)
    size = field @ direction
    if np.abs(field - np.outer(size, direction)).max() > 1e-6 * np.abs(size).max():
        raise SpectrumError("the field turns, so that one run does not tell the polarisability")
    return Pulse(direction, size, magnus=record.magnus)
