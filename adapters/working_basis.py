"""The orthonormal basis a propagation works in: eigenvectors of the initial field-free Fock matrix.

    P = C P' C^†,   F' = C^† F C,   P' = C^† S P S C,   C^† S C = 1

In it the ground state is diagonal, so orbital occupations are read off P' and weak dynamics is a small
perturbation of known phases. NWChem works in the canonical basis U s^(-1/2); both span the same functions,
and `to_canonical` turns one into the other where NWChem's convergence test asks for the largest element of P'
in its own basis.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

#: NWChem drops eigenvectors of S below this (dft's linear dependence tolerance).
LINEAR_DEPENDENCE = 1e-5


@dataclass(frozen=True, eq=False)
class WorkingBasis:
    """coefficients C: (n_spin, n, m); dual C^† S: (n_spin, m, n); to_canonical: unitary (n_spin, m, m);
    energies: eigenvalues of the initial Fock matrix, (n_spin, m), Hartree."""

    coefficients: np.ndarray
    dual: np.ndarray
    to_canonical: np.ndarray
    energies: np.ndarray

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


def canonical_orthogonalisation(overlap: np.ndarray) -> np.ndarray:
    """X = U s^(-1/2), (n, m), without the eigenvectors whose s is below LINEAR_DEPENDENCE."""
    s, u = np.linalg.eigh(overlap)
    keep = s > LINEAR_DEPENDENCE
    return u[:, keep] / np.sqrt(s[keep])


def make_working_basis(overlap: np.ndarray, fock: np.ndarray) -> WorkingBasis:
    """Eigenvectors of a real field-free Fock matrix, (n_spin, n, n)."""
    X = canonical_orthogonalisation(overlap)
    pairs = [scipy.linalg.eigh(X.T @ f @ X) for f in fock]
    energies = np.array([e for e, _ in pairs])
    rotations = np.array([u for _, u in pairs])
    coefficients = X @ rotations
    return WorkingBasis(coefficients, coefficients.transpose(0, 2, 1) @ overlap, rotations, energies)
