"""Weak motion over many steps at once: the reference's own steps first, then powers of their slow map.

What a step's F has of earlier predictions is gone after a few steps: F follows η, and the normal modes of the
slow map (`weak_fields/modes`) give every later point in closed form,

    z(t + dt) = λ z(t) + U ½ [k(s(t)) + k(s(t + dt))],   s = X z + s₀

with U k(s), of low rank, what a surrogate lacks (`estimate/defect_operator`). What F answers to it within the
same step, ½ |V| dt of it, is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...surrogate.matrices.occupied_empty import OccupiedEmpty
from ...surrogate.weak_fields.modes import StepModes, joined, real_product, split
from ...surrogate.weak_fields.pair_response import PairResponse
from ...surrogate.weak_fields.scheme import PairState, Phases, scheme_step

#: Steps after which F follows η: what else it had shrinks tenfold in each.
SETTLING = 24
#: Steps by which modes are checked that are known to first order.
CHECKED = 48
#: Steps with something lacking that are taken at once.
_AT_ONCE = 64
#: Iterations that find what these lack together.
_MOST_ITERATIONS = 40
#: Rows of the norm's matrix within this of its largest element may become the largest.
_NEAR = 0.05
#: A block that moves less than this share of the whole is at rest.
_AT_REST = 1e-12


@dataclass(frozen=True, eq=False)
class Lacking:
    """What F lacks between occupied and empty orbitals: Σ_l images_l k(changes_l · (Re x, Im x)).

    changes: (q, 2d) real. images: (q, d) complex, Hartree. weigh: k, of arrays.
    """

    changes: np.ndarray
    images: np.ndarray
    weigh: Callable[[np.ndarray], np.ndarray]

    def of(self, x: np.ndarray) -> np.ndarray:
        """F (d,) of x (d,)."""
        return self.weigh(self.changes @ split(x)) @ self.images


@dataclass(frozen=True, eq=False)
class PairPath:
    """n steps of d pairs.

    eta: (n + 1, d), of the points and the end. early: (n, d), of each step after one correction.
    end: the last point. gap: by how much the path may be off, relative, where modes are known to first order.
    """

    eta: np.ndarray
    early: np.ndarray
    end: PairState
    gap: float = 0.0


def pair_path(
    response: PairResponse,
    start: PairState,
    lengths: Sequence[int],
    dt: float,
    lacking: Lacking | None = None,
) -> PairPath | None:
    """Follow a point over stretches of these lengths; F is built anew at the start of each but the first.

    start: counted from rest. lacking: is added to every F. None where a block that
    moves has no modes, or what is lacking drives the motion without end.
    """
    etas, earlies, state, gap = [start.eta[None]], [], start, 0.0
    phases, n = Phases(response.pairs.gaps, dt), response.pairs.filling
    offset = response.rest - np.real(response.pairs.block(response.about.density)) / n

    def fock_of(eta: np.ndarray) -> np.ndarray:
        fock = response.response(n * eta)
        return fock if lacking is None else fock + lacking.of(n * (eta + offset))

    for k, length in enumerate(lengths):
        if k:
            state = PairState(state.eta, fock_of(state.eta), state.fock_half)
        settling = min(length, SETTLING)
        for _ in range(settling):
            state, early = scheme_step(state, phases, fock_of)
            etas.append(state.eta[None])
            earlies.append(early[None])
        if length > settling:
            found = _by_modes(response, state.eta, length - settling, dt, (lacking, n, offset))
            if found is None:
                return None
            gap = max(gap, _gap(response, state, found[0], dt))
            eta, early, state = found
            etas.append(eta)
            earlies.append(early)
    return PairPath(np.concatenate(etas), np.concatenate(earlies), state, gap)


def norm_changes(
    pairs: OccupiedEmpty, ground_density: np.ndarray, to_canonical: np.ndarray, path: PairPath
) -> np.ndarray:
    """Of NWChem's norm of P' between the two corrections of each step, (n, n_spin).

    norm = max_i Σ T_ip P'_pq T_iq, T = `to_canonical`, to first order in η: see `magnus.canonical_norm`.
    """
    n_spin, m = pairs.shape[:2]
    spin, rest = np.divmod(pairs.index, m * m)
    empty, occupied = np.divmod(rest, m)
    ground, found = np.real(ground_density), np.zeros((len(path.early), n_spin))
    for s in range(n_spin):
        own, turn = spin == s, to_canonical[s]
        largest = np.einsum("ip,pq,iq->i", turn, ground[s], turn, optimize=True)
        rows = np.flatnonzero(largest >= largest.max() - _NEAR)
        slopes = 2.0 * pairs.filling * turn[rows][:, empty[own]] * turn[rows][:, occupied[own]]
        before, after = (
            (largest[rows] + np.real(eta[:, own]) @ slopes.T).max(axis=1)
            for eta in (path.early, path.eta[1:])
        )
        found[:, s] = np.abs(after - before)
    return found


def _by_modes(
    response: PairResponse,
    eta: np.ndarray,
    n_steps: int,
    dt: float,
    missing: tuple[Lacking | None, float, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, PairState] | None:
    """η after each step, after the first correction of each, and the last point."""
    blocks = _moving(response, eta, missing[0])
    if not blocks:
        still = np.zeros((n_steps, len(eta)), complex)
        return still, still, PairState(*np.zeros((3, len(eta)), complex))
    modes = [response.modes(k, dt) for k in blocks]
    if any(own is None for own in modes):
        return None
    known = [own for own in modes if own is not None]
    index = [response.blocks[k].index for k in blocks]
    turns = np.concatenate([own.turns for own in known])
    z = np.concatenate([own.amplitudes(eta[i]) for own, i in zip(known, index, strict=True)])
    if missing[0] is None:
        z = np.exp(np.arange(n_steps + 1)[:, None] * np.log(turns)) * z
    else:
        coupling = _coupling(known, index, Phases(response.pairs.gaps, dt), missing)
        with np.errstate(all="ignore"):
            followed = _with_lacking(z, turns, n_steps, coupling)
        if followed is None:
            return None
        z = followed
    found, early = np.zeros((2, n_steps, len(eta)), complex)
    last = PairState(*np.zeros((3, len(eta)), complex))
    first = 0
    for own, i in zip(known, index, strict=True):
        mine = z[:, first : first + len(own.turns)]
        first += len(own.turns)
        found[:, i] = own.eta(mine[1:])
        early[:, i] = joined(real_product(mine[:-1], own.early))
        fock = joined(real_product(mine[-2:], own.fock))
        last.eta[i], last.fock[i], last.fock_half[i] = found[-1, i], fock[1], fock.mean(axis=0)
    return found, early, last


def _gap(response: PairResponse, state: PairState, found: np.ndarray, dt: float) -> float:
    """By how much η (n, d) by modes may be off at its end, relative: what it is after some steps, and in
    proportion.

    Zero where all modes are exact.
    """
    known = [response.modes(k, dt) for k in _moving(response, state.eta, None)]
    if all(own is None or own.exact for own in known):
        return 0.0
    phases, n_steps = Phases(response.pairs.gaps, dt), min(CHECKED, len(found))
    for _ in range(n_steps):
        state, _ = scheme_step(state, phases, lambda eta: response.response(response.pairs.filling * eta))
    apart = float(np.linalg.norm(found[n_steps - 1] - state.eta) / np.linalg.norm(state.eta))
    return apart * len(found) / n_steps


def _moving(response: PairResponse, eta: np.ndarray, lacking: Lacking | None) -> list[int]:
    """Blocks that move, or that what is lacking sets in motion."""
    sizes = [float(np.linalg.norm(eta[block.index])) for block in response.blocks]
    pushed = [0.0] * len(sizes)
    if lacking is not None:
        pushed = [float(np.linalg.norm(lacking.images[:, block.index])) for block in response.blocks]
    largest, hardest = max(sizes), max(pushed)
    moving = zip(sizes, pushed, strict=True)
    return [
        k for k, (size, push) in enumerate(moving) if size > _AT_REST * largest or push > 1e-6 * hardest > 0.0
    ]


@dataclass(frozen=True, eq=False)
class _Coupling:
    """X (q, k), U (k, q) complex, s₀ (q,) and k of the equation above."""

    reads: np.ndarray
    pushes: np.ndarray
    constant: np.ndarray
    weigh: Callable[[np.ndarray], np.ndarray]


def _coupling(
    modes: Sequence[StepModes],
    index: Sequence[np.ndarray],
    phases: Phases,
    missing: tuple[Lacking | None, float, np.ndarray],
) -> _Coupling:
    lacking, n, offset = missing
    assert lacking is not None
    d = len(offset)
    reads, pushes = [], []
    for own, i in zip(modes, index, strict=True):
        both = np.concatenate([i, d + i])
        reads.append(n * lacking.changes[:, both] @ own.shapes)
        pushes.append(own.duals @ split(phases.push[i] * lacking.images[:, i]).T)
    constant = n * lacking.changes @ split(offset.astype(complex))
    return _Coupling(np.concatenate(reads, axis=1), np.concatenate(pushes), constant, lacking.weigh)


def _with_lacking(z: np.ndarray, turns: np.ndarray, n_steps: int, coupling: _Coupling) -> np.ndarray | None:
    """z at the start and after each step, (n_steps + 1, k), some steps at once; None where that diverges."""
    size, q = min(_AT_ONCE, n_steps), len(coupling.constant)
    steps = np.arange(size + 1)[:, None]
    powers, back = np.exp(steps * np.log(turns)), np.exp(-steps * np.log(turns))
    # What a push at one step does to s at a later point: X λ^(j - i - 1) U.
    echoes = real_product((powers[:size, None, :] * coupling.reads), coupling.pushes.T)
    matrix = np.zeros((size + 1, q, size, q))
    for early in range(size):
        matrix[early + 1 :, :, early] = echoes[: size - early]
    found = np.empty((n_steps + 1, len(z)), complex)
    found[0] = z
    for first in range(0, n_steps, size):
        n = min(size, n_steps - first)
        free = powers[: n + 1] * found[first]
        square = matrix[: n + 1, :, :n].reshape((n + 1) * q, n * q)
        pushed = _pushed(real_product(free, coupling.reads) + coupling.constant, square, coupling.weigh)
        if pushed is None:
            return None
        kicks = (pushed @ coupling.pushes.T) * back[1 : n + 1]
        found[first + 1 : first + n + 1] = free[1:] + powers[1 : n + 1] * np.cumsum(kicks, axis=0)
    return found


def _pushed(
    free: np.ndarray, echoes: np.ndarray, weigh: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray | None:
    """½ (k(s) + k(s')), (n, q), of points s = free + echoes · that, (n + 1, q); None where none is found."""
    pushed = np.zeros((len(free) - 1, free.shape[1]))
    for _ in range(_MOST_ITERATIONS):
        k = weigh(free + (echoes @ pushed.ravel()).reshape(free.shape))
        again = 0.5 * (k[1:] + k[:-1])
        change, size = float(np.abs(again - pushed).max()), float(np.abs(again).max())
        pushed = again
        if change <= 1e-10 * size:
            return pushed
        if not np.isfinite(change):
            break
    return None
