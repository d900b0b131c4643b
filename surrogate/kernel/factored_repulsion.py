"""Repulsion integrals between pairs of an empty and an occupied orbital, from vectors of three indices.

    coulomb (ai|bj) = Σ_Q L_Q,ai L_Q,bj,   crossed (aj|bi),   plain (ab|ij) likewise

as `pair_integrals` makes them from integrals of four. Products are in single precision.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pyscf import lib

from .pair_integrals import Block, Rectangle, RepulsionMatrices

#: Bytes of products at once.
_AT_ONCE = 5e7
#: Orbitals of a spin and irrep, occupied or empty: where they begin in the spin's, and coefficients.
_Offsets = dict[tuple[int, int, bool], tuple[int, np.ndarray]]


@dataclass(frozen=True, eq=False)
class OrbitalFactors:
    """L between the orbitals of some blocks.

    offsets: where orbitals begin among those of their spin.
    vectors: by spin, (m (m + 1) / 2, q), of orbitals p ≥ q, in single precision. A pair's numbers lie side by
        side, so that some pairs are read as fast as memory is.
    """

    offsets: _Offsets
    vectors: dict[int, np.ndarray]

    @property
    def count(self) -> int:
        """How many vectors."""
        return next(iter(self.vectors.values())).shape[1]

    def of_pairs(self, block: Block, d: int) -> np.ndarray:
        """L_Q,ai of a block's d pairs, (q, d)."""
        found = np.empty((d, self.count), np.float32)
        for r in block:
            a, i = _numbers(self.offsets, r)
            found[r.places.ravel()] = _between(self.vectors[r.spin], a, i)
        return found.T


def orbital_factors(vectors: Iterable[np.ndarray], blocks: Sequence[Block]) -> OrbitalFactors:
    """vectors: L in parts, (some, n (n + 1) / 2) each, on pairs of functions μ ≥ ν; a list is emptied."""
    every = [r for block in blocks for r in block]
    offsets = _offsets(every)
    coefficients = {
        spin: np.hstack([c for (own, _, _), (_, c) in offsets.items() if own == spin])
        for spin in sorted({r.spin for r in every})
    }
    return OrbitalFactors(offsets, _between_orbitals(_taken(vectors), coefficients))


def _taken(vectors: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Parts one after another; a list gives them up, since both precisions at once take much memory."""
    if isinstance(vectors, list):
        while vectors:
            yield vectors.pop(0)
    else:
        yield from vectors


def add_factored(factors: OrbitalFactors, blocks: Sequence[Block], sums: RepulsionMatrices) -> None:
    """Add the integrals between the pairs of every block."""
    for number, block in enumerate(blocks):
        for k, left in enumerate(block):
            for right in block[k:]:
                own = factors.vectors[left.spin], factors.vectors[right.spin]
                numbers = [_numbers(factors.offsets, r) for r in (left, right)]
                _add(own, (left, right), numbers, number, sums)


def _offsets(rectangles: Sequence[Rectangle]) -> _Offsets:
    found: _Offsets = {}
    ends: dict[int, int] = {}
    for r in rectangles:
        for irrep, full, c in ((r.of_empty, False, r.empty), (r.of_occupied, True, r.occupied)):
            if (r.spin, irrep, full) not in found:
                begin = ends.get(r.spin, 0)
                found[r.spin, irrep, full] = begin, c
                ends[r.spin] = begin + c.shape[1]
    return found


def _numbers(offsets: _Offsets, r: Rectangle) -> tuple[np.ndarray, np.ndarray]:
    """Where a rectangle's empty and occupied orbitals stand among those of its spin."""
    empty, occupied = offsets[r.spin, r.of_empty, False][0], offsets[r.spin, r.of_occupied, True][0]
    return empty + np.arange(r.empty.shape[1]), occupied + np.arange(r.occupied.shape[1])


def _between_orbitals(
    vectors: Iterable[np.ndarray], coefficients: dict[int, np.ndarray]
) -> dict[int, np.ndarray]:
    """L between all orbitals p ≥ q of a spin, (m (m + 1) / 2, Q), in single precision.

    Made in double: where functions almost depend on each other coefficients are large, and magnify rounding.
    """
    found: dict[int, list[np.ndarray]] = {spin: [] for spin in coefficients}
    for part in vectors:
        for spin, c in coefficients.items():
            n, m = c.shape
            lower = np.flatnonzero(np.tri(m, dtype=bool))
            size = max(1, int(_AT_ONCE // (8 * n * n)))
            for first in range(0, len(part), size):
                square = np.asarray(lib.unpack_tril(part[first : first + size]))
                turned = (c.T @ square @ c).reshape(-1, m * m)
                found[spin].append(np.take(turned, lower, axis=1).astype(np.float32))
    return {spin: _side_by_side(parts) for spin, parts in found.items()}


def _side_by_side(parts: list[np.ndarray]) -> np.ndarray:
    """Parts (some, k) as (k, all), in memory as in words: else every look at some rows copies all of it."""
    whole, first = np.empty((parts[0].shape[1], sum(map(len, parts))), np.float32), 0
    while parts:
        part = parts.pop(0)
        whole[:, first : first + len(part)] = part.T
        first += len(part)
    return whole


def _between(factor: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """L between some orbitals and others, (r c, Q)."""
    low, high = np.minimum(rows[:, None], columns), np.maximum(rows[:, None], columns)
    return np.take(factor, (high * (high + 1) // 2 + low).ravel(), axis=0)


def _add(
    factors: tuple[np.ndarray, np.ndarray],
    rectangles: tuple[Rectangle, Rectangle],
    numbers: Sequence[tuple[np.ndarray, np.ndarray]],
    block: int,
    sums: RepulsionMatrices,
) -> None:
    """Of the pairs of two rectangles of a block, and of the same pairs the other way round."""
    left, right = rectangles
    (a, i), (b, j) = numbers
    others, columns = _between(factors[1], b, j), right.places.ravel()
    exchange = None
    if sums.real and left.spin == right.spin:
        exchange = _between(factors[0], b, i), _between(factors[0], i, j)
    size = max(1, int(_AT_ONCE // (4 * len(i) * len(others))))
    for first in range(0, len(a), size):
        some, rows = a[first : first + size], left.places[first : first + size].ravel()
        # Of a rectangle with itself what lies below the diagonal is not made again.
        begin = first if left is right else 0
        here, own = columns[begin * len(j) :], len(rows) if left is right else 0
        if sums.coulomb:
            found = _between(factors[0], some, i) @ others[begin * len(j) :].T
            _add_twice(sums.coulomb[block], rows, here, found, own)
        if exchange is None:
            continue
        turned, filled = exchange
        turned = turned[begin * len(i) :]
        crossed = (_between(factors[0], some, j) @ turned.T).reshape(len(some), len(j), -1, len(i))
        plain = (_between(factors[0], some, b[begin:]) @ filled.T).reshape(len(some), -1, len(i), len(j))
        crossed, plain = crossed.transpose(0, 3, 2, 1), plain.transpose(0, 2, 1, 3)
        for matrix, part in ((sums.real, plain + crossed), (sums.imaginary, plain - crossed)):
            _add_twice(matrix[block], rows, here, (sums.share * part).reshape(len(rows), -1), own)


def _add_twice(matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray, part: np.ndarray, own: int) -> None:
    """Add a part, and its transpose but for the first columns, `own` of them, which are the rows."""
    matrix[np.ix_(rows, columns)] += part
    matrix[np.ix_(columns[own:], rows)] += part[:, own:].T
