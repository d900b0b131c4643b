"""Excitations of a ground state by Casida's equation, and those of the analytic kernel, which a field drives.

For real orbitals δP_ai = u + iv of occupied i and empty a, in coordinates u / √f and v / √f with f the
difference of occupation, obeys u̇ = (A − B) v and v̇ = −(A + B) u. Both matrices are D + √f K √f: D the orbital
energy differences, K the response to imaginary and to real changes. So ω² and Z are the eigenpairs of

    (A − B)^½ (A + B) (A − B)^½ Z = ω² Z,      d_n = Σ_ia √f r_ia [(A − B)^½ Z_n]_ia / ω_n^½

Casida, in Recent Advances in Density Functional Methods I, ed. Chong (1995), p. 155.
"""

from dataclasses import dataclass

import numpy as np

from ..kernel.analytic import apply_auxiliary_kernel
from .sampling import Point

#: Excitations below this (Hartree) are none: the ground state gives way without resistance, or is no minimum.
LEAST_ENERGY = 1e-6


@dataclass(frozen=True, eq=False)
class Excitations:
    """energies: (r,) Hartree, ascending, 0 for imaginary ones; dipoles: (r, 3) transition moments, au, both
    spins'."""

    energies: np.ndarray
    dipoles: np.ndarray

    @property
    def strengths(self) -> np.ndarray:
        """Oscillator strengths ⅔ ω |d|², (r,)."""
        return 2.0 / 3.0 * self.energies * np.sum(self.dipoles**2, axis=1)


def excitations(difference: np.ndarray, total: np.ndarray, pairs: np.ndarray) -> Excitations:
    """From A − B and A + B, symmetric (p, p), and the pairs' √f r_ia (p, 3)."""
    sizes, vectors = np.linalg.eigh(difference)
    root = (vectors * np.sqrt(np.maximum(sizes, 0.0))) @ vectors.T
    squares, Z = np.linalg.eigh(root @ total @ root)
    energies = np.sqrt(np.maximum(squares, 0.0))
    return Excitations(energies, (root @ Z / np.sqrt(np.maximum(energies, LEAST_ENERGY))).T @ pairs)


def resonances(point: Point) -> Excitations | None:
    """Excitations of a point by its analytic kernel; None where it has no kernel."""
    if point.kernel is None:
        return None
    occupations, energies, basis = point.occupations, point.basis.energies, point.basis
    spin, a, i = np.nonzero((occupations[:, :, None] < 0.5) & (occupations[:, None, :] > 0.5))
    root = np.sqrt(occupations[spin, i])
    unit = np.zeros((len(spin), *point.density.shape), complex)
    row = np.arange(len(spin))
    unit[row, spin, a, i] = unit[row, spin, i, a] = 1.0
    real = basis.fock_in(apply_auxiliary_kernel(point.kernel, basis.density_out(unit)))
    unit[row, spin, a, i], unit[row, spin, i, a] = 1j, -1j
    imaginary = basis.fock_in(apply_auxiliary_kernel(point.kernel, basis.density_out(unit)))
    gaps = np.diag(energies[spin, a] - energies[spin, i])
    difference = gaps + root[:, None] * np.imag(imaginary[:, spin, a, i]).T * root
    total = gaps + root[:, None] * np.real(real[:, spin, a, i]).T * root
    pairs = (point.dipole[:, spin, a, i] * root).T
    return excitations((difference + difference.T) / 2, (total + total.T) / 2, pairs)
