"""What NWChem's log says of one time point, gathered line by line."""

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

    corrections: Fock builds of the step that starts here; 0 until NWChem has made it, and without Magnus.
    """

    values: dict[tuple[str, str, str], tuple[float, ...]] = field(default_factory=dict)
    changes: list[list[float]] = field(default_factory=list)
    corrections: int = 0

    @property
    def energies(self) -> Energies:
        """Electronic energies, Hartree."""
        one = {name: self.values[name, "", ""][0] for name in ("Ecore", "Ecoul", "Exc(1)", "Exc(2)")}
        return Energies(one["Ecore"], one["Ecoul"], one["Exc(1)"] + one["Exc(2)"])


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
            self.points.append(self._open)
            self._open = PrintedPoint()
        elif _CHANGE in line and self.points:
            changes = self.points[-1].changes
            if not changes or len(changes[-1]) == self.n_spin:
                changes.append([])
            changes[-1].append(float(line.split("#")[0].split()[-1]))
        elif _COUNT in line and self.points:
            self.points[-1].corrections = int(line.split("#")[0].split()[-1])
        else:
            found = match_line(line)
            if found is not None:
                key, values = found
                self._open.values[key.name, key.geometry, key.spin] = values


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
