"""Exchange and correlation between pairs of orbitals, on the reference's own grid.

    2 Σ_g Σ_tu B_t,ai f_tu B_u,bj,    B: φ_a φ_i, its gradient, and ½ ∇φ_a·∇φ_i

f: second derivatives of the functional with their weights, as the reference has them. So nothing is left out
but digits: products are in single precision, sums over blocks of points in double. The cost grows with the
square of the pairs in a block; where that is large, irreps that no field moves are not asked for.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...adapters.pyscf.quadrature import Quadrature, ao_blocks


class PairedOrbitals(NamedTuple):
    """Pairs of a block, all of one spin.

    spin. coefficients: (n, m) of that spin. empty, occupied: (d,) numbers of orbitals.
    places: (d,) in the block.
    """

    spin: int
    coefficients: np.ndarray
    empty: np.ndarray
    occupied: np.ndarray
    places: np.ndarray


def add_exchange_correlation(
    quadrature: Quadrature,
    kernel: np.ndarray,
    blocks: Sequence[Sequence[PairedOrbitals]],
    matrices: Sequence[np.ndarray],
) -> None:
    """Add it to the matrix (d, d) of every block.

    kernel: w f, (n_spin, v, n_spin, v, n_grid), v: ρ, ∇ρ, τ as the functional has them.
    """
    n_variables = kernel.shape[1]
    for points, ao in ao_blocks(quadrature):
        weights = kernel[..., points].astype(np.float32)
        for block, matrix in zip(blocks, matrices, strict=True):
            products = [_products(ao, pairs, n_variables) for pairs in block]
            for left, some in zip(block, products, strict=True):
                for right, others in zip(block, products, strict=True):
                    f = weights[left.spin, :, right.spin]
                    # Left times f first: (u, g, d).
                    weighted = np.einsum("tug,tgd->ugd", f, some, optimize=True)
                    size = n_variables * some.shape[1]
                    found = weighted.reshape(size, -1).T @ others.reshape(size, -1)
                    matrix[np.ix_(left.places, right.places)] += 2.0 * found


def _products(ao: np.ndarray, pairs: PairedOrbitals, n_variables: int) -> np.ndarray:
    """B of a block of points, (v, g, d)."""
    values = ao @ pairs.coefficients.astype(np.float32)
    empty, occupied = values[..., pairs.empty], values[..., pairs.occupied]
    found = np.empty((n_variables, *empty.shape[1:]), np.float32)
    np.multiply(empty[0], occupied[0], out=found[0])
    for x in range(1, min(n_variables, 4)):
        found[x] = empty[x] * occupied[0] + empty[0] * occupied[x]
    if n_variables > 4:
        found[4] = 0.5 * np.einsum("xgd,xgd->gd", empty[1:4], occupied[1:4])
    return found
