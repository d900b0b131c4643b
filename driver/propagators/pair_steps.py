"""Some steps of weak motion at once, of which each user makes only what it asks for.

Of modes z all η are a product with a matrix (2d, k). A dipole or a norm is one with a few rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ...surrogate.matrices.occupied_empty import OccupiedEmpty
from ...surrogate.weak_fields.modes import StepModes, real_product

#: Modes of a block, its pairs, and where its amplitudes begin.
Parts = Sequence[tuple[StepModes, np.ndarray, int]]
#: Rows of the norm's matrix within this of its largest element may become the largest.
_NEAR = 0.05


class PairSteps(Protocol):
    """k steps of d pairs."""

    def eta(self) -> np.ndarray:
        """η (k, d) after each step, counted from rest."""
        ...

    def along(self, rows: np.ndarray) -> np.ndarray:
        """Rows (r, d) times Re η after each step, (k, r)."""
        ...

    def along_early(self, rows: np.ndarray) -> np.ndarray:
        """The same of what each step has after one correction."""
        ...


@dataclass(frozen=True, eq=False)
class KnownSteps:
    """Implements `PairSteps`. after, early: η (k, d) after each step, and after one correction of it."""

    after: np.ndarray
    early: np.ndarray

    def eta(self) -> np.ndarray:
        """See `PairSteps`."""
        return self.after

    def along(self, rows: np.ndarray) -> np.ndarray:
        """See `PairSteps`."""
        return np.real(self.after) @ rows.T

    def along_early(self, rows: np.ndarray) -> np.ndarray:
        """See `PairSteps`."""
        return np.real(self.early) @ rows.T


@dataclass(frozen=True, eq=False)
class ModeSteps:
    """Implements `PairSteps` for z (k + 1, m), the last of before and after each step, of d pairs.

    known: what rows are along modes, by the rows; a path's steps share it.
    """

    z: np.ndarray
    parts: Parts
    d: int
    known: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict)

    def eta(self) -> np.ndarray:
        """See `PairSteps`."""
        found = np.zeros((len(self.z) - 1, self.d), complex)
        for own, i, first in self.parts:
            found[:, i] = own.eta(self.z[1:, first : first + len(own.turns)])
        return found

    def along(self, rows: np.ndarray) -> np.ndarray:
        """See `PairSteps`."""
        return real_product(self.z[1:], self._along_modes(rows)[1])

    def along_early(self, rows: np.ndarray) -> np.ndarray:
        """See `PairSteps`."""
        return real_product(self.z[:-1], self._along_modes(rows)[2])

    def _along_modes(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # The rows are kept, so that nothing else gets their number.
        if id(rows) not in self.known:
            later, early = np.zeros((2, len(rows), self.z.shape[1]), complex)
            for own, i, first in self.parts:
                columns = slice(first, first + len(own.turns))
                later[:, columns] = own.along_real(rows[:, i])
                early[:, columns] = own.along_early(rows[:, i])
            self.known[id(rows)] = rows, later, early
        return self.known[id(rows)]


@dataclass(frozen=True)
class Norm:
    """What NWChem's norm of P' is made of: a row for every orbital that may be the largest, by spin.

    norm = max_i Σ T_ip P'_pq T_iq, T = `to_canonical`, to first order in η: see `magnus.canonical_norm`.
    ground: (r,) at P0. slopes: (r, d) by Re η.
    """

    ground: tuple[np.ndarray, ...]
    slopes: tuple[np.ndarray, ...]

    def changes(self, steps: PairSteps) -> np.ndarray:
        """Between the two corrections of each step, (k, n_spin)."""
        found = []
        for ground, slopes in zip(self.ground, self.slopes, strict=True):
            before, after = (part(slopes) for part in (steps.along_early, steps.along))
            found.append(np.abs((ground + after).max(axis=1) - (ground + before).max(axis=1)))
        return np.stack(found, axis=1)


def norm_of(pairs: OccupiedEmpty, ground_density: np.ndarray, to_canonical: np.ndarray) -> Norm:
    """About P'0 (n_spin, m, m)."""
    n_spin, m = pairs.shape[:2]
    spin, rest = np.divmod(pairs.index, m * m)
    empty, occupied = np.divmod(rest, m)
    ground, parts = np.real(ground_density), []
    for s in range(n_spin):
        turn = to_canonical[s]
        largest = np.einsum("ip,pq,iq->i", turn, ground[s], turn, optimize=True)
        rows = np.flatnonzero(largest >= largest.max() - _NEAR)
        slopes = 2.0 * pairs.filling * turn[rows][:, empty] * turn[rows][:, occupied] * (spin == s)
        parts.append((largest[rows], slopes))
    return Norm(*zip(*parts, strict=True))
