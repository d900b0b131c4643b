"""Points of weak motion, kept as what moves between empty and occupied orbitals; densities where asked for.

P' = n [1 - η†η, η†; η, ηη†],    orbitals [1; η] (1 + η†η)^-1/2
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...surrogate.matrices.occupied_empty import OccupiedEmpty
from ...surrogate.weak_fields.pair_response import PairResponse

#: Bytes of densities that are formed at once: what a processor's cache holds.
_AT_ONCE = 2e6
#: Points whose energies are found at once.
_POINTS = 64


@dataclass(frozen=True, eq=False)
class Sides:
    """Full and empty orbitals of every spin, and the pairs between them that may move.

    still: η of the others as a matrix, (n_spin, m, m).
    """

    pairs: OccupiedEmpty
    still: np.ndarray
    filled: tuple[np.ndarray, ...]
    free: tuple[np.ndarray, ...]

    def between(self, eta: np.ndarray, spin: int) -> np.ndarray:
        """η (k, d) of one spin as matrices (k, v, o)."""
        whole = (self.pairs.matrix(eta) + self.still)[:, spin]
        return whole[:, self.free[spin][:, None], self.filled[spin]]

    def trace(self, matrix: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Tr M P' (k,) of η (k, d), by a real symmetric M (n_spin, m, m), to second order.

        n [Tr M_oo + 2 Re Σ M_ai η_ai + Re Σ η* (M_ee η - η M_oo)]: no density is formed.
        """
        n, places, blocks = self.pairs.filling, self._places(), []
        for s, (filled, free) in enumerate(zip(self.filled, self.free, strict=True)):
            own = np.real(matrix[s])
            square = (own[np.ix_(free, free)], own[np.ix_(filled, filled)], own[np.ix_(free, filled)])
            blocks.append((*places[s], np.real(self.still[s][np.ix_(free, filled)]), square))

        def of(eta: np.ndarray) -> np.ndarray:
            found = np.zeros(len(eta))
            for own, where, still, (empty, full, between) in blocks:
                whole = np.zeros((2, len(eta), *still.shape))
                flat = whole.reshape(2, len(eta), -1)
                flat[0][:, where], flat[1][:, where] = np.real(eta[:, own]), np.imag(eta[:, own])
                whole[0] += still
                turned = empty @ whole - whole @ full
                turned[0] += 2.0 * between
                found += np.trace(full) + np.einsum("ckai,ckai->k", whole, turned)
            return n * found

        return of

    def _places(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For every spin which pairs are its own, (d,) bool, and where they stand in a flat (v, o)."""
        m, found = self.pairs.shape[-1], []
        spin, rest = np.divmod(self.pairs.index, m * m)
        for s, (filled, free) in enumerate(zip(self.filled, self.free, strict=True)):
            a, i = np.divmod(rest[spin == s], m)
            found.append((spin == s, np.searchsorted(free, a) * len(filled) + np.searchsorted(filled, i)))
        return found

    def densities(self, eta: np.ndarray) -> np.ndarray:
        """P' (k, n_spin, m, m) of η (k, d), to second order."""
        found = np.empty((len(eta), *self.pairs.shape), complex)
        size = max(int(_AT_ONCE // (found.nbytes // max(len(eta), 1))), 1)
        for first in range(0, len(eta), size):
            found[first : first + size] = self._some(eta[first : first + size])
        return found

    def _some(self, eta: np.ndarray) -> np.ndarray:
        n = self.pairs.filling
        found = self.pairs.matrix(n * eta)
        found += n * self.still
        for s, (filled, free) in enumerate(zip(self.filled, self.free, strict=True)):
            own = found[:, s, free[:, None], filled] / n
            adjoint = own.conj().swapaxes(1, 2)
            found[:, s, free[:, None], free] = n * (own @ adjoint)
            found[:, s, filled[:, None], filled] = n * (np.eye(len(filled)) - adjoint @ own)
        return found

    def orbitals(self, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Orbitals (n_spin, m, most) of one η (d,), orthonormal, and their occupations (n_spin, most)."""
        n_spin, m = self.pairs.shape[:2]
        most = max(map(len, self.filled))
        orbitals, occupations = np.zeros((n_spin, m, most), complex), np.zeros((n_spin, most))
        for s, (filled, free) in enumerate(zip(self.filled, self.free, strict=True)):
            own, n_filled = self.between(eta[None], s)[0], len(filled)
            sizes, vectors = np.linalg.eigh(np.eye(n_filled) + own.conj().T @ own)
            inverse = (vectors / np.sqrt(sizes)) @ vectors.conj().T
            orbitals[s, filled, :n_filled] = inverse
            orbitals[s, free, :n_filled] = own @ inverse
            occupations[s, :n_filled] = self.pairs.filling
        return orbitals, occupations


def sides_of(response: PairResponse) -> Sides:
    """About the ground state that it expands about."""
    pairs = response.pairs
    full = np.real(np.diagonal(response.about.density, axis1=1, axis2=2)) > 0.5 * pairs.filling
    return Sides(pairs, response.still, tuple(map(np.flatnonzero, full)), tuple(map(np.flatnonzero, ~full)))


def offset_from_rest(response: PairResponse, dipoles: np.ndarray) -> float:
    """Dipole, au, by which the SCF's end may be off from rest at any time in irreps that no field moves.

    There η is kept at rest, where the reference turns about it: every element on its own, so that parts which
    cancel at first do not later. dipoles: (3, n_spin, m, m).
    """
    every, pairs = response.every, response.pairs
    off = response.about.density - pairs.filling * response.still
    off = every.block(off - pairs.matrix(pairs.block(off)))
    parts = [np.real(every.block(matrix)) * np.real(off) for matrix in dipoles]
    along = [max(abs(float(part.sum())), float(np.linalg.norm(part))) for part in parts]
    return 2.0 * float(np.linalg.norm(along))


@dataclass(frozen=True, eq=False)
class WeakPoints:
    """n points and the end. start: P' of the first, as the run came to it. eta: (n + 1, d)."""

    sides: Sides
    start: np.ndarray
    eta: np.ndarray

    def __call__(self, first: int, last: int) -> np.ndarray:
        """P' of points, (last - first, n_spin, m, m)."""
        found = self.sides.densities(self.eta[first:last])
        if first == 0 < last:
            found[0] = self.start
        return found

    def later(self, every: int) -> np.ndarray:
        """P' after the first step, and after every so many more."""
        return self.sides.densities(self.eta[1::every])

    def along(self, matrix: np.ndarray) -> np.ndarray:
        """Tr M P' (n + 1,) at the points and the end, by a real symmetric M (n_spin, m, m)."""
        trace = self.sides.trace(matrix)
        parts = (self.eta[first : first + _POINTS] for first in range(0, len(self.eta), _POINTS))
        return np.concatenate([trace(part) for part in parts])

    def energies(self, response: PairResponse) -> np.ndarray:
        """Core, Coulomb and exchange-correlation energies of the points, (n, 3), as `Surrogate` has them.

        The total is that of the first point; the work of fields is added elsewhere.
        """
        about, n_points = response.about, len(self.eta) - 1
        found = np.empty((n_points, 3))
        at_start = response.energies(self.start[None])[0]
        core, coulomb = (self.sides.trace(matrix) for matrix in (about.core, about.coulomb))
        at_ground = [np.real(np.vdot(matrix, about.density)) for matrix in (about.core, about.coulomb)]
        for first in range(0, n_points, _POINTS):
            part = slice(first, min(first + _POINTS, n_points))
            eta = self.eta[part]
            x = np.real(response.pairs.filling * eta - response.pairs.block(about.density))
            found[part, 0] = about.energies[0] - at_ground[0] + core(eta)
            found[part, 1] = about.energies[1] - at_ground[1] + coulomb(eta) + response.coulomb(x)
        found[0] = at_start
        found[:, 2] = at_start.sum() - found[:, 0] - found[:, 1]
        return found
