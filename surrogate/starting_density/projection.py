"""The density of a system from converged orbitals of the same nuclei in another basis, or with other spins.

    C = S⁻¹ S_small C_small,      then C (Cᵀ S C)^(-1/2)

with S_small the overlap of the system's functions with those of the other basis. Occupied are the
lowest orbitals of each spin, as many as the system has electrons; one set of orbitals serves both spins.
"""

from dataclasses import dataclass, replace

import numpy as np
from pyscf import gto

from ...adapters.pyscf.molecule import molecule
from ...adapters.system import System
from ...adapters.working_basis import canonical_orthogonalisation
from .extrapolation import Extrapolation, Snapshot
from .predictor import NotApplicable
from .purification import purify


@dataclass(frozen=True, eq=False)
class Projection:
    """Predicts from the orbitals of another system.

    source: its nuclei and basis. coefficients: (n_spin, n, m) of its orbitals, by energy.
    """

    source: System
    coefficients: np.ndarray
    name: str

    def predict(self, system: System) -> np.ndarray:
        """Idempotent density (n_spin, n, n). Raises NotApplicable where the atoms are others."""
        mol = molecule(system)
        counts = mol.nelec[: system.n_spin]
        if not np.array_equal(self.source.geometry.atomic_numbers, system.geometry.atomic_numbers):
            raise NotApplicable(f"{self.name}: other atoms, or in another order")
        if max(counts) > self.coefficients.shape[2]:
            raise NotApplicable(f"{self.name}: fewer orbitals than {max(counts)} electrons of one spin need")
        small = _with_electrons_of(system, self.source)
        sets = [self.coefficients[min(spin, len(self.coefficients) - 1)] for spin in range(system.n_spin)]
        occupied = tuple(C[:, :k] for C, k in zip(sets, counts, strict=True))
        there = Extrapolation((Snapshot(self.source.geometry, occupied),), self.name).predict(small)
        of_small = molecule(small)
        orbitals = purify(there, of_small.intor("int1e_ovlp"), counts).orbitals
        overlap = mol.intor("int1e_ovlp")
        X = canonical_orthogonalisation(overlap, np.ones(len(overlap)))
        project = X @ X.T @ gto.intor_cross("int1e_ovlp", mol, of_small)
        share = 2.0 / system.n_spin
        return np.array([share * _projector(project @ C, overlap) for C in orbitals])


def _with_electrons_of(system: System, source: System) -> System:
    """The other basis on the system's nuclei, with its electrons."""
    return replace(
        source,
        geometry=replace(source.geometry, positions=system.geometry.positions),
        ecp=system.ecp,
        charge=system.charge,
        multiplicity=system.multiplicity,
        open_shell=system.open_shell,
    )


def _projector(C: np.ndarray, overlap: np.ndarray) -> np.ndarray:
    """C (Cᵀ S C)⁻¹ Cᵀ of orbitals (n, k)."""
    if C.shape[1] == 0:
        return np.zeros_like(overlap)
    return C @ np.linalg.solve(C.T @ overlap @ C, C.T)
