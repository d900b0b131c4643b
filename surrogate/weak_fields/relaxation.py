"""Steps of very many pairs, some tens at once, by waveform relaxation: where no modes can be had.

The converged mid-point step with a kernel K = K₀ + R (Lelarasmee, Ruehli, Sangiovanni-Vincentelli, IEEE
Trans. CAD 1 (1982) 131). A sweep solves a block of steps with K₀ and drives it by R η of the sweep before:

    η_{j+1} = e η_j + ½ g [K₀ η_j + K₀ η_{j+1} + s_j + s_{j+1}],   s = R η

K₀ is the diagonal of K and a few leading eigenpairs. With the diagonal a pair turns by itself,

    Re η = S_r Re z,  Im η = S_i Im z,   z_{j+1} = λ z_j + α Re(s_j + s_{j+1}) + β Im(s_j + s_{j+1})

and what the eigenpairs add follows from their coordinates y = Re(X z) alone, a small system of steps. So a
sweep has no step that touches all pairs. From sweep to sweep only what changed goes through K, as the few
functions of time that it is made of; what they leave out is counted in the next sweep.

The reference predicts a step and corrects it twice (`scheme`): its F is V(η₁), η₁ after one correction. With
the prediction off from that by p,

    F_j = V(η_j) + V(η₁ - η),   η₁ - η = ½ g V(p_j),   p_j = -½ g [F_j + V(p_j) - 2 F_{j-1} + F_{j-2}]
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from .leading_part import LeadingPart, Times
from .modes import split
from .scheme import PairState, Phases

#: Steps at once, of pairs up to a number and of more: fewer read K more often, more leave a cache.
STEPS, MORE_STEPS, MANY_PAIRS = 64, 128, 8000
#: Pairs whose steps stay in the processor's cache.
_PAIRS = 512
#: Change between sweeps, relative, at which a block has settled; sweeps until it has not.
SETTLED, _MOST_SWEEPS = 1e-6, 60
#: Functions of time below this share of the largest wait for the next sweep, and for good below this share of
#: what settles a block.
_LATER, _SMALL = 3e-2, 0.1
#: Change, relative, at which what corrections leave is found, by functions of time above this share.
_NEARLY, _ROUGHLY = 3e-3, 2e-3
#: Eigenpairs of A and of B.
LEADING = (60, 30)

#: What F has beyond K η, Hartree (k, d), at points from a number on, of η (k, d) there.
Push = Callable[[int, np.ndarray], np.ndarray]
#: K between real parts, and between imaginary parts; None: B is zero.
Kernel = tuple[Times, Times | None]


@dataclass(frozen=True, eq=False)
class InnerStep:
    """The step with K₀, of d pairs and q eigenpairs, in the precision of the eigenvectors.

    push: (d,) g.
    powers: (k + 1, d) λ^j, k: steps at once.
    real, imaginary: (d,) S_r, S_i.
    pushes: (2, d) α, β.
    parts: K₀ between real, and between imaginary parts; None: B is zero.
    reads: (q, 2d) X as real rows of (Re z, Im z).
    writes: (q, d) what y pushes z by, complex.
    echoes: (k, q, q), what y at one step adds to y so many steps later, by time.
    """

    push: np.ndarray
    powers: np.ndarray
    real: np.ndarray
    imaginary: np.ndarray
    pushes: np.ndarray
    parts: tuple[LeadingPart, LeadingPart | None]
    reads: np.ndarray
    writes: np.ndarray
    echoes: np.ndarray

    def coordinates(self, eta: np.ndarray) -> np.ndarray:
        """z (..., d) of η."""
        z = np.real(eta) / self.real + 1j * (np.imag(eta) / self.imaginary)
        return z.astype(self.powers.dtype)

    def eta(self, z: np.ndarray) -> np.ndarray:
        """η (..., d) of z."""
        found = np.empty_like(z)
        found.real, found.imag = np.real(z) * self.real, np.imag(z) * self.imaginary
        return found

    def product(self, eta: np.ndarray) -> np.ndarray:
        """K₀ η (..., d)."""
        real, imaginary = self.parts
        found = np.zeros_like(eta)
        found.real = real.product(np.real(eta))
        if imaginary is not None:
            found.imag = imaginary.product(np.imag(eta))
        return found


def inner_step(phases: Phases, real: LeadingPart, imaginary: LeadingPart | None) -> InnerStep:
    """Of K₀ between real and between imaginary parts. Raises LinAlgError at no minimum."""
    gaps, d = phases.gaps, len(phases.gaps)
    diagonals = real.diagonal, np.zeros(d) if imaginary is None else imaginary.diagonal
    stiff = gaps + diagonals[0], gaps + diagonals[1]
    if min(part.min() for part in stiff) <= 0.0:
        raise np.linalg.LinAlgError("the ground state is no minimum")
    # `modes.midpoint_modes` of matrices of one element.
    tau = np.tan(0.5 * gaps * phases.dt) / gaps
    turns = np.exp(-2j * np.arctan(np.abs(tau) * np.sqrt(stiff[0] * stiff[1])))
    shapes = tau * np.sqrt(stiff[1]), np.abs(tau) * np.sqrt(stiff[0])
    pushes = _pushes(phases, diagonals, shapes)
    parts = [real] if imaginary is None else [real, imaginary]
    counts = [part.vectors.shape[1] for part in parts]
    reads, writes = np.zeros((sum(counts), 2 * d)), np.empty((sum(counts), d), complex)
    first = 0
    for k, (part, count) in enumerate(zip(parts, counts, strict=True)):
        own = slice(first, first + count)
        reads[own, k * d : (k + 1) * d] = (part.vectors * part.values).T * shapes[k]
        writes[own] = part.vectors.T * pushes[k]
        first += count
    steps = STEPS if d <= MANY_PAIRS else MORE_STEPS
    echoes, later = np.empty((steps, len(reads), len(reads))), writes
    for step in range(steps):
        echoes[step] = reads @ split(later).T
        later = later * turns
    powers = np.exp(np.arange(steps + 1)[:, None] * np.log(turns))
    single = real.vectors.dtype == np.float32
    push, powers, pushes, writes = (
        part.astype(np.complex64 if single else complex) for part in (phases.push, powers, pushes, writes)
    )
    shapes = shapes[0].astype(real.vectors.dtype), shapes[1].astype(real.vectors.dtype)
    reads = reads.astype(real.vectors.dtype)
    return InnerStep(push, powers, *shapes, pushes, (real, imaginary), reads, writes, echoes)


def _pushes(
    phases: Phases, diagonals: tuple[np.ndarray, np.ndarray], shapes: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """α and β, (2, d): (1 - ½ g D)⁻¹ ½ g of a real and of an imaginary s, as z."""
    half = 0.5 * phases.push
    x, y, (a, b) = np.real(half), np.imag(half), diagonals
    # 1 - ½ g D as a real matrix (1 - x a, y b; -y a, 1 - x b).
    determinant = (1.0 - x * a) * (1.0 - x * b) + y * y * a * b
    found = np.empty((2, len(half)), complex)
    for row, s in zip(found, (half, 1j * half), strict=True):
        real = ((1.0 - x * b) * np.real(s) - y * b * np.imag(s)) / determinant
        imaginary = (y * a * np.real(s) + (1.0 - x * a) * np.imag(s)) / determinant
        row.real, row.imag = real / shapes[0], imaginary / shapes[1]
    return found


@dataclass(frozen=True, eq=False)
class RelaxedSteps:
    """A start and k steps, (k + 1, d): η, what it is after one correction, and F, Hartree."""

    eta: np.ndarray
    early: np.ndarray
    fock: np.ndarray


def relaxed_steps(
    inner: InnerStep,
    kernel: Kernel,
    start: PairState,
    n_steps: int,
    more: Push | None = None,
    settled: float = SETTLED,
) -> Iterator[RelaxedSteps | None]:
    """Some steps at a time, each from where the last ended; None where none are found.

    kernel: of rows (k, d). more: of points counted from the start.
    settled: change between sweeps, relative, at which a block is done; a larger one than usual leaves out
        what corrections leave, too.
    """
    at_once = len(inner.echoes)
    for first in range(0, n_steps, at_once):
        own = None if more is None else partial(more, first)
        found = _block(inner, kernel, start, min(at_once, n_steps - first), own, settled)
        yield found
        if found is None:
            return
        start = PairState(found.eta[-1], found.fock[-1], 0.5 * (found.fock[-2] + found.fock[-1]))


def _block(
    inner: InnerStep,
    kernel: Kernel,
    start: PairState,
    n: int,
    more: Callable[[np.ndarray], np.ndarray] | None,
    settled: float,
) -> RelaxedSteps | None:
    kind = inner.powers.dtype
    counted, driven, off, left = np.zeros((4, n + 1, len(start.eta)), kind)
    z, corrected = inner.coordinates(start.eta), settled > SETTLED
    for _ in range(_MOST_SWEEPS):
        s = driven + left
        if more is not None:
            s += more(counted).astype(kind)
        found = inner.eta(_swept(inner, z, s))
        change = found - counted
        size, moved = float(np.linalg.norm(found)), float(np.linalg.norm(change))
        if moved <= settled * size and corrected:
            fock = inner.product(found) + s
            return RelaxedSteps(*(part.astype(complex) for part in (found, found + off, fock)))
        if not np.isfinite(moved):
            return None
        if moved <= _NEARLY * size and not corrected:
            off, left = _uncorrected(inner, kernel, start, inner.product(found) + s)
            if more is not None:
                left[0] -= more(start.eta[None])[0]
            corrected = True
        kept, image = _by_times(kernel, change, _LATER, _SMALL * settled * size)
        counted += kept
        driven += image - inner.product(kept)
    return None


def _uncorrected(
    inner: InnerStep, kernel: Kernel, start: PairState, fock: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What two corrections leave of every point: η₁ - η, and V of it, (n + 1, d) each; fock: F there."""
    off, left = np.zeros((2, *fock.shape), fock.dtype)
    before = (2.0 * start.fock_half - start.fock).astype(fock.dtype)
    earlier = np.concatenate([before[None], fock[:-2]])
    half = 0.5 * inner.push
    _, first = _by_times(kernel, -half * (fock[1:] - 2.0 * fock[:-1] + earlier), _ROUGHLY)
    _, second = _by_times(kernel, -half * first, 10.0 * _ROUGHLY)
    off[1:] = half * (first + second)
    left[1:] = _by_times(kernel, off[1:], _ROUGHLY)[1]
    # With V of η rounded as in the steps.
    left[0] = start.fock - _by_times(kernel, start.eta[None].astype(fock.dtype), 0.0)[1][0]
    return off, left


def _by_times(
    kernel: Kernel, rows: np.ndarray, share: float, least: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, d) without functions of time below a share of the largest, or this norm; and K of them."""
    kept, image = np.zeros((2, *rows.shape), rows.dtype)
    parts = [[np.real(own), np.imag(own)] for own in (rows, kept, image)]
    for product, part, own, to in zip(kernel, *parts, strict=True):
        values, times = np.linalg.eigh(part @ part.T)
        times = times[:, values > max(share**2 * values[-1], least**2)]
        shapes = times.T @ part
        own += times @ shapes
        if product is not None:
            to += times @ product(shapes)
    return kept, image


def _swept(inner: InnerStep, start: np.ndarray, drive: np.ndarray) -> np.ndarray:
    """z (n + 1, d) from z (d,) with K₀ and s (n + 1, d)."""
    n, d = len(drive) - 1, drive.shape[1]
    columns = [slice(first, min(first + _PAIRS, d)) for first in range(0, d, _PAIRS)]
    free, along = np.empty_like(drive), np.zeros((n + 1, len(inner.reads)), inner.reads.dtype)
    for own in columns:
        both, (alpha, beta) = drive[1:, own] + drive[:-1, own], inner.pushes[:, own]
        powers = inner.powers[1 : n + 1, own]
        # λ⁻ⁱ⁻¹ times what each step is pushed by; |λ| = 1.
        pushed = (np.real(both) * alpha + np.imag(both) * beta) * np.conj(powers)
        free[0, own] = start[own]
        free[1:, own] = powers * (start[own] + np.cumsum(pushed, axis=0))
        along += np.real(free[:, own]) @ inner.reads[:, own].T
        along += np.imag(free[:, own]) @ inner.reads[:, d + own.start : d + own.stop].T
    y = _coordinates(inner, along).astype(inner.reads.dtype)
    both = y[1:] + y[:-1]
    for own in columns:
        powers = inner.powers[1 : n + 1, own]
        free[1:, own] += powers * np.cumsum((both @ inner.writes[:, own]) * np.conj(powers), axis=0)
    return free


def _coordinates(inner: InnerStep, free: np.ndarray) -> np.ndarray:
    """y (n + 1, q), from what it were without itself: y_j = free_j + Σ_i<j E_{j-i-1} (y_i + y_{i+1})."""
    n, q = free.shape
    now, sums, y = inner.echoes[0], np.zeros((n, q)), free.copy()
    inverse = np.linalg.inv(np.eye(q) - now)
    # Echoes side by side: what the last sums make of the next y, by one product.
    earlier = np.ascontiguousarray(inner.echoes[1:].transpose(1, 0, 2)).reshape(q, -1)
    for j in range(1, n):
        past = sums[: j - 1][::-1].ravel()
        y[j] = inverse @ (free[j] + now @ y[j - 1] + earlier[:, : len(past)] @ past)
        sums[j - 1] = y[j - 1] + y[j]
    return y
