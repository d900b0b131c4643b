"""What a log says of a block of consecutive time points."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

#: The rows of `StepBlock.energies`, in order.
ENERGIES = ("Enuc", "Ecore", "Ecoul", "Exc(1)", "Exc(2)", "Etot", "Eadded")


@dataclass(frozen=True, eq=False)
class StepBlock:
    """k consecutive time points; everything in au. A quantity that the deck does not print may stay None.

    Geometries come in the order of `System.geometries`. `spins` is one (the total) for a closed shell and
    three (alpha, beta, total) for an open one, `n_spin` one or two.

    time: (k,).
    printed: (k,) bool, the print points; elsewhere only messages and Magnus lines appear. None: all are.
    applied_field: (k, n_geometries, 2, 3), alpha and beta also for a closed shell; None without `excite`.
    energies: (k, 7) in the order of `ENERGIES`.
    charge: (k, n_geometries, spins), electronic, hence negative.
    magnetic: (k, 3), an extension of NWChem's log.
    dipole: (k, n_geometries, spins, 3); quadrupole: (k, 6) xx xy xz yy yz zz.
    orbital_occupations: (k, n_spin, n_orbitals).
    s2: (k,); cpu_time: (k,) seconds.
    dipole_contributions: (k, n_spin, n_axes, n_first, n_second).
    interpolations: (k,) int, Magnus iterations of the step that starts at each point; 0 prints no line.
    changes: (k, ≥ largest count - 1, n_spin), the change of the density's norm from iteration 2 on.
    before, after: by row, messages ahead of the quantities (checks, time left, snapshots) and behind them
        (restart file saved).
    """

    time: np.ndarray
    printed: np.ndarray | None = None
    applied_field: np.ndarray | None = None
    energies: np.ndarray | None = None
    charge: np.ndarray | None = None
    dipole: np.ndarray | None = None
    magnetic: np.ndarray | None = None
    quadrupole: np.ndarray | None = None
    orbital_occupations: np.ndarray | None = None
    s2: np.ndarray | None = None
    cpu_time: np.ndarray | None = None
    dipole_contributions: np.ndarray | None = None
    interpolations: np.ndarray | None = None
    changes: np.ndarray | None = None
    before: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    after: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
