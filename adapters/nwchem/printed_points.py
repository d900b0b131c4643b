"""What NWChem's log says of one time point, gathered line by line."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..engine import Energies
from ..log.reader import match_line
from ..log.step_block import ENERGIES
from ..system import System
from .deck_writer import TAG

_CHANGE, _COUNT = "# Magnus interpol (matrix", "# Magnus total interpolations"
#: Ends the lines of a point, save those of the step that starts there.
_SAVED = "### Saved restart file ###"


@dataclass(eq=False)
class PrintedPoint:
    """One point's lines. values: by (label, geometry, spin); changes: of each correction from the second on.

    time: au, NaN where it did not fit its column;
    corrections: Fock builds of the step that starts here; 0 until NWChem has made it, and without Magnus.
    """

    values: dict[tuple[str, str, str], tuple[float, ...]] = field(default_factory=dict)
    time: float = math.nan
    changes: list[list[float]] = field(default_factory=list)
    corrections: int = 0

    @property
    def energies(self) -> Energies:
        """Electronic energies, Hartree."""
        one = {name: self.values[name, "", ""][0] for name in ("Ecore", "Ecoul", "Exc(1)", "Exc(2)")}
        return Energies(one["Ecore"], one["Ecoul"], one["Exc(1)"] + one["Exc(2)"])

    @property
    def missing(self) -> str:
        """The first label without a finite number that every point must have; nothing where none is."""
        there = {key[0] for key, numbers in self.values.items() if np.isfinite(numbers).all()}
        return next((label for label in (*ENERGIES, "Dipole moment", "Charge") if label not in there), "")


@dataclass(eq=False)
class PointReader:
    """Takes the log's lines as they come; `points` are those whose restart file has been saved."""

    n_spin: int
    points: list[PrintedPoint] = field(default_factory=list)
    _open: PrintedPoint = field(default_factory=PrintedPoint)

    def take(self, line: str) -> None:
        """One line of NWChem's log."""
        if not line.startswith(TAG):
            return
        if _SAVED in line:
            self._open.time = _time(line)
            self.points.append(self._open)
            self._open = PrintedPoint()
        elif _CHANGE in line and self.points:
            changes = self.points[-1].changes
            if not changes or len(changes[-1]) == self.n_spin:
                changes.append([])
            changes[-1].append(_last_number(line))
        elif _COUNT in line and self.points:
            self.points[-1].corrections = int(_last_number(line))
        else:
            found = match_line(line)
            if found is not None:
                key, values = found
                self._open.values[key.name, key.geometry, key.spin] = values


def _time(line: str) -> float:
    try:
        return float(line.removeprefix(TAG).split()[0])
    except (ValueError, IndexError):
        return math.nan


def _last_number(line: str) -> float:
    """What stands ahead of a line's label; 0 where it is garbled, for it only counts builds."""
    try:
        number = float(line.split("#")[0].split()[-1])
    except (ValueError, IndexError):
        return 0.0
    return number if abs(number) < 1e9 else 0.0


def quantities(points: list[PrintedPoint], system: System) -> Mapping[str, np.ndarray]:
    """Arrays by their names in `StepBlock`: dipole, charge, energies; quadrupole, s2, cpu_time if printed."""
    spins = ("alpha", "beta", "total") if system.open_shell else ("",)
    names = [g.name for g in system.geometries]

    def by_geometry(label: str) -> np.ndarray:
        return np.array([[[p.values[label, g, s] for s in spins] for g in names] for p in points])

    arrays = {"dipole": by_geometry("Dipole moment"), "charge": by_geometry("Charge")[..., 0]}
    arrays["energies"] = np.array([[p.values[name, "", ""][0] for name in ENERGIES] for p in points])
    for name, label in (("quadrupole", "Quadrupole moment"), ("s2", "<S^2>"), ("cpu_time", "CPU time")):
        if (label, "", "") in points[0].values:
            arrays[name] = np.array([p.values[label, "", ""] for p in points])
    for name in ("s2", "cpu_time"):
        if name in arrays:
            arrays[name] = arrays[name][:, 0]
    return arrays
