"""What F has between empty and occupied orbitals beyond their response: what a surrogate lacks, and fields.

A field acts by its dipole's block between them, and to second order by its other blocks. The second order of
F is left out, and measured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...surrogate.weak_fields.modes import split
from ...surrogate.weak_fields.pair_response import PairResponse
from ...surrogate.weak_fields.scheme import Phases
from .pair_traces import Places

#: Steps at once.
_AT_ONCE = 64
#: A dipole's elements below this share of the largest are none.
_NONE = 1e-9


@dataclass(frozen=True, eq=False)
class Lacking:
    """What F lacks between occupied and empty orbitals: Σ_l images_l k(changes_l · (Re x, Im x)).

    changes: (q, 2d) real.
    images: (q, d) complex, Hartree.
    weigh: k, of arrays.
    """

    changes: np.ndarray
    images: np.ndarray
    weigh: Callable[[np.ndarray], np.ndarray]

    def of(self, x: np.ndarray) -> np.ndarray:
        """F (..., d) of x (..., d)."""
        return self.weigh(split(x) @ self.changes.T) @ self.images


@dataclass(frozen=True, eq=False)
class Across:
    """What the other blocks of fields make of η: M_ab η_bi - η_aj M_ji.

    empty, full: M_ab (c, v, v) and M_ij (c, o, o) real, of each coupling, by spin. places: of every spin.
    """

    empty: tuple[np.ndarray, ...]
    full: tuple[np.ndarray, ...]
    places: tuple[Places, ...]

    def of(self, eta: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
        """F (k, d), Hartree, of η (k, d) in fields of amplitudes (k, c)."""
        found = np.zeros(eta.shape, complex)
        acting = np.flatnonzero(amplitudes.any(axis=0))
        # Real products: half of the flops.
        for place, empty, full in zip(self.places, self.empty, self.full, strict=True):
            own = place.matrices(eta)
            parts, total = np.stack([np.real(own), np.imag(own)]), np.zeros((2, *own.shape))
            for c in acting:
                total += amplitudes[:, c, None, None] * (empty[c] @ parts - parts @ full[c])
            real, imaginary = total.reshape(2, len(eta), -1)[..., place.flat]
            found[:, place.own] = real + 1j * imaginary
        return found


def across(matrices: np.ndarray, places: tuple[Places, ...]) -> Across | None:
    """Of real matrices (c, n_spin, m, m) of couplings. None where symmetry keeps all from these pairs."""
    blocks = [
        [matrices[:, spin][:, part[:, None], part] for spin, part in enumerate(parts)]
        for parts in ([place.free for place in places], [place.filled for place in places])
    ]
    made = Across(tuple(blocks[0]), tuple(blocks[1]), places)
    # No η is orthogonal to all that acts but by symmetry.
    probe = np.random.default_rng(0).standard_normal((1, sum(int(place.own.sum()) for place in places)))
    moved = np.abs(made.of(probe, np.ones((1, len(matrices))))).max(initial=0.0)
    return made if moved > _NONE * np.abs(matrices).max(initial=0.0) else None


@dataclass(frozen=True, eq=False)
class Drive:
    """Fields over a path of n steps.

    amplitudes: (n + 1, c) of each coupling at every point and the end.
    pushes: (c, d) its matrix between empty and occupied orbitals.
    across: what its other blocks do; None: nothing.
    """

    amplitudes: np.ndarray
    pushes: np.ndarray
    across: Across | None = None

    @property
    def n_driven(self) -> int:
        """Points of the path up to the first from which on nothing acts."""
        acting = np.flatnonzero(np.any(self.amplitudes, axis=1))
        return int(acting[-1]) + 1 if len(acting) else 0

    def at(self, eta: np.ndarray, first: int) -> np.ndarray:
        """F (k, d), Hartree, of η (k, d), its change from the ground state, at the points from `first` on."""
        amplitudes = self.amplitudes[first : first + len(eta)]
        found = amplitudes @ self.pushes
        return found if self.across is None else found + self.across.of(eta, amplitudes)


@dataclass(frozen=True, eq=False)
class Pushes:
    """All of it; each may be absent.

    beside: η (n + 1, d) of all points of a run, not counted from rest, where a path is what is to be added.
    """

    lacking: Lacking | None = None
    drive: Drive | None = None
    beside: np.ndarray | None = None


NOTHING = Pushes()


class Beyond:
    """What F has beyond V of η counted from rest, by points of a path."""

    def __init__(self, response: PairResponse, pushes: Pushes) -> None:
        n = response.pairs.filling
        self.filling, self.lacking, self.drive = n, pushes.lacking, pushes.drive
        self.beside, self._ground = pushes.beside, np.real(response.pairs.block(response.about.density)) / n
        self.offset = response.rest - self._ground
        self._response = response

    @property
    def n_driven(self) -> int:
        """Steps that begin where a field acts, or before that."""
        return 0 if self.drive is None else self.drive.n_driven

    @property
    def nothing(self) -> bool:
        """Whether there is none."""
        return self.lacking is None and self.n_driven == 0

    def pushed(self, eta: np.ndarray, first: int) -> np.ndarray:
        """F (k, d) beyond V, of η (k, d) at the points from `first` on."""
        found = np.zeros(eta.shape, complex)
        added, beside = self.offset, self.beside
        if beside is not None:
            added = beside[first : first + len(eta)] - self._ground
        if self.lacking is not None:
            found += self.lacking.of(self.filling * (eta + added))
        if self.drive is not None and first < self.n_driven:
            found += self.drive.at(eta + added, first)
        return found

    def fock(self, eta: np.ndarray, point: int) -> np.ndarray:
        """F (d,) of η (d,) at one point."""
        own = self._response.response(self.filling * eta)
        return own if self.nothing else own + self.pushed(eta[None], point)[0]

    def at(self, point: int) -> Callable[[np.ndarray], np.ndarray]:
        """F of η at one point."""
        return partial(self.fock, point=point)


def bare_size(phases: Phases, pushes: np.ndarray, amplitudes: np.ndarray) -> float:
    """Largest |η| of pairs that fields (n + 1, c) drive from rest by M_ai (c, d), were there no response."""
    size, eta = 0.0, np.zeros(len(phases.gaps), complex)
    powers = np.exp(-1j * np.arange(_AT_ONCE + 1)[:, None] * phases.gaps * phases.dt)
    halves = 0.5 * (amplitudes[1:] + amplitudes[:-1])
    for first in range(0, len(halves), _AT_ONCE):
        now = (halves[first : first + _AT_ONCE] @ pushes) * phases.push
        later = powers[: len(now) + 1]
        path = later[1:] * (eta + np.cumsum(now * np.conj(later[1:]), axis=0))
        size = max(size, float(np.linalg.norm(path, axis=1).max()))
        eta = path[-1]
    return size
