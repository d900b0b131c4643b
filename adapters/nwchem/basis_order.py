"""Basis functions as NWChem and as PySCF order and normalise them.

NWChem keeps the shells of an atom in the order of the deck; PySCF sorts them by angular momentum. Both run
through the contractions of a shell first and its components inside, and order the components alike:

    cartesian   x^l, x^(l-1) y, x^(l-1) z, … z^l; p: x, y, z
    spherical   m = -l … l; p: x, y, z

From d on, NWChem scales the cartesian components of a shell so that x^l has norm one (in PySCF its norm is
√(4π / (2l+1))), and its spherical functions of odd m > 0 have the opposite sign.
"""

import numpy as np

from ..system import System
from ..system.system import cartesian_scale


def nwchem_order(system: System) -> tuple[np.ndarray, np.ndarray]:
    """Where NWChem's functions are among PySCF's, and how large: `(permutation, scale)`, both (n_basis,).

    P_nw[i, j] = scale[i] scale[j] P[permutation[i], permutation[j]], see `density_to_nwchem`.
    """
    permutation, scale, start = [], [], 0
    for tag in system.geometry.tags:
        shells = system.basis[tag]
        # A shell is [l, [exponent, coefficient of contraction 1, 2, ...], ...].
        factors = [np.tile(_scale(shell[0], system.spherical), len(shell[-1]) - 1) for shell in shells]
        first = [0] * len(shells)
        for k in sorted(range(len(shells)), key=lambda k: shells[k][0]):
            first[k], start = start, start + len(factors[k])
        permutation += [np.arange(f, f + len(c)) for f, c in zip(first, factors, strict=True)]
        scale += factors
    return np.concatenate(permutation), np.concatenate(scale)


def density_to_nwchem(density: np.ndarray, order: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Density matrices (..., n_basis, n_basis) of PySCF's functions as matrices of NWChem's."""
    permutation, scale = order
    return density[..., permutation[:, None], permutation] * np.outer(scale, scale)


def density_from_nwchem(density: np.ndarray, order: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The inverse of `density_to_nwchem`."""
    permutation, scale = order
    inverse = np.argsort(permutation)
    return (density / np.outer(scale, scale))[..., inverse[:, None], inverse]


def _scale(degree: int, spherical: bool) -> np.ndarray:
    """Factors of the density for the components of one contraction."""
    if not spherical:
        return np.full((degree + 1) * (degree + 2) // 2, cartesian_scale(degree))
    m = np.arange(-degree, degree + 1)
    return np.where((degree > 1) & (m > 0) & (m % 2 == 1), -1.0, 1.0)
