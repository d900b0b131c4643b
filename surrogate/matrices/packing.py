"""Hermitian matrices as real vectors, so that Frobenius products become dot products.

The real part of a Hermitian matrix is symmetric, the imaginary part antisymmetric; time reversal and the Fock
response keep them apart. Off-diagonal elements carry √2: |A|_F² = |x|² + |y|², x and y the packed parts.

Elements are ordered by irrep, so that what a symmetric response keeps apart are slices of x and y: the
element of two orbitals belongs to the product of their irreps, the exclusive or of their numbers.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, eq=False)
class Packing:
    """Index arrays for matrices of shape (n_spin, m, m).

    real_index, imag_index: where the upper triangle's elements stand in the interleaved (re, im) view of the
    matrix. real_weight, imag_weight: 1 on the diagonal, √2 off it.
    unpack_index, unpack_weight: for each entry of the interleaved view, its element of (x, y, 0) and factor.
    real_blocks, imag_blocks: the slices of x and of y that belong to one irrep each.
    """

    shape: tuple[int, int, int]
    real_index: np.ndarray
    imag_index: np.ndarray
    real_weight: np.ndarray
    imag_weight: np.ndarray
    unpack_index: np.ndarray
    unpack_weight: np.ndarray
    real_blocks: tuple[slice, ...]
    imag_blocks: tuple[slice, ...]

    @property
    def n_real(self) -> int:
        """Length of x."""
        return self.real_index.size

    @property
    def n_imag(self) -> int:
        """Length of y."""
        return self.imag_index.size


def make_packing(irreps: np.ndarray) -> Packing:
    """Packing of (n_spin, m, m) complex Hermitian matrices between orbitals of these irreps, (n_spin, m)."""
    n_spin, m = irreps.shape
    position = np.arange(n_spin * m * m).reshape(n_spin, m, m)
    upper, mirrored, real_blocks = _by_irrep(position, irreps, *np.triu_indices(m))
    above, below, imag_blocks = _by_irrep(position, irreps, *np.triu_indices(m, 1))
    real_weight = np.where(upper == mirrored, 1.0, np.sqrt(2.0))
    imag_weight = np.full(above.size, np.sqrt(2.0))
    nothing = upper.size + above.size
    index = np.full((position.size, 2), nothing)
    weight = np.zeros((position.size, 2))
    for target, sign in ((upper, 1.0), (mirrored, 1.0)):
        index[target, 0] = np.arange(upper.size)
        weight[target, 0] = sign / real_weight
    for target, sign in ((above, 1.0), (below, -1.0)):
        index[target, 1] = upper.size + np.arange(above.size)
        weight[target, 1] = sign / imag_weight
    return Packing(
        (n_spin, m, m),
        2 * upper,
        2 * above + 1,
        real_weight,
        imag_weight,
        index.ravel(),
        weight.ravel(),
        real_blocks,
        imag_blocks,
    )


def _by_irrep(
    position: np.ndarray, irreps: np.ndarray, i: np.ndarray, j: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[slice, ...]]:
    """Positions of the elements (i, j) and (j, i) of all spins, ordered by irrep, and the irreps' slices."""
    products = (irreps[:, i] ^ irreps[:, j]).ravel()
    order = np.argsort(products, kind="stable")
    bounds = [0, *np.cumsum(np.unique(products, return_counts=True)[1]).tolist()]
    blocks = tuple(slice(a, b) for a, b in pairwise(bounds))
    return position[:, i, j].ravel()[order], position[:, j, i].ravel()[order], blocks


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
