"""Orbitals that a task starts from: those of earlier tasks, alone or put together from fragments."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .engine import Integrals


@dataclass(frozen=True, eq=False)
class Orbitals:
    """Molecular orbitals: coefficients (n_spin, n, m), energies (Hartree) and occupations (n_spin, m).

    fock_builds: how many Fock matrices it took to get them.
    """

    coefficients: np.ndarray
    energies: np.ndarray
    occupations: np.ndarray
    total_energy: float
    fock_builds: int

    def density(self) -> np.ndarray:
        """Real AO density (n_spin, n, n)."""
        return np.einsum("smi,si,sni->smn", self.coefficients, self.occupations, self.coefficients)


def as_propagated(orbitals: Orbitals, electrons: tuple[int, int]) -> Orbitals:
    """Orbitals with the occupations that NWChem's propagation gives them; electrons: of alpha and beta spin.

    An open shell is filled from its first orbital on, whatever a file says; a closed one is taken as it is.
    """
    if len(orbitals.coefficients) == 1:
        return orbitals
    columns = np.arange(orbitals.coefficients.shape[2])
    return replace(orbitals, occupations=(columns < np.array(electrons)[:, None]).astype(float))


def swapped(orbitals: Orbitals, pairs: Sequence[tuple[int, int]], spin: int) -> Orbitals:
    """Orbitals of one spin with pairs of them in each other's place; occupations stay where they are.

    Raises ValueError for an orbital that is not there.
    """
    n_spin, _, m = orbitals.coefficients.shape
    if pairs and (spin >= n_spin or max(max(pair) for pair in pairs) >= m):
        raise ValueError(f"vectors swap: there are {m} orbitals of {n_spin} spin")
    order = list(range(m))
    for i, j in pairs:
        order[i], order[j] = order[j], order[i]
    coefficients, energies = orbitals.coefficients.copy(), orbitals.energies.copy()
    coefficients[spin], energies[spin] = coefficients[spin][:, order], energies[spin][order]
    return replace(orbitals, coefficients=coefficients, energies=energies)


def occupied(orbitals: Orbitals, occupations: Sequence[Sequence[float]]) -> Orbitals:
    """Orbitals with these occupations, by spin, from the first one on; the others are empty.

    Raises ValueError where there are more occupations than orbitals, or another number of electrons.
    """
    numbers = np.zeros_like(orbitals.occupations)
    if max(len(row) for row in occupations) > numbers.shape[1]:
        raise ValueError(f"occup: there are {numbers.shape[1]} orbitals")
    for row, values in zip(numbers, occupations, strict=True):
        row[: len(values)] = values
    electrons, given = orbitals.occupations.sum(), numbers.sum()
    if abs(electrons - given) > 1e-6:
        raise ValueError(f"occup holds {given:g} electrons, the orbitals {electrons:g}")
    return replace(orbitals, occupations=numbers)


def largest_force(orbitals: Orbitals, fock: np.ndarray) -> float:
    """Largest |F_ij (n_i - n_j)| / n_max (Hartree) of a real AO Fock matrix (n_spin, n, n).

    It is zero at a stationary point of the energy; NWChem's SCF leaves up to 1.4e-4 by default.
    """
    inside = orbitals.coefficients.swapaxes(1, 2) @ fock @ orbitals.coefficients
    differences = orbitals.occupations[:, :, None] - orbitals.occupations[:, None, :]
    return float(np.abs(inside * differences).max() / max(orbitals.occupations.max(), 1e-12))


def assemble_fragments(fragments: list[Orbitals], integrals: Integrals) -> Orbitals:
    """Orbitals of a system from those of its fragments, in the order of its atoms.

    Occupied orbitals of all fragments come first and keep their span when they are made orthonormal; the
    virtual ones follow. Energies are those of the fragments. Raises ValueError when the functions do not add
    up.
    """
    n = len(integrals.overlap)
    n_fragments = sum(f.coefficients.shape[1] for f in fragments)
    if n_fragments != n:
        raise ValueError(f"fragments have {n_fragments} basis functions, the system {n}")
    n_spin = fragments[0].coefficients.shape[0]
    if any(f.coefficients.shape[0] != n_spin for f in fragments):
        raise ValueError("fragments mix restricted and unrestricted orbitals")
    parts = []
    for spin in range(n_spin):
        columns, energies, occupations = [], [], []
        start = 0
        for fragment in fragments:
            c = fragment.coefficients[spin]
            columns.append(np.zeros((n, c.shape[1])))
            columns[-1][start : start + len(c)] = c
            start += len(c)
            energies.append(fragment.energies[spin])
            occupations.append(fragment.occupations[spin])
        occupation = np.concatenate(occupations)
        order = np.argsort(-occupation, kind="stable")
        coefficients = _orthonormalised(np.concatenate(columns, axis=1)[:, order], integrals.overlap)
        parts.append((coefficients, np.concatenate(energies)[order], occupation[order]))
    return Orbitals(
        np.array([p[0] for p in parts]),
        np.array([p[1] for p in parts]),
        np.array([p[2] for p in parts]),
        float("nan"),
        0,
    )


def _orthonormalised(columns: np.ndarray, overlap: np.ndarray) -> np.ndarray:
    """Gram-Schmidt from left to right, by the Cholesky factor of the columns' own overlap."""
    factor = np.linalg.cholesky(columns.T @ overlap @ columns)
    return np.linalg.solve(factor, columns.T).T
