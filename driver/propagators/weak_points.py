"""Points of weak motion, kept as what moves between empty and occupied orbitals; densities where asked for.

P' = n [1 - η†η, η†; η, ηη†],    orbitals [1; η] (1 + η†η)^-1/2
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...surrogate.matrices.occupied_empty import OccupiedEmpty
from ...surrogate.weak_fields.pair_response import PairResponse
from .pair_traces import PairTrace, Places

#: Bytes of densities that are formed at once: what a processor's cache holds.
_AT_ONCE = 2e6
#: By matrix and spin; None where densities take less time.
_Made = list[list[PairTrace | None]]
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

    @cached_property
    def places(self) -> tuple[Places, ...]:
        """Of every spin."""
        m, found = self.pairs.shape[-1], []
        spin, rest = np.divmod(self.pairs.index, m * m)
        for s, (filled, free) in enumerate(zip(self.filled, self.free, strict=True)):
            a, i = np.divmod(rest[spin == s], m)
            flat = np.searchsorted(free, a) * len(filled) + np.searchsorted(filled, i)
            still = np.real(self.still[s][np.ix_(free, filled)])
            found.append(Places(filled, free, spin == s, flat, still, self.pairs.filling))
        return tuple(found)

    def traces(self, matrices: np.ndarray, *, imaginary: bool) -> Callable[[np.ndarray], np.ndarray]:
        """Σ M Re P' by spin, (k, c, n_spin) of η (k, d), of real symmetric M (c, n_spin, m, m).

        imaginary: Σ M Im P' of antisymmetric ones. To second order. No density is formed where it is slower.
        """
        every = self._made(matrices, imaginary=imaginary)

        def of(eta: np.ndarray) -> np.ndarray:
            n_matrices, n_spin = matrices.shape[:2]
            found = np.empty((len(eta), n_matrices, n_spin))
            for s, own in enumerate(self.places):
                parts = own.parts(eta)
                for c, spins in enumerate(every):
                    trace = spins[s]
                    if trace is not None:
                        found[:, c, s] = trace(*parts)
            left = [c for c, spins in enumerate(every) if None in spins]
            for first in range(0, len(eta) if left else 0, self._at_once):
                some = slice(first, first + self._at_once)
                densities = self._some(eta[some])
                part = np.ascontiguousarray(np.imag(densities) if imaginary else np.real(densities))
                for s in range(n_spin):
                    flat = np.real(matrices[left, s]).reshape(len(left), -1)
                    found[some, left, s] = part[:, s].reshape(len(part), -1) @ flat.T
            return found

        return of

    def _made(self, matrices: np.ndarray, *, imaginary: bool) -> _Made:
        """Made once for matrices that are asked for piece by piece of a segment."""
        key = (matrices.ctypes.data, matrices.shape, imaginary)
        if key not in self._known:
            found = [
                [
                    own.trace(matrix, imaginary=imaginary)
                    for own, matrix in zip(self.places, spins, strict=True)
                ]
                for spins in np.real(matrices)
            ]
            # With the array itself, so that no other one comes to lie there.
            self._known[key] = matrices, found
        return self._known[key][1]

    @cached_property
    def _known(self) -> dict[tuple[int, tuple[int, ...], bool], tuple[np.ndarray, _Made]]:
        return {}

    @property
    def _at_once(self) -> int:
        """Densities that stay in a processor's cache."""
        return max(int(_AT_ONCE // (16 * np.prod(self.pairs.shape))), 1)

    def densities(self, eta: np.ndarray) -> np.ndarray:
        """P' (k, n_spin, m, m) of η (k, d), to second order."""
        found = np.empty((len(eta), *self.pairs.shape), complex)
        for first in range(0, len(eta), self._at_once):
            some = slice(first, first + self._at_once)
            found[some] = self._some(eta[some])
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
            own, n_filled = self.places[s].matrices(eta[None])[0], len(filled)
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
    """n points and the end. start: P' of the first, as the run came to it; None: not the run's own. eta:
    (n + 1, d)."""

    sides: Sides
    start: np.ndarray | None
    eta: np.ndarray

    def __call__(self, first: int, last: int) -> np.ndarray:
        """P' of points, (last - first, n_spin, m, m)."""
        return self.at(np.arange(first, last))

    def __len__(self) -> int:
        return len(self.eta) - 1

    def at(self, points: np.ndarray) -> np.ndarray:
        """P' of some points, (k, n_spin, m, m); points: (k,) numbers."""
        found = self.sides.densities(self.eta[points])
        if self.start is not None:
            found[points == 0] = self.start
        return found

    def part(self, first: int, last: int) -> "WeakPoints":
        """Some of the points, and the one after them as the end."""
        return WeakPoints(self.sides, None if first else self.start, self.eta[first : last + 1])

    def later(self, every: int) -> np.ndarray:
        """P' after the first step, and after every so many more."""
        return self.sides.densities(self.eta[1::every])

    def traces(self, matrices: np.ndarray, *, imaginary: bool) -> np.ndarray:
        """Σ M Re P', or Im P', (n, c, n_spin) at the points: see `Sides.traces`."""
        found = self.sides.traces(matrices, imaginary=imaginary)(self.eta[:-1])
        if self.start is not None and len(found):
            start = np.imag(self.start) if imaginary else np.real(self.start)
            found[0] = np.einsum("csij,sij->cs", np.real(matrices), start)
        return found

    def block(self, pairs: OccupiedEmpty, points: np.ndarray) -> np.ndarray:
        """P'_ai (k, d) at some points, single precision, of pairs that need not be those that move."""
        own = self.sides.pairs
        found = np.empty((len(points), pairs.n_pairs), np.complex64)
        found[:] = own.filling * pairs.block(self.sides.still)
        _, here, there = np.intersect1d(pairs.index, own.index, assume_unique=True, return_indices=True)
        found[:, here] = own.filling * self.eta[np.ix_(points, there)]
        if self.start is not None:
            found[points == 0] = pairs.block(self.start)
        return found

    def along(self, matrix: np.ndarray) -> np.ndarray:
        """Tr M P' (n + 1,) at the points and the end, by a real symmetric M (n_spin, m, m)."""
        return self._along([matrix])[:, 0]

    def _along(self, matrices: list[np.ndarray]) -> np.ndarray:
        """(n + 1, c)."""
        of = self.sides.traces(np.array(matrices), imaginary=False)
        parts = (self.eta[first : first + _POINTS] for first in range(0, len(self.eta), _POINTS))
        return np.concatenate([of(part).sum(axis=2) for part in parts])

    def energies(self, response: PairResponse) -> np.ndarray:
        """Core, Coulomb and exchange-correlation energies of the points, (n, 3), as `Surrogate` has them.

        The total is that of the first point; the work of fields is added elsewhere.
        """
        assert self.start is not None
        about, n_points = response.about, len(self.eta) - 1
        found = np.empty((n_points, 3))
        at_start = response.energies(self.start[None])[0]
        matrices = [about.core, about.coulomb]
        at_ground = [np.real(np.vdot(matrix, about.density)) for matrix in matrices]
        found[:, :2] = about.energies[:2] - np.array(at_ground) + self._along(matrices)[:-1]
        ground = response.pairs.block(about.density)
        for first in range(0, n_points, _POINTS):
            part = slice(first, min(first + _POINTS, n_points))
            found[part, 1] += response.coulomb(np.real(response.pairs.filling * self.eta[part] - ground))
        found[0] = at_start
        found[:, 2] = at_start.sum() - found[:, 0] - found[:, 1]
        return found
