"""Repulsion integrals between pairs of an empty and an occupied orbital, of the irreps of pairs asked for.

From the 8-fold packed integrals of the functions, no array of four orbital indices but the blocks themselves:

    coulomb (ai|bj),   crossed (aj|bi),   plain (ab|ij)

a, i and b, j: pairs of one block. In a block an orbital's partners are all orbitals of one irrep, so that
elements come as rectangles of orbitals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pyscf import lib

#: Bytes of matrices (ij|μν) that are unpacked at once.
_AT_ONCE = 2.5e7


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


@dataclass(frozen=True, eq=False)
class RepulsionMatrices:
    """Matrices (d, d) of every block that integrals are added to, of those that are wanted.

    coulomb: (ai|bj). real, imaginary: `share` times (ab|ij) + (aj|bi), and (ab|ij) - (aj|bi).
    """

    coulomb: Sequence[np.ndarray]
    real: Sequence[np.ndarray]
    imaginary: Sequence[np.ndarray]
    share: float


def add_repulsion(packed: np.ndarray, blocks: Sequence[Block], sums: RepulsionMatrices, held: float) -> None:
    """Add the integrals between the pairs of every block, from those of the functions.

    held: bytes of half-transformed integrals at once; each lot reads all integrals.
    """
    empties, occupieds = _sets(blocks)
    for spin in sorted({spin for spin, _ in occupieds}):
        seconds = [(irrep, c) for (other, irrep), c in occupieds.items() if other == spin]
        firsts = [(_of_empty, irrep, c) for (other, irrep), c in empties.items() if other == spin]
        if sums.real:
            firsts += [(_of_occupied, irrep, c) for irrep, c in seconds]
        every, second = (np.hstack([part[-1] for part in own]) for own in (firsts, seconds))
        # Irrep of every occupied orbital, and its number there.
        numbers = [(irrep, q) for irrep, c in seconds for q in range(c.shape[1])]
        n = len(second)
        size = min(max(1, int(held // (4.0 * every.shape[1] * n**2))), len(numbers))
        # One for all lots: two would be there at once.
        room = np.empty((size, every.shape[1], n * (n + 1) // 2))
        for start in range(0, len(numbers), size):
            some = slice(start, start + size)
            half = room[: len(numbers[some])]
            _half_transform(packed, every, second[:, some], half)
            for rows, (of_occupied, q) in zip(half, numbers[some], strict=True):
                begin = 0
                for add, of_first, first in firsts:
                    for part, square in _unpacked(rows[begin : begin + first.shape[1]]):
                        p = np.arange(part.start, part.stop)
                        add(square, (spin, of_first, of_occupied), (p, np.full(len(p), q)), blocks, sums)
                    begin += first.shape[1]


def _half_transform(packed: np.ndarray, first: np.ndarray, second: np.ndarray, half: np.ndarray) -> None:
    """Put (pq|μν) into `half`, p and q orbitals (n, f), (n, s): (s, f, n (n + 1) / 2).

    Rows are read some at a time: of the packed integrals a row alone has its elements far apart.
    """
    n, n_pair = len(first), half.shape[2]
    size = max(1, int(_AT_ONCE // (8 * n * n)))
    for begin in range(0, n_pair, size):
        part = slice(begin, min(begin + size, n_pair))
        square = np.asarray(lib.unpack_tril(_rows(packed, part.start, part.stop, n_pair)))
        one_side = (square.reshape(-1, n) @ second).reshape(len(square), n, -1)
        half[..., part] = np.matmul(first.T, one_side).transpose(2, 1, 0)


def _rows(packed: np.ndarray, begin: int, end: int, n_pair: int) -> np.ndarray:
    """Rows of a symmetric matrix (n_pair, n_pair) whose lower triangle is packed: (end - begin, n_pair)."""
    rows = np.empty((end - begin, n_pair))
    for row, own in enumerate(rows, begin):
        start = row * (row + 1) // 2
        own[: row + 1] = packed[start : start + row + 1]
        rows[: row - begin, row] = own[begin:row]
    below = np.arange(end, n_pair, dtype=np.int64)
    starts = below * (below + 1) // 2
    rows[:, end:] = packed[starts[:, None] + np.arange(begin, end)].T
    return rows


def _of_empty(
    square: np.ndarray,
    irreps: tuple[int, int, int],
    picked: tuple[np.ndarray, np.ndarray],
    blocks: Sequence[Block],
    sums: RepulsionMatrices,
) -> None:
    """Add what (ai|μν) (k, n, n) make, a and i picked of two irreps, of one spin."""
    spin, of_empty, of_occupied = irreps
    for number, block in enumerate(blocks):
        rectangle = _with(block, spin, of_empty, of_occupied)
        if rectangle is not None and sums.coulomb:
            _add_coulomb(square, rectangle, picked, block, sums.coulomb[number])
        left, right = (_with(block, spin, of_empty, None), _with(block, spin, None, of_occupied))
        if left is not None and right is not None and sums.real:
            found = sums.share * np.matmul(right.empty.T, square @ left.occupied)
            a, j = picked
            rows, columns = left.places[a][:, None, :], right.places[:, j].T[:, :, None]
            sums.real[number][rows, columns] += found
            sums.imaginary[number][rows, columns] -= found


def _of_occupied(
    square: np.ndarray,
    irreps: tuple[int, int, int],
    picked: tuple[np.ndarray, np.ndarray],
    blocks: Sequence[Block],
    sums: RepulsionMatrices,
) -> None:
    """Add what (ij|μν) (k, n, n) make, i and j picked of two irreps, of one spin."""
    spin, other, irrep = irreps
    i, j = picked
    for number, block in enumerate(blocks):
        first, second = (_with(block, spin, None, k) for k in (other, irrep))
        if first is None or second is None:
            continue
        found = sums.share * np.matmul(first.empty.T, square @ second.empty)
        rows, columns = first.places[:, i].T[:, :, None], second.places[:, j].T[:, None, :]
        sums.real[number][rows, columns] += found
        sums.imaginary[number][rows, columns] += found


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
