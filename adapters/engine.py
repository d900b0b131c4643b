"""The seam to a reference code: what the driver may ask of it.

All matrices are in the AO basis, atomic units, leading axis spin: one matrix of total densities for a closed
shell (trace of P S is N), alpha and beta for an open one.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Integrals:
    """One-electron matrices, (n, n), (3, n, n) or (3, 3, n, n), and the nuclear repulsion (Hartree).

    core: kinetic energy and nuclear attraction; dipole: ⟨μ|r|ν⟩ about the origin;
    quadrupole: ⟨μ|(r - O)(r - O)|ν⟩ about the centre of mass O, (3,) bohr.
    angular: ⟨μ|r × ∇|ν⟩ about the origin, antisymmetric; the angular momentum is -i times that.
    scale: (n,) how many times as long as NWChem's each function is; NWChem's tolerances refer to its own.
    """

    overlap: np.ndarray
    core: np.ndarray
    dipole: np.ndarray
    quadrupole: np.ndarray
    center_of_mass: np.ndarray
    nuclear_repulsion: float
    scale: np.ndarray
    angular: np.ndarray


@dataclass(frozen=True)
class Energies:
    """Electronic energies of one density, Hartree; exchange_correlation includes exact exchange."""

    core: float
    coulomb: float
    exchange_correlation: float

    @property
    def electronic(self) -> float:
        """Their sum: the total energy without the nuclear repulsion."""
        return self.core + self.coulomb + self.exchange_correlation


@dataclass(frozen=True, eq=False)
class FockBuild:
    """A field-free Fock matrix, (n_spin, n, n) complex Hermitian, and the energies of its density."""

    fock: np.ndarray
    energies: Energies


class Engine(Protocol):
    """A reference code for one system."""

    @property
    def integrals(self) -> Integrals:
        """One-electron matrices."""
        ...

    @property
    def exact_exchange(self) -> bool:
        """Whether the Fock matrix responds to the imaginary part of the density."""
        ...

    @property
    def linear(self) -> bool:
        """Whether the Fock matrix is linear in the density (Hartree-Fock)."""
        ...

    def fock(self, density: np.ndarray) -> FockBuild:
        """Fock matrix of a complex Hermitian density, (n_spin, n, n)."""
        ...

    def response(self, change: np.ndarray) -> np.ndarray:
        """First-order change of the Fock matrix at the ground state, for a Hermitian (n_spin, n, n)."""
        ...

    def mean_field_response(self, change: np.ndarray) -> np.ndarray:
        """The part of `response` that needs no quadrature: Coulomb and exact exchange."""
        ...

    def coulomb(self, change: np.ndarray) -> np.ndarray:
        """J (n, n) of a real total density."""
        ...
