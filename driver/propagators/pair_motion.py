"""Weak motion over many steps at once: the reference's own steps first, then powers of their slow map.

What a step's F has of earlier predictions is gone after a few steps: F follows η, and the normal modes of the
slow map (`weak_fields/modes`) give every later point in closed form,

    z(t + dt) = λ z(t) + U ½ [k(s(t)) + k(s(t + dt))],   s = X z + s₀

with U k(s), of low rank, what a surrogate lacks (`estimate/defect_operator`). What F answers to it within the
same step, ½ |V| dt of it, is left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...surrogate.weak_fields.modes import StepModes, real_product, split
from ...surrogate.weak_fields.pair_response import PairResponse
from ...surrogate.weak_fields.relaxation import SETTLED, relaxed_steps
from ...surrogate.weak_fields.scheme import PairState, Phases, scheme_step
from .pair_steps import KnownSteps, ModeSteps, PairSteps, Parts
from .pushes import NOTHING, Beyond, Lacking, Pushes

#: Steps after which F follows η: what else it had shrinks tenfold in each. Before relaxed steps, known to
#: `SETTLED` alone, fewer do: each reads the kernel by itself.
SETTLING, SETTLING_RELAXED = 24, 8
#: Steps by which modes known to first order, or relaxed steps, are checked the first time that they are used.
CHECKED = 192
#: As `SETTLED`, of what is to be added to a run: it is stated, not kept.
SETTLED_BESIDE = 2e-4
#: Steps that are taken at once.
_AT_ONCE = 64
#: Iterations that find what these lack together.
_MOST_ITERATIONS = 40
#: A block that moves less than this share of the whole is at rest.
_AT_REST = 1e-12


#: Takes steps in order: the number of the first, and some of them.
Keep = Callable[[int, PairSteps], None]


@dataclass(frozen=True, eq=False)
class PairPath:
    """How a path ended.

    end: the last point. gap: by how much the path may be off, relative, where modes are known to first order;
        not measured where something is lacking.
    """

    end: PairState
    gap: float = 0.0


def pair_path(
    response: PairResponse,
    start: PairState,
    lengths: Sequence[int],
    dt: float,
    keep: Keep,
    pushes: Pushes = NOTHING,
) -> PairPath | None:
    """Follow a point over stretches of these lengths; F is built anew at the start of each but the first.

    start: counted from rest. keep: is given every step. pushes: are added to every F. None where a block that
    moves has no modes, or what is lacking drives the motion without end.
    """
    beyond = Beyond(response, pushes)
    state, made, stretches = start, 0, list[_Stretch]()
    growths: dict[bool, tuple[float, float]] = {}
    for k, length in enumerate(lengths):
        if k:
            state = PairState(state.eta, beyond.fock(state.eta, made), state.fock_half)
        for piece in _pieces(made, length, beyond.n_driven):
            by_modes = response.has_modes and made >= beyond.n_driven
            settling = min(piece, SETTLING if by_modes else SETTLING_RELAXED)
            for step in range(made, made + settling):
                # F of the point that the step leads to.
                state, early = scheme_step(state, Phases(response.pairs.gaps, dt), beyond.at(step + 1))
                keep(step, KnownSteps(state.eta[None], early[None]))
            if piece > settling:
                before, stretch = state, _Stretch(made + settling, piece - settling, dt, by_modes)
                found = (_by_modes if by_modes else _by_relaxation)(response, state, stretch, keep, beyond)
                if found is None:
                    return None
                state, first = found
                if by_modes not in growths:
                    growths[by_modes] = _growth(response, before, first, stretch, beyond)
                stretches.append(stretch)
            made += piece
    # Each stretch begins with amplitudes of its own; what their turns are off adds up.
    gaps = (
        off + 2.0 * slope * max(stretch.n_steps - CHECKED, 0)
        for stretch in stretches
        for off, slope in [growths[stretch.by_modes]]
    )
    return PairPath(state, sum(gaps))


def _pieces(made: int, length: int, n_driven: int) -> list[int]:
    """A stretch's steps with a field, and those after it."""
    driven = min(max(n_driven - made, 0), length)
    return [piece for piece in (driven, length - driven) if piece]


@dataclass(frozen=True)
class _Stretch:
    """Steps at once. first: number of the first. n_steps. dt: au. by_modes: or by relaxation."""

    first: int
    n_steps: int
    dt: float
    by_modes: bool


def _by_modes(
    response: PairResponse, start: PairState, stretch: _Stretch, keep: Keep, beyond: Beyond
) -> tuple[PairState, np.ndarray] | None:
    """The last point, and η after each of the first steps, by which the modes are checked."""
    eta, lacking = start.eta, beyond.lacking
    blocks = _moving(response, eta, lacking)
    modes = [response.modes(k, stretch.dt) for k in blocks]
    if any(own is None for own in modes):
        return None
    known = [own for own in modes if own is not None]
    index = [response.blocks[k].index for k in blocks]
    turns = np.concatenate([np.empty(0, complex), *(own.turns for own in known)])
    ends = np.cumsum([0, *(len(own.turns) for own in known)])
    z = np.empty(ends[-1], complex)
    parts = list(zip(known, index, ends[:-1].tolist(), strict=True))
    for own, i, first in parts:
        z[first : first + len(own.turns)] = own.amplitudes(eta[i])
    if lacking is None:
        pushed = _free(z, turns, stretch.n_steps)
    else:
        coupling = _coupling(known, index, Phases(response.pairs.gaps, stretch.dt), lacking, beyond)
        pushed = _with_lacking(z, turns, stretch.n_steps, coupling)
    made, checked, known_rows = 0, [], {}
    for z in pushed:
        if z is None:
            return None
        steps = ModeSteps(z, parts, len(eta), known_rows)
        keep(stretch.first + made, steps)
        if made < CHECKED:
            checked.append(steps.eta()[: CHECKED - made])
        made += len(z) - 1
    last = ModeSteps(z[-2:], parts, len(eta)).eta()[0]
    return _last(response, last, z[-2:] / turns, parts), np.concatenate(checked)


def _by_relaxation(
    response: PairResponse, start: PairState, stretch: _Stretch, keep: Keep, beyond: Beyond
) -> tuple[PairState, np.ndarray] | None:
    """As `_by_modes`."""
    made, checked, found = 0, list[np.ndarray](), None
    try:
        inner = response.inner(stretch.dt)
    except np.linalg.LinAlgError:
        return None

    def more(first: int, eta: np.ndarray) -> np.ndarray:
        return beyond.pushed(eta, stretch.first + first)

    pushed, settled = None if beyond.nothing else more, SETTLED if beyond.beside is None else SETTLED_BESIDE
    for found in relaxed_steps(inner, response.kernel, start, stretch.n_steps, pushed, settled):
        if found is None:
            return None
        keep(stretch.first + made, KnownSteps(found.eta[1:], found.early[1:]))
        if made < CHECKED:
            checked.append(found.eta[1 : CHECKED - made + 1])
        made += len(found.eta) - 1
    assert found is not None
    end = PairState(found.eta[-1], found.fock[-1], 0.5 * (found.fock[-2] + found.fock[-1]))
    return end, np.concatenate(checked)


def _last(
    response: PairResponse,
    eta: np.ndarray,
    before: np.ndarray,
    parts: Parts,
) -> PairState:
    """The point η (d,); before: (2, m), z of where the two steps that led to it began, had they been free.

    F is V of a step after one correction.
    """
    early = np.zeros((2, len(eta)), complex)
    for own, i, first in parts:
        early[:, i] = own.after_one(before[:, first : first + len(own.turns)])
    earlier, fock = response.response(response.pairs.filling * early)
    return PairState(eta, fock, 0.5 * (earlier + fock))


def _growth(
    response: PairResponse, state: PairState, found: np.ndarray, stretch: _Stretch, beyond: Beyond
) -> tuple[float, float]:
    """By how much η at once is off at most, relative, and what that grows by in a step.

    state: where they begin. found: (n, d) after each of some steps. Zero where all modes are exact; where
    something is lacking it is not measured.
    """
    least = 0.0 if stretch.by_modes else SETTLED
    if beyond.lacking is not None:
        return least, 0.0
    if stretch.by_modes:
        known = [response.modes(k, stretch.dt) for k in _moving(response, state.eta, None)]
        if all(own is None or own.exact for own in known):
            return 0.0, 0.0
    phases, apart, sizes = Phases(response.pairs.gaps, stretch.dt), *np.empty((2, len(found)))
    for n, eta in enumerate(found):
        state, _ = scheme_step(state, phases, beyond.at(stretch.first + n + 1))
        apart[n], sizes[n] = np.linalg.norm(eta - state.eta), np.linalg.norm(state.eta)
    if not sizes.any():
        return least, 0.0
    # While a field drives, what is small as yet says nothing.
    apart /= sizes.max()
    # It oscillates: the last third against the first.
    third = len(found) // 3
    slope = (apart[-third:].mean() - apart[:third].mean()) / (len(found) - third) if third else 0.0
    return max(float(apart.max()), least), max(float(slope), 0.0)


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
    lacking: Lacking,
    beyond: Beyond,
) -> _Coupling:
    n, offset = beyond.filling, beyond.offset
    d = len(offset)
    reads, pushes = [], []
    for own, i in zip(modes, index, strict=True):
        real, imaginary = n * lacking.changes[:, i], n * lacking.changes[:, d + i]
        reads.append(own.along_real(real) + own.along_imaginary(imaginary))
        pushes.append(own.amplitudes((phases.push[i] * lacking.images[:, i]).T))
    constant = n * lacking.changes @ split(offset.astype(complex))
    return _Coupling(np.concatenate(reads, axis=1), np.concatenate(pushes), constant, lacking.weigh)


def _free(z: np.ndarray, turns: np.ndarray, n_steps: int) -> Iterator[np.ndarray]:
    """z at the start and after each step, some steps at a time, (k, m); the first is the last of before."""
    powers = np.exp(np.arange(_AT_ONCE + 1)[:, None] * np.log(turns))
    for first in range(0, n_steps, _AT_ONCE):
        found = powers[: min(_AT_ONCE, n_steps - first) + 1] * z
        z = found[-1]
        yield found


def _with_lacking(
    z: np.ndarray, turns: np.ndarray, n_steps: int, coupling: _Coupling
) -> Iterator[np.ndarray | None]:
    """The same with what is lacking; None where that diverges."""
    size, q = min(_AT_ONCE, n_steps), len(coupling.constant)
    steps = np.arange(size + 1)[:, None]
    powers, back = np.exp(steps * np.log(turns)), np.exp(-steps * np.log(turns))
    # What a push at one step does to s at a later point: X λ^(j - i - 1) U.
    echoes = real_product((powers[:size, None, :] * coupling.reads), coupling.pushes.T)
    matrix = np.zeros((size + 1, q, size, q))
    for early in range(size):
        matrix[early + 1 :, :, early] = echoes[: size - early]
    for first in range(0, n_steps, size):
        n = min(size, n_steps - first)
        free = powers[: n + 1] * z
        square = matrix[: n + 1, :, :n].reshape((n + 1) * q, n * q)
        with np.errstate(all="ignore"):
            pushed = _pushed(real_product(free, coupling.reads) + coupling.constant, square, coupling.weigh)
        if pushed is None:
            yield None
            return
        kicks = (pushed @ coupling.pushes.T) * back[1 : n + 1]
        free[1:] += powers[1 : n + 1] * np.cumsum(kicks, axis=0)
        z = free[-1]
        yield free


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
