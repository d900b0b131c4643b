"""A molecular system: what one deck describes at one of its tasks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .functional import Functional
from .geometry import Geometry

#: Contracted shells as PySCF writes them: [[l, [exponent, c1, c2, ...], ...], ...].
Shells = list[list[Any]]


@dataclass(frozen=True, eq=False)
class System:
    """Nuclei, basis, charge, multiplicity, functional.

    geometry: the active geometry.
    geometries: every geometry named in the deck so far, the active one included, in order of definition;
        `excite`, dipole and charge lines refer to them by name, each a fragment of the active one.
    basis, ecp: by tag of `geometry`; ecp in PySCF's format, empty where no atom has one.
    spherical: pure (True) or cartesian (False) functions; cartesian is NWChem's default.
    fitting_basis: the `cd basis` by tag, or None for exact Coulomb; fitting_spherical: it is pure.
    grid: NWChem's quality word: xcoarse, coarse, medium, fine, xfine, huge.
    open_shell: True for unrestricted (`odft`, or multiplicity above 1).
    """

    geometry: Geometry
    geometries: tuple[Geometry, ...]
    basis: Mapping[str, Shells]
    spherical: bool
    ecp: Mapping[str, Any]
    fitting_basis: Mapping[str, Shells] | None
    charge: int
    multiplicity: int
    open_shell: bool
    functional: Functional
    grid: str
    dispersion: str | None = None
    fitting_spherical: bool = False

    @property
    def n_spin(self) -> int:
        """Number of density matrices: 1 closed shell (total density), 2 open shell (alpha, beta)."""
        return 2 if self.open_shell else 1

    @property
    def n_basis(self) -> int:
        """Number of basis functions."""
        return sum(n_functions(self.basis[tag], self.spherical) for tag in self.geometry.tags)

    @property
    def electrons(self) -> tuple[int, int]:
        """Of alpha and beta spin; those inside an ECP do not count."""
        core = sum(self.ecp[tag][0] for tag in self.geometry.tags if tag in self.ecp)
        total = int(self.geometry.atomic_numbers.sum()) - core - self.charge
        alpha = (total + self.multiplicity - 1) // 2
        return alpha, total - alpha


def n_functions(shells: Shells, spherical: bool) -> int:
    """Number of functions of an atom's shells."""
    return sum(
        (2 * shell[0] + 1 if spherical else (shell[0] + 1) * (shell[0] + 2) // 2) * (len(shell[1]) - 1)
        for shell in shells
    )


def cartesian_scale(degree: int) -> float:
    """How many times as long as NWChem's a cartesian function of PySCF is, √(4π / (2l+1)) from d on.

    Both normalise the radial part alone; in NWChem x^l has norm one.
    """
    return math.sqrt(4.0 * math.pi / (2 * degree + 1)) if degree > 1 else 1.0


#: Two nuclei are the same atom below this distance (bohr).
SAME_ATOM = 1e-8


def function_mask(system: System, fragment: Geometry) -> np.ndarray:
    """(n,) bool: the basis functions on those atoms of the active geometry that are also in `fragment`."""
    geometry = system.geometry
    distances = np.linalg.norm(geometry.positions[:, None] - fragment.positions[None], axis=2)
    atoms = (distances < SAME_ATOM).any(axis=1)
    counts = [n_functions(system.basis[tag], system.spherical) for tag in geometry.tags]
    return np.repeat(atoms, counts)
