"""Exchange and correlation between pairs of orbitals, interpolated in the cell of each nucleus.

The sum of `pair_quadrature` grows with the points times the square of the pairs. In a cell every product
φ_a φ_i follows from its values at some hundreds of points p (Lu and Ying, J. Comput. Phys. 302 (2015) 329),

    φ_a φ_i (r) = Σ_pq k(r, p) G⁻¹_pq φ_a φ_i (q),    k(r, p) = s_p Σ_j φ_j(r) φ_j(p) Σ_b φ_b(r) φ_b(p)

so that a cell adds Yᵀ M Y, Y = L⁻¹ φ_a φ_i (p), M = Σ_g w f w, w = k L⁻ᵀ, G = L Lᵀ. j: occupied, b: empty.
k is turned to w before the sum over points: after it, L⁻¹ on both sides would magnify what rounding leaves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import get_blas_funcs, get_lapack_funcs, solve_triangular

from ...adapters.pyscf.quadrature import Quadrature, ao_values
from .mirror_images import Distinct
from .pair_quadrature import PairedOrbitals, add_products, summed_points

#: Points are added until what is left out is below this at every candidate, Hartree. Formic acid's f_xc of
#: 118 functions is then 9e-7 off, with 1e-13 4e-6.
_PIVOT_THRESHOLD = 1e-15
#: Candidates of a cell.
_CANDIDATES = 3000
#: Points of a cell, and pairs, at once.
_POINTS, _PAIRS = 256, 1024
#: Root of the sum of the squared pairs of all blocks from which on products are interpolated: of 1008 pairs
#: either takes 11 s, of 1728 19 s, not 25 (`benchmarks/kernel/interpolation.py`).
FROM_PAIRS = 1500


@dataclass(frozen=True, eq=False)
class _Points:
    """The points p of a cell, for one spin.

    occupied, empty: orbitals there, (r, o), (r, v), each times √s. inverse: L⁻¹ (r, r).
    columns: where orbitals of numbers stand in these, (m,) each.
    """

    occupied: np.ndarray
    empty: np.ndarray
    inverse: np.ndarray
    columns: tuple[np.ndarray, np.ndarray]

    def products(self, pairs: PairedOrbitals) -> np.ndarray:
        """Y of some pairs, (r, d), in single precision."""
        i, a = self.columns[0][pairs.occupied], self.columns[1][pairs.empty]
        found = np.empty((len(self.inverse), len(i)), np.float32)
        for first in range(0, len(i), _PAIRS):
            part = slice(first, first + _PAIRS)
            found[:, part] = self.inverse @ (self.occupied[:, i[part]] * self.empty[:, a[part]])
        return found


def add_interpolated(
    quadrature: Quadrature,
    kernel: np.ndarray,
    blocks: Sequence[Sequence[PairedOrbitals]],
    matrices: Sequence[np.ndarray],
) -> None:
    """Add it to the matrix (d, d) of every block; local and gradient-corrected functionals.

    kernel: w f, (n_spin, v, n_spin, v, n_grid), v: ρ and ∇ρ as the functional has them.
    """
    spins = sorted({pairs.spin for block in blocks for pairs in block})
    for numbers, images in _cells(quadrature, summed_points(quadrature, kernel, blocks)):
        f = kernel[..., numbers] * (2.0 * images)
        ao = ao_values(quadrature.mol, quadrature.coords[numbers], min(kernel.shape[1], 4))
        own = {spin: _orbitals(ao, blocks, spin) for spin in spins}
        del ao
        points = {spin: _interpolation_points(own[spin], f[spin, 0, spin, 0]) for spin in spins}
        middles = {
            (s, t): _middle((own[s], own[t]), (points[s], points[t]), f[s, :, t])
            for s in spins
            for t in spins
            if s <= t
        }
        for block, matrix in zip(blocks, matrices, strict=True):
            products = [points[pairs.spin].products(pairs) for pairs in block]
            for k, left in enumerate(block):
                for right, others in zip(block[k:], products[k:], strict=True):
                    middle = middles[left.spin, right.spin]
                    add_products(matrix, (left, right), middle.T @ products[k], others)


@dataclass(frozen=True, eq=False)
class _Orbitals:
    """Values and gradients at the points of a cell: occupied (c, g, o), empty (c, g, v), and `columns`."""

    occupied: np.ndarray
    empty: np.ndarray
    columns: tuple[np.ndarray, np.ndarray]


def _orbitals(ao: np.ndarray, blocks: Sequence[Sequence[PairedOrbitals]], spin: int) -> _Orbitals:
    """All of one spin that pairs are made of."""
    own = [pairs for block in blocks for pairs in block if pairs.spin == spin]
    coefficients, values, columns = own[0].coefficients, [], []
    for numbers in ([p.occupied for p in own], [p.empty for p in own]):
        used = np.unique(np.concatenate(numbers))
        values.append(ao @ coefficients[:, used])
        places = np.zeros(coefficients.shape[1], int)
        places[used] = np.arange(len(used))
        columns.append(places)
    return _Orbitals(values[0], values[1], (columns[0], columns[1]))


def _cells(quadrature: Quadrature, distinct: Distinct) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Points nearest to each nucleus, and how often each counts."""
    coords, nuclei = quadrature.coords[distinct.numbers], quadrature.mol.atom_coords()
    nearest = np.empty(len(coords), int)
    for first in range(0, len(coords), _CANDIDATES):
        part = slice(first, first + _CANDIDATES)
        nearest[part] = np.linalg.norm(coords[part, None] - nuclei, axis=2).argmin(axis=1)
    for nucleus in np.unique(nearest):
        own = nearest == nucleus
        yield distinct.numbers[own], distinct.images[own]


def _interpolation_points(orbitals: _Orbitals, f: np.ndarray) -> _Points:
    """The pivots of G among candidates drawn evenly in the root of importance, which reaches the cell's edge.

    f: w f_ρρ (g,), of which s is the root.
    """
    occupied, empty = orbitals.occupied[0], orbitals.empty[0]
    scale = np.sqrt(np.abs(f))
    importance = scale * np.linalg.norm(occupied, axis=1) * np.linalg.norm(empty, axis=1)
    reached = np.cumsum(np.sqrt(importance))
    n = min(_CANDIDATES, len(scale))
    even = (np.arange(n) + 0.5) / n * reached[-1]
    candidates = np.unique(np.searchsorted(reached, even))
    root = np.sqrt(scale[candidates])[:, None]
    occupied, empty = occupied[candidates] * root, empty[candidates] * root
    overlap = occupied @ occupied.T
    overlap *= empty @ empty.T
    (pstrf,) = get_lapack_funcs(("pstrf",), (overlap,))
    # Symmetric: its transpose is itself, as LAPACK wants it. Above the diagonal nothing is read.
    factor, pivots, rank, _ = pstrf(overlap.T, tol=_PIVOT_THRESHOLD, lower=1, overwrite_a=1)
    chosen = pivots[:rank] - 1
    inverse = solve_triangular(factor[:rank, :rank], np.eye(rank), lower=True, overwrite_b=True)
    return _Points(occupied[chosen], empty[chosen], inverse, orbitals.columns)


def _middle(
    orbitals: tuple[_Orbitals, _Orbitals], points: tuple[_Points, _Points], f: np.ndarray
) -> np.ndarray:
    """M between two spins, (r, r'), in single precision; f: (v, v, g)."""
    found = np.zeros([len(own.inverse) for own in points])
    same = points[0] is points[1]
    for first in range(0, f.shape[-1], _POINTS):
        part = slice(first, first + _POINTS)
        left = _interpolants(orbitals[0], points[0], part)
        right = left if same else _interpolants(orbitals[1], points[1], part)
        weighted = np.einsum("tug,ugp->tgp", f[..., part], right, optimize=True)
        found += left.reshape(-1, left.shape[2]).T @ weighted.reshape(-1, weighted.shape[2])
    return found.astype(np.float32)


def _interpolants(orbitals: _Orbitals, points: _Points, part: slice) -> np.ndarray:
    """w and its gradient by r, (c, g, r)."""
    occupied = orbitals.occupied[:, part] @ points.occupied.T
    empty = orbitals.empty[:, part] @ points.empty.T
    found = occupied * empty[0]
    found[1:] += occupied[0] * empty[1:]
    # Column-major, as BLAS wants it: transposed it is (r, c g), and L⁻¹ acts from the left.
    flat = found.reshape(-1, found.shape[2]).T
    (trmm,) = get_blas_funcs(("trmm",), (flat,))
    return trmm(1.0, points.inverse, flat, lower=1, overwrite_b=1).T.reshape(found.shape)
