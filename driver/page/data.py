"""What a run's files say, as numbers for the figures of its report: JSON-ready, long series in base64."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...adapters.files.trajectory import Contents
from ...adapters.system import System
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...atomic.units import FS_PER_AU
from ..pictures.bonds import bonds

#: Points of a series that a page carries; a longer one is thinned to its extremes.
MOST_POINTS = 200_000


@dataclass(frozen=True)
class Bar:
    """Steps `first` … `first + steps - 1`, from time `start` to `end` (au)."""

    start: float
    end: float
    first: int
    steps: int
    surrogate: bool
    reason: str


@dataclass(frozen=True)
class Decision:
    """One row of the trajectory's record of decisions; NaN where nothing was expected or measured."""

    kind: str
    time: float
    reason: str
    spread: float
    residual: float
    error: float
    builds: int


def bars(contents: Contents) -> list[Bar]:
    """Accepted segments as bars of the time line, in order."""
    control = contents.control
    if "segment_step" not in control or "time" not in contents.series:
        return []
    first = np.asarray(control["segment_step"])
    # A run that began from a restart file starts neither at step 0 nor at time 0.
    dt, zero = float(np.asarray(contents.attributes["dt"])), float(contents.series["time"][0])
    starts = zero + dt * (first - first[0])
    rows = zip(
        starts,
        first,
        control["segment_steps"],
        control["segment_kind"],
        control["segment_reason"],
        strict=True,
    )
    return [
        Bar(
            float(start),
            float(start + dt * steps),
            int(step),
            int(steps),
            kind == b"surrogate",
            reason.decode(),
        )
        for start, step, steps, kind, reason in rows
    ]


def decisions(contents: Contents) -> list[Decision]:
    """Anchors, audits, rejections and refinements in the order in which they were made."""
    control = contents.control
    if "event_kind" not in control:
        return []
    names = ("kind", "time", "reason", "spread", "residual", "error", "fock_builds")
    columns = [np.asarray(control[f"event_{name}"]).tolist() for name in names]
    return [
        Decision(kind.decode(), time, reason.decode(), spread, residual, error, int(builds))
        for kind, time, reason, spread, residual, error, builds in zip(*columns, strict=True)
    ]


def figure_numbers(
    contents: Contents,
    system: System,
    allowed: float | None,
    spectrum: Mapping[str, Any] | None,
    more: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Everything that the page's script draws.

    allowed: spread that fits the tolerance; spectrum: from `report_spectrum`, None where there is none.
    more: further series (T,), by name.
    """
    rows = series(contents) | dict(more)
    time = rows.pop("time")
    kept = thinned(np.stack(list(rows.values()), axis=1), MOST_POINTS)
    dt = float(np.asarray(contents.attributes["dt"]))
    return {
        "fs_per_au": FS_PER_AU,
        "span": [float(time[0]), float(time[-1]) + dt],
        "time": encoded(time[kept]),
        "series": {name: encoded(values[kept]) for name, values in rows.items()},
        "segments": [
            {
                "from": s.start,
                "to": s.end,
                "first": s.first,
                "steps": s.steps,
                "surrogate": s.surrogate,
                "reason": s.reason,
            }
            for s in bars(contents)
        ],
        "events": [{name: _json(value) for name, value in vars(d).items()} for d in decisions(contents)],
        "allowed": allowed,
        "spectrum": spectrum,
        "molecule": molecule(system, field_direction(contents)),
    }


def series(contents: Contents) -> dict[str, np.ndarray]:
    """(T,) each: time, and what is drawn over it; dipole and energy as changes from the first point."""
    stored = contents.series
    dipole, energy = np.asarray(stored["dipole"]), np.asarray(stored["energy"])
    found = {"time": np.asarray(stored["time"])}
    found |= {f"dipole_{axis}": dipole[:, k] - dipole[0, k] for k, axis in enumerate("xyz")}
    if not is_kick(contents):
        found |= {f"field_{axis}": np.asarray(stored["field"])[:, k] for k, axis in enumerate("xyz")}
    found |= {"energy": energy - energy[0], "spread": np.asarray(stored["spread"])}
    if "s2" in stored:
        found["s2"] = np.asarray(stored["s2"])
    return found


def is_kick(contents: Contents) -> bool:
    """Whether the field acts at one point at most."""
    field = np.asarray(contents.series["field"])
    return int((np.abs(field).max(axis=1) > 0.0).sum()) <= 1


def field_direction(contents: Contents) -> np.ndarray | None:
    """(3,) unit vector of the field where it is strongest, None where it never acts."""
    field = np.asarray(contents.series["field"])
    strongest = field[int(np.abs(field).max(axis=1).argmax())]
    size = float(np.linalg.norm(strongest))
    return strongest / size if size > 0.0 else None


def thinned(values: np.ndarray, most: int) -> np.ndarray:
    """Indices of (T, k) series to keep, about `most`: of every stretch the extremes of each series."""
    n, k = values.shape
    if n <= most:
        return np.arange(n)
    stretches = np.array_split(np.arange(n), max(most // (2 * k), 1))
    kept = {0, n - 1}
    for rows in stretches:
        kept.update((rows[0] + values[rows].argmin(axis=0)).tolist())
        kept.update((rows[0] + values[rows].argmax(axis=0)).tolist())
    return np.array(sorted(kept))


def encoded(values: np.ndarray) -> str:
    """Little-endian float32 in base64."""
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode("ascii")


def molecule(system: System, field: np.ndarray | None) -> dict[str, Any]:
    """Balls and sticks, Å; balls follow the covalent radii. Centres without nucleus are left out."""
    from ase.data import chemical_symbols, covalent_radii
    from ase.data.colors import jmol_colors

    numbers = np.asarray(system.geometry.atomic_numbers)
    real = np.flatnonzero(numbers > 0)
    numbers, positions = numbers[real], np.asarray(system.geometry.positions)[real] * ANGSTROM_PER_BOHR
    atoms = []
    for number, position in zip(numbers, positions, strict=True):
        colour = jmol_colors[number]
        atoms.append(
            {
                "symbol": chemical_symbols[number],
                "position": position.tolist(),
                "radius": 0.55 * float(covalent_radii[number]),
                "colour": "#" + "".join(f"{round(255 * c):02x}" for c in colour),
                "dark": bool(colour @ (0.3, 0.59, 0.11) < 0.5),
            }
        )
    return {
        "atoms": atoms,
        "bonds": bonds(numbers, positions).tolist(),
        "field": None if field is None else field.tolist(),
        "view": _view(positions),
    }


def _view(positions: np.ndarray) -> list[float]:
    """Turn about z and tilt, radians: onto the molecule's plane, a little from the side and from above."""
    centred = positions - positions.mean(axis=0)
    normal = np.linalg.svd(centred)[2][2] if len(positions) > 2 else np.array([0.0, 1.0, 0.0])
    if normal[1] < 0.0:
        normal = -normal
    # Turned by a and tilted by b, the view's axis is (-sin a cos b, cos a cos b, -sin b).
    turn, tilt = np.arctan2(-normal[0], normal[1]), -np.arcsin(np.clip(normal[2], -1.0, 1.0))
    return [float(turn + 0.35), float(tilt + 0.3)]


def _json(value: object) -> object:
    """Numbers that are not finite have no place in JSON."""
    return None if isinstance(value, float) and not np.isfinite(value) else value
