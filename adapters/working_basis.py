"""The orthonormal basis a propagation works in: eigenvectors of the initial field-free Fock matrix.

    P = C P' C^†,   F' = C^† F C,   P' = C^† S P S C,   C^† S C = 1

In it the ground state is diagonal, so orbital occupations are read off P' and weak dynamics is a small
perturbation of known phases. NWChem works in the canonical basis U s^(-1/2); both span the same functions,
and `to_canonical` turns one into the other where NWChem's convergence test asks for the largest element of P'
in its own basis. Where the molecule has symmetry, every orbital belongs to one irrep, degenerate ones too.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from .engine import Integrals

#: NWChem drops eigenvectors of its S below this (dft's linear dependence tolerance).
LINEAR_DEPENDENCE = 1e-5
#: A Fock matrix connecting two irreps by more than this (Hartree) is not symmetric: rounding leaves 1e-8,
#: a grid without the symmetry 2e-7 (NWChem's, of benzene). What is left out turns degenerate modes into one
#: another at a constant rate: with a grid oblique to its axis LiF's dipole was 8e-4 off after 600 au.
SYMMETRIC = 5e-7


@dataclass(frozen=True, eq=False)
class SymmetryOrbitals:
    """combinations: (n, n), columns of AO coefficients; irreps: (n,), the irrep of each."""

    combinations: np.ndarray
    irreps: np.ndarray


@dataclass(frozen=True, eq=False)
class WorkingBasis:
    """coefficients C: (n_spin, n, m); dual C^† S: (n_spin, m, n); to_canonical: unitary (n_spin, m, m);
    energies: eigenvalues of the initial Fock matrix, (n_spin, m), Hartree. irreps: that of each orbital,
    (n_spin, m), numbered as in `pyscf/point_symmetry`; all 0 without symmetry."""

    coefficients: np.ndarray
    dual: np.ndarray
    to_canonical: np.ndarray
    energies: np.ndarray
    irreps: np.ndarray

    @property
    def n_functions(self) -> int:
        """m, the number of linearly independent functions."""
        return self.coefficients.shape[2]

    def density_in(self, density: np.ndarray) -> np.ndarray:
        """P' of an AO density (n_spin, n, n)."""
        return self.dual @ density @ self.dual.transpose(0, 2, 1)

    def density_out(self, density: np.ndarray) -> np.ndarray:
        """P of a working density (n_spin, m, m)."""
        return self.coefficients @ density @ self.coefficients.transpose(0, 2, 1)

    def fock_in(self, fock: np.ndarray) -> np.ndarray:
        """F' of an AO operator, (n_spin, n, n) or (n, n)."""
        return self.coefficients.transpose(0, 2, 1) @ fock @ self.coefficients


def canonical_orthogonalisation(overlap: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """NWChem's X = U s^(-1/2), (n, m), without the eigenvectors whose s is below LINEAR_DEPENDENCE.

    U and s are those of NWChem's overlap: its functions are these, divided by scale (n,).
    """
    s, u = np.linalg.eigh(overlap / np.outer(scale, scale))
    keep = s > LINEAR_DEPENDENCE
    return u[:, keep] / np.sqrt(s[keep]) / scale[:, None]


def make_working_basis(
    integrals: Integrals, fock: np.ndarray, symmetry: SymmetryOrbitals | None = None
) -> WorkingBasis:
    """Eigenvectors of a real field-free Fock matrix, (n_spin, n, n).

    symmetry: what a symmetric Fock matrix does not connect; passed over where this one is not symmetric.
    """
    overlap = integrals.overlap
    X = canonical_orthogonalisation(overlap, integrals.scale)
    focks = X.T @ fock @ X
    blocks, irreps = _blocks(X.T @ overlap, symmetry)
    if any(
        np.abs(a.T @ f @ b).max() > SYMMETRIC for f in focks for a in blocks for b in blocks if a is not b
    ):
        blocks, irreps = [np.eye(X.shape[1])], [0]
    found = [_eigenvectors(f, blocks, irreps) for f in focks]
    energies, rotations, numbers = (np.array(part) for part in zip(*found, strict=True))
    coefficients = X @ rotations
    return WorkingBasis(coefficients, coefficients.transpose(0, 2, 1) @ overlap, rotations, energies, numbers)


def _blocks(dual: np.ndarray, symmetry: SymmetryOrbitals | None) -> tuple[list[np.ndarray], list[int]]:
    """Orthonormal bases (m, m_Γ) of the irreps in the canonical basis, and their numbers.

    dual: XᵀS, which takes AO combinations there.
    """
    m = len(dual)
    if symmetry is None:
        return [np.eye(m)], [0]
    irreps = np.unique(symmetry.irreps).tolist()
    spans = [
        np.linalg.svd(dual @ symmetry.combinations[:, symmetry.irreps == irrep], full_matrices=False)[:2]
        for irrep in irreps
    ]
    # A combination that linear dependence has dropped leaves next to nothing.
    blocks = [u[:, s > np.sqrt(LINEAR_DEPENDENCE)] for u, s in spans]
    if sum(block.shape[1] for block in blocks) != m:
        return [np.eye(m)], [0]
    # An atom may be out of place by the tolerance of `symmetry_orbitals`: the blocks are orthogonal to that.
    u, _, vt = np.linalg.svd(np.hstack(blocks))
    return np.split(u @ vt, np.cumsum([block.shape[1] for block in blocks])[:-1], axis=1), irreps


def _eigenvectors(
    fock: np.ndarray, blocks: list[np.ndarray], irreps: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues (m,), ascending, eigenvectors (m, m), irreps (m,) of a matrix that keeps blocks apart."""
    pairs = [scipy.linalg.eigh(block.T @ fock @ block) for block in blocks]
    energies = np.concatenate([e for e, _ in pairs])
    vectors = np.hstack([block @ u for block, (_, u) in zip(blocks, pairs, strict=True)])
    order = np.argsort(energies, kind="stable")
    return energies[order], vectors[:, order], np.repeat(irreps, [b.shape[1] for b in blocks])[order]
