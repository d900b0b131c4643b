"""Resonances of a ground state from the analytic kernel: where a field moves the density most.

For real orbitals δP_ai = u + iv of occupied i and empty a obeys u̇ = A v and v̇ = −B u, with
A = D + f L, B = D + f K; D: orbital energy differences, f: differences of occupation, K and L: the response
to real and to imaginary changes. So ω² are the eigenvalues of A^½ B A^½ (Casida's equation; Casida in Recent
Advances in Density Functional Methods, ed. Chong, 1995, p. 155).
"""

import numpy as np

from .auxiliary_kernel import apply_auxiliary_kernel
from .response_samples import Point


def resonances(point: Point) -> tuple[np.ndarray, np.ndarray]:
    """Energies (k,) in Hartree, ascending, and transition dipoles (k, 3), au, of a point with a kernel."""
    if point.kernel is None:
        raise ValueError("resonances need the analytic kernel")
    occupations, energies, basis = point.occupations, point.basis.energies, point.basis
    spin, a, i = np.nonzero((occupations[:, :, None] < 0.5) & (occupations[:, None, :] > 0.5))
    difference, filling = energies[spin, a] - energies[spin, i], occupations[spin, i]
    unit = np.zeros((len(spin), *point.density.shape), complex)
    row = np.arange(len(spin))
    unit[row, spin, a, i] = unit[row, spin, i, a] = 1.0
    real = basis.fock_in(apply_auxiliary_kernel(point.kernel, basis.density_out(unit)))
    unit[row, spin, a, i], unit[row, spin, i, a] = 1j, -1j
    imaginary = basis.fock_in(apply_auxiliary_kernel(point.kernel, basis.density_out(unit)))
    # Symmetric coordinates u / √f.
    root = np.sqrt(filling)
    A = np.diag(difference) + root[:, None] * np.imag(imaginary[:, spin, a, i]).T * root
    B = np.diag(difference) + root[:, None] * np.real(real[:, spin, a, i]).T * root
    values, vectors = np.linalg.eigh((A + A.T) / 2)
    half = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    squares, modes = np.linalg.eigh(half @ (B + B.T) @ half / 2)
    frequencies = np.sqrt(np.maximum(squares, 0.0))
    dipoles = (point.dipole[:, spin, a, i] * root) @ half @ modes
    return frequencies, (dipoles / np.sqrt(np.maximum(frequencies, 1e-6))).T
