"""Hermitian matrices as real vectors, so that Frobenius products become dot products.

The real part of a Hermitian matrix is symmetric, the imaginary part antisymmetric; time reversal and the Fock
response keep them apart. Off-diagonal elements carry √2: |A|_F² = |x|² + |y|², x and y the packed parts.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Packing:
    """Index arrays for matrices of shape (n_spin, m, m).

    real_index, imag_index: where the upper triangle's elements stand in the interleaved (re, im) view of the
    matrix. real_weight, imag_weight: 1 on the diagonal, √2 off it.
    unpack_index, unpack_weight: for each entry of the interleaved view, its element of (x, y, 0) and factor.
    """

    shape: tuple[int, int, int]
    real_index: np.ndarray
    imag_index: np.ndarray
    real_weight: np.ndarray
    imag_weight: np.ndarray
    unpack_index: np.ndarray
    unpack_weight: np.ndarray

    @property
    def n_real(self) -> int:
        """Length of x."""
        return self.real_index.size

    @property
    def n_imag(self) -> int:
        """Length of y."""
        return self.imag_index.size


def make_packing(n_spin: int, m: int) -> Packing:
    """Packing of (n_spin, m, m) complex Hermitian matrices."""
    position = np.arange(n_spin * m * m).reshape(n_spin, m, m)
    i, j = np.triu_indices(m)
    a, b = np.triu_indices(m, 1)
    real, imag = position[:, i, j].ravel(), position[:, a, b].ravel()
    real_weight = np.tile(np.where(i == j, 1.0, np.sqrt(2.0)), n_spin)
    imag_weight = np.full(imag.size, np.sqrt(2.0))
    nothing = real.size + imag.size
    index = np.full((position.size, 2), nothing)
    weight = np.zeros((position.size, 2))
    for target, sign in ((real, 1.0), (position[:, j, i].ravel(), 1.0)):
        index[target, 0] = np.arange(real.size)
        weight[target, 0] = sign / real_weight
    for target, sign in ((imag, 1.0), (position[:, b, a].ravel(), -1.0)):
        index[target, 1] = real.size + np.arange(imag.size)
        weight[target, 1] = sign / imag_weight
    return Packing(
        (n_spin, m, m), 2 * real, 2 * imag + 1, real_weight, imag_weight, index.ravel(), weight.ravel()
    )


def pack(packing: Packing, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (n_real,) and y (n_imag,) of a Hermitian complex (n_spin, m, m)."""
    flat = np.ascontiguousarray(matrix).view(np.float64).reshape(-1)
    return flat[packing.real_index] * packing.real_weight, flat[packing.imag_index] * packing.imag_weight


def unpack(packing: Packing, real: np.ndarray, imag: np.ndarray) -> np.ndarray:
    """The Hermitian (n_spin, m, m) of x and y."""
    values = np.concatenate((real, imag, _ZERO))
    flat = values[packing.unpack_index]
    flat *= packing.unpack_weight
    return flat.view(np.complex128).reshape(packing.shape)


_ZERO = np.zeros(1)
