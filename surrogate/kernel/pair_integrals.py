"""Repulsion integrals between pairs of an empty and an occupied orbital, of the irreps of pairs asked for.

From the 8-fold packed integrals of the functions, no array of four orbital indices but the blocks themselves:

    coulomb (ai|bj),   crossed (aj|bi),   plain (ab|ij)

a, i and b, j: pairs of one block. In a block an orbital's partners are all orbitals of one irrep, so that
elements come as rectangles of orbitals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pyscf import ao2mo, lib

#: Bytes of matrices (ij|μν) that are unpacked at once.
_AT_ONCE = 5e7


@dataclass(frozen=True, eq=False)
class Rectangle:
    """Orbitals of two irreps that are all partners in a block.

    spin. empty, occupied: coefficients (n, v), (n, o); of_empty, of_occupied: their irreps.
    places: (v, o), where the pairs stand in the block.
    """

    spin: int
    empty: np.ndarray
    occupied: np.ndarray
    of_empty: int
    of_occupied: int
    places: np.ndarray


Block = Sequence[Rectangle]
#: Coefficients (n, k) by spin and irrep.
_Orbitals = dict[tuple[int, int], np.ndarray]


def add_coulomb_and_crossed(
    packed: np.ndarray, blocks: Sequence[Block], coulomb: Sequence[np.ndarray], crossed: Sequence[np.ndarray]
) -> None:
    """Add (ai|bj) and (aj|bi) to the matrices (d, d) of every block; to those that are given."""
    empties, occupieds = _sets(blocks)
    for (spin, of_empty, of_occupied), picked, square in _half_transformed(packed, empties, occupieds):
        for block, matrix in zip(blocks, coulomb, strict=bool(coulomb)):
            rectangle = _with(block, spin, of_empty, of_occupied)
            if rectangle is not None:
                _add_coulomb(square, rectangle, picked, block, matrix)
        for block, matrix in zip(blocks, crossed, strict=bool(crossed)):
            left, right = (_with(block, spin, of_empty, None), _with(block, spin, None, of_occupied))
            if left is not None and right is not None:
                _add_crossed(square, left, right, picked, matrix)


def add_plain(packed: np.ndarray, blocks: Sequence[Block], matrices: Sequence[np.ndarray]) -> None:
    """Add (ab|ij)."""
    occupieds = _sets(blocks)[1]
    for (spin, other, irrep), (i, j), square in _half_transformed(packed, occupieds, occupieds):
        for block, matrix in zip(blocks, matrices, strict=True):
            first, second = (_with(block, spin, None, k) for k in (other, irrep))
            if first is None or second is None:
                continue
            found = np.matmul(first.empty.T, square @ second.empty)
            left, right = first.places[:, i].T, second.places[:, j].T
            matrix[left[:, :, None], right[:, None, :]] += found


def _half_transformed(
    packed: np.ndarray, firsts: _Orbitals, seconds: _Orbitals
) -> Iterator[tuple[tuple[int, int, int], tuple[np.ndarray, np.ndarray], np.ndarray]]:
    """Some (pq|μν) at a time, p of `firsts` and q of `seconds`, of one spin.

    Yields spin and the irreps of p and q; the numbers of p and q within these, (k,) each; (k, n, n).
    """
    for (spin, of_second), second in seconds.items():
        own = {irrep: c for (other, irrep), c in firsts.items() if other == spin}
        half = ao2mo.incore.half_e1(packed, (np.hstack(list(own.values())), second), compact=False)
        begin = 0
        for of_first, first in own.items():
            shape = (first.shape[1], second.shape[1])
            rows = half[begin : begin + shape[0] * shape[1]]
            begin += len(rows)
            p, q = (index.ravel() for index in np.indices(shape))
            for part, square in _unpacked(rows):
                yield (spin, of_first, of_second), (p[part], q[part]), square


def _add_coulomb(
    square: np.ndarray,
    rows: Rectangle,
    picked: tuple[np.ndarray, np.ndarray],
    block: Block,
    matrix: np.ndarray,
) -> None:
    """Of rows a i, picked by their numbers in `rows`, and all columns."""
    here = rows.places[picked]
    for columns in block:
        found = np.matmul(columns.empty.T, square @ columns.occupied).reshape(len(here), -1)
        matrix[np.ix_(here, columns.places.ravel())] += found


def _add_crossed(
    square: np.ndarray,
    first: Rectangle,
    second: Rectangle,
    picked: tuple[np.ndarray, np.ndarray],
    matrix: np.ndarray,
) -> None:
    """Of rows a j, a picked in `first` and j in `second`, and columns b i."""
    a, j = picked
    found = np.matmul(second.empty.T, square @ first.occupied)
    left, right = first.places[a], second.places[:, j].T
    matrix[left[:, None, :], right[:, :, None]] += found


def _sets(blocks: Sequence[Block]) -> tuple[_Orbitals, _Orbitals]:
    """Coefficients of the empty and of the occupied orbitals of all blocks, by spin and irrep."""
    every = [r for block in blocks for r in block]
    return {(r.spin, r.of_empty): r.empty for r in every}, {
        (r.spin, r.of_occupied): r.occupied for r in every
    }


def _with(block: Block, spin: int, of_empty: int | None, of_occupied: int | None) -> Rectangle | None:
    """The rectangle of these irreps; None: any."""
    for r in block:
        same = r.spin == spin and of_empty in (None, r.of_empty) and of_occupied in (None, r.of_occupied)
        if same:
            return r
    return None


def _unpacked(half: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows (r, n (n + 1) / 2) as symmetric matrices (some, n, n)."""
    n = int(np.sqrt(2.0 * half.shape[1]))
    size = max(1, int(_AT_ONCE // (8 * n * n)))
    for first in range(0, len(half), size):
        part = slice(first, min(first + size, len(half)))
        yield part, np.asarray(lib.unpack_tril(half[part]))
