"""Exchange and correlation between pairs of orbitals, on the reference's own grid.

    2 Σ_g Σ_tu B_t,ai f_tu B_u,bj,    B: φ_a φ_i, its gradient, and ½ ∇φ_a·∇φ_i

f: second derivatives of the functional with their weights, as the reference has them. So nothing is left out
but digits: of many pairs products are in single precision, sums over blocks of points in double. The cost
grows with the square of the pairs in a block; where that is large, irreps that no field moves are not asked
for. All pairs of a block change sign alike under the molecule's operations: one image of a point is enough.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ...adapters.pyscf.quadrature import Quadrature, ao_blocks
from .mirror_images import Distinct, distinct_points, operations_of, orbital_signs

#: Points at once, of those that are summed.
_POINTS = 512
#: Pairs of a block up to which products are in double precision: water's kernel was 3e-6 off in single.
_DOUBLE = 400
#: Pairs at once: what lies below the diagonal of a matrix is not made again.
_STRIPE = 256


class PairedOrbitals(NamedTuple):
    """Pairs of a block, all of one spin.

    spin. coefficients: (n, m) of that spin. empty, occupied: (d,) numbers of orbitals.
    places: in the block, one after another.
    """

    spin: int
    coefficients: np.ndarray
    empty: np.ndarray
    occupied: np.ndarray
    places: slice


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
    distinct = summed_points(quadrature, kernel, blocks)
    precision = np.float64 if max(map(len, matrices)) <= _DOUBLE else np.float32
    for points, images, ao in _gathered(quadrature, distinct):
        weights = (kernel[..., points] * (2.0 * images)).astype(precision)
        for block, matrix in zip(blocks, matrices, strict=True):
            products = [_products(ao, pairs, n_variables, precision) for pairs in block]
            for k, (left, some) in enumerate(zip(block, products, strict=True)):
                for right, others in zip(block[k:], products[k:], strict=True):
                    # Left times f first: (u, g, d).
                    f = weights[left.spin, :, right.spin]
                    weighted = np.einsum("tug,tgd->ugd", f, some, optimize=True)
                    size = n_variables * some.shape[1]
                    add_products(matrix, (left, right), weighted.reshape(size, -1), others.reshape(size, -1))


def add_products(
    matrix: np.ndarray,
    pairs: tuple[PairedOrbitals, PairedOrbitals],
    weighted: np.ndarray,
    others: np.ndarray,
) -> None:
    """Add left times right of (size, d) each, and its transpose on the other side of the diagonal."""
    left, right = (part.places.start for part in pairs)
    for begin in range(0, weighted.shape[1], _STRIPE):
        end = min(begin + _STRIPE, weighted.shape[1])
        first = begin if left == right else 0
        found = weighted[:, begin:end].T @ others[:, first:]
        rows, columns = slice(left + begin, left + end), slice(right + first, pairs[1].places.stop)
        matrix[rows, columns] += found
        if left == right:
            found, columns = found[:, end - first :], slice(right + end, columns.stop)
        matrix[columns, rows] += found.T


def summed_points(
    quadrature: Quadrature, kernel: np.ndarray, blocks: Sequence[Sequence[PairedOrbitals]]
) -> Distinct:
    """The points that are summed, and how often each counts."""
    operations = operations_of(quadrature.mol)
    signs = {
        pairs.spin: orbital_signs(quadrature, operations, pairs.coefficients)
        for block in blocks
        for pairs in block
    }
    alike = np.ones(len(operations), bool)
    for block in blocks:
        of_pairs = np.hstack([signs[p.spin][:, p.empty] * signs[p.spin][:, p.occupied] for p in block])
        alike &= (of_pairs[:, 0] != 0.0) & (of_pairs == of_pairs[:, :1]).all(axis=1)
    integrands = [quadrature.weights, *np.einsum("stutg->sug", kernel).reshape(-1, kernel.shape[-1])]
    return distinct_points(quadrature, operations[alike], integrands)


def _gathered(
    quadrature: Quadrature, distinct: Distinct
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Numbers of points (g,), how often each counts (g,), and AO values (c, g, n) there, some at a time."""
    numbers, values, held = [], [], 0
    for points, ao in ao_blocks(quadrature):
        first, last = np.searchsorted(distinct.numbers, (points.start, points.stop))
        if first < last:
            own = distinct.numbers[first:last]
            numbers.append(slice(first, last))
            values.append(ao[:, own - points.start])
            held += len(own)
        if held and (held >= _POINTS or points.stop == len(quadrature.coords)):
            some = np.r_[tuple(numbers)]
            yield distinct.numbers[some], distinct.images[some], np.concatenate(values, axis=1)
            numbers, values, held = [], [], 0


def _products(ao: np.ndarray, pairs: PairedOrbitals, n_variables: int, precision: type) -> np.ndarray:
    """B of a block of points, (v, g, d), in this precision."""
    # Orbitals in double: large coefficients cancel.
    values = (ao @ pairs.coefficients).astype(precision)
    # Eight times as fast as an index.
    empty, occupied = (np.take(values, own, axis=-1) for own in (pairs.empty, pairs.occupied))
    found = np.empty((n_variables, *empty.shape[1:]), precision)
    np.multiply(empty[0], occupied[0], out=found[0])
    for x in range(1, min(n_variables, 4)):
        found[x] = empty[x] * occupied[0] + empty[0] * occupied[x]
    if n_variables > 4:
        found[4] = 0.5 * np.einsum("xgd,xgd->gd", empty[1:4], occupied[1:4])
    return found
