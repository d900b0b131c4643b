"""The normal modes of one-step maps: the powers of a map in closed form, however many.

With u = (Re η, Im η) a map is a real matrix T, u(t + dt) = T u(t) = Σ_k Re(r_k λ_k l_k u(t)).

The converged mid-point step is a trapezoidal rule with a step of its own, τ = tan(ω dt / 2) / ω, for each
pair. With S = √|τ|, σ = sign τ,

    A = σS (ω + V_R) Sσ,   B = S (ω + V_I) S = C Cᵀ,   Cᵀ A C u = tan²(Ω dt / 2) u

and every mode turns by exactly exp(-iΩ dt) (a problem of Casida's form). A step with a predictor and two
corrections (`scheme`) has a slow map too: F(t) = G η(t) follows η after a few steps, and

    T = E + W ½ (G + G T),   G T = K (E + W ½ (G + K (E + W (3/2 G - 1/2 G T⁻¹))))

E, W, K: e, g and V as matrices. Its fixed point is found by iteration; what has not settled shrinks tenfold
each time. Of many pairs T is not diagonalised: F follows each mode r of the converged step as above, with
T r = λ r and λ = ½ l T r. To first order in what the two steps differ by, with a and b what T r has of the
other modes and of their conjugates,

    r_j + Σ_k r_k a_kj / (λ_j - λ_k) + r̄_k b_kj / (λ_j - λ̄_k)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg

from .scheme import PairMap

#: Pairs up to which the map of two corrections is diagonalised: a general matrix (2d, 2d).
MOST_EXACT = 300
#: Iterations that settle λ of a mode, and F along it, to first order: more bring it no nearer (3e-8 a step in
#: benzene, 1e-6 by the converged step).
SETTLING_MODES = 2
#: Modes that settle at once. Shares of another mode above this are left out: the two all but coincide, and
#: share their turn.
_MODES, _MIXED = 256, 0.03
#: Relative change of T, and iterations, at which it has settled.
SETTLED, MOST_ITERATIONS = 1e-13, 60
#: Relative error of the eigenvectors' decomposition that is let pass.
DECOMPOSED = 1e-9


@dataclass(frozen=True, eq=False)
class StepModes:
    """Modes k of a map of d pairs: what they turn by in a step, and how they look.

    turns: (k,) λ.
    real, imaginary: (d, k) R and I, Re η = Re R z, Im η = Im I z, conjugate modes counted in.
    real_dual, imaginary_dual: (k, d) L and M, z = L Re η + i M Im η.
    early: (2d, k) X, Re X z is what the step from there has after one correction, as `split` has it; None:
        not made, as of the converged step.
    exact: to rounding, not to first order. Those of first order are kept in single precision.
    """

    turns: np.ndarray
    real: np.ndarray
    imaginary: np.ndarray
    real_dual: np.ndarray
    imaginary_dual: np.ndarray
    early: np.ndarray | None
    exact: bool = True

    def amplitudes(self, eta: np.ndarray) -> np.ndarray:
        """z (k, ...) of η (d, ...)."""
        real, imaginary = (part.astype(_precision(self.real_dual)) for part in (np.real(eta), np.imag(eta)))
        return self.real_dual @ real + 1j * (self.imaginary_dual @ imaginary)

    def powers(self, n: int) -> np.ndarray:
        """λ^0 ... λ^(n-1), (n, k)."""
        return np.exp(np.arange(n)[:, None] * np.log(self.turns))

    def eta(self, amplitudes: np.ndarray) -> np.ndarray:
        """η (..., d) of z (..., k)."""
        found = np.empty((*amplitudes.shape[:-1], len(self.real)), complex)
        found.real = real_product(amplitudes, self.real)
        found.imag = real_product(-1j * amplitudes, self.imaginary)
        return found

    def after_one(self, amplitudes: np.ndarray) -> np.ndarray:
        """η (..., d) of the step from z (..., k) after one correction: F of the next point is V of it."""
        assert self.early is not None
        return joined(real_product(amplitudes, self.early))

    def along_real(self, rows: np.ndarray) -> np.ndarray:
        """Rows (r, d) times Re η: (r, k) by z."""
        return rows.astype(_precision(self.real)) @ self.real

    def along_imaginary(self, rows: np.ndarray) -> np.ndarray:
        """Rows (r, d) times Im η: (r, k) by z."""
        return -1j * (rows.astype(_precision(self.imaginary)) @ self.imaginary)

    def along_early(self, rows: np.ndarray) -> np.ndarray:
        """Rows (r, d) times Re η after one correction: (r, k) by z."""
        assert self.early is not None
        return rows.astype(_precision(self.early)) @ self.early[: rows.shape[1]]


def split(eta: np.ndarray) -> np.ndarray:
    """(..., 2d) real of (..., d) complex: real parts, imaginary parts."""
    return np.concatenate([np.real(eta), np.imag(eta)], axis=-1)


def joined(u: np.ndarray) -> np.ndarray:
    """The inverse of `split`."""
    d = u.shape[-1] // 2
    return u[..., :d] + 1j * u[..., d:]


def real_product(amplitudes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Re(R z) of z (..., k) and R (n, k), real or complex: (..., n), by one real product in R's precision."""
    if not np.iscomplexobj(rows):
        return np.real(amplitudes) @ rows.T
    real = _precision(rows)
    # Re R Re z - Im R Im z: both lie in memory as they are summed.
    return (
        np.conj(amplitudes).astype(rows.dtype, order="C").view(real) @ np.ascontiguousarray(rows).view(real).T
    )


def _precision(matrix: np.ndarray) -> np.dtype:
    """Of a real or complex matrix's parts."""
    return np.real(matrix).dtype


def midpoint_modes(step: PairMap) -> StepModes:
    """Of the converged mid-point step. Raises LinAlgError where the ground state is no minimum."""
    gaps = step.phases.gaps
    tau = np.tan(0.5 * gaps * step.phases.dt) / gaps
    sign, scale = np.sign(tau), np.sqrt(np.abs(tau))
    flipped = sign * scale
    a = (np.diag(gaps) + step.real) * flipped * flipped[:, None]
    # ω S² = |tan|, with the sign of τ: where a pair turns by more than π a step, σ stands in A alone.
    b = np.diag(gaps) if step.imaginary is None else np.diag(gaps) + step.imaginary
    b = b * scale * scale[:, None]
    c = np.linalg.cholesky(b)
    squares, u = np.linalg.eigh(c.T @ a @ c)
    if squares[0] <= 0.0:
        raise np.linalg.LinAlgError("the ground state is no minimum")
    tangents = np.sqrt(squares)
    rotated = c @ u
    # C⁻ᵀ u: the dual vectors.
    dual = scipy.linalg.solve_triangular(c, u, lower=True, trans=1)
    real, imaginary = flipped[:, None] * rotated, scale[:, None] * dual * tangents
    real_dual, imaginary_dual = dual.T * (sign / scale), (rotated / tangents).T / scale
    turns = np.exp(-2j * np.arctan(tangents))
    return StepModes(turns, real, imaginary, real_dual, imaginary_dual, None)


def nearly_scheme_modes(step: PairMap) -> StepModes:
    """Of the step with two corrections, to first order in what it differs by from the converged one.

    Raises LinAlgError where the ground state is no minimum.
    """
    modes = midpoint_modes(step)
    turns, n = modes.turns.copy(), len(modes.turns)
    # What corrections leave is a small part: single precision does.
    imaginary = None if step.imaginary is None else step.imaginary.astype(np.float32)
    single = replace(step, real=step.real.astype(np.float32), imaginary=imaginary)
    early = np.empty((2 * n, n), np.complex64)
    other, conjugate = np.empty((2, n, n), np.complex64)
    for first in range(0, n, _MODES):
        some = slice(first, first + _MODES)
        turns[some], early[:, some], after = _settled(single, modes, some)
        top, bottom = np.split(after, 2)
        along, across = _times(modes.real_dual, top), 1j * _times(modes.imaginary_dual, bottom)
        # L R + M I = 2: conjugate modes are counted in.
        other[:, some], conjugate[:, some] = 0.5 * (along + across), 0.5 * (along - across)
    shapes = [
        part.astype(np.float32, order="C")
        for part in (modes.real, modes.imaginary, modes.real_dual, modes.imaginary_dual)
    ]
    # Modes in double precision are let go before those that are kept are made.
    del modes
    for first in range(0, n, _MODES):
        some = slice(first, first + _MODES)
        other[some] /= _apart(turns, turns[some])
        conjugate[some] /= _apart(turns, np.conj(turns[some]))
    np.fill_diagonal(other, 0.0)
    other[np.abs(other) > _MIXED] = 0.0
    return _mixed(turns, early, shapes, other, conjugate)


def _settled(step: PairMap, modes: StepModes, some: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """λ (k,) of some modes of the converged step in that with two corrections, `early`, and T of them."""
    r, turns, push = (
        _shapes(modes.real[:, some], modes.imaginary[:, some]),
        modes.turns[some],
        step.phases.push,
    )
    free, fock, early, after = _turned(step.phases.turn, r), _kernel_times(step, r), r, r
    for _ in range(SETTLING_MODES):
        predicted = free + _turned(push, fock * (1.5 - 0.5 / turns))
        early = free + _turned(push, 0.5 * (fock + _kernel_times(step, predicted)))
        later = _kernel_times(step, early)
        after = free + _turned(push, 0.5 * (fock + later))
        top, bottom = np.split(after, 2)
        turns = 0.5 * (
            np.einsum("kd,dk->k", modes.real_dual[some], top)
            + 1j * np.einsum("kd,dk->k", modes.imaginary_dual[some], bottom)
        )
        fock = later / turns
    return turns, early, after


def _apart(turns: np.ndarray, others: np.ndarray) -> np.ndarray:
    """λ_j - λ_k by others k and turns j, (k, j); 1 where they are the same."""
    apart = (turns[None, :] - others[:, None]).astype(np.complex64)
    apart[apart == 0.0] = 1.0
    return apart


def _mixed(
    turns: np.ndarray,
    early: np.ndarray,
    shapes: Sequence[np.ndarray],
    other: np.ndarray,
    conjugate: np.ndarray,
) -> StepModes:
    """Modes with shares (k, k) of others and of their conjugates; duals turn the other way.

    shapes: real, imaginary, real_dual and imaginary_dual without them. The shares are lost.
    """
    real, imaginary, real_dual, imaginary_dual = shapes
    top = np.add(other, conjugate, out=other)
    bottom = np.subtract(top, np.multiply(conjugate, 2.0, out=conjugate), out=conjugate)
    return StepModes(
        turns,
        real + _times(real, top),
        imaginary + _times(imaginary, bottom),
        real_dual - _times(real_dual.T, top.T).T,
        imaginary_dual - _times(imaginary_dual.T, bottom.T).T,
        early,
        exact=False,
    )


def _times(matrix: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """A real matrix times complex columns (d, k), by one real product."""
    columns = np.ascontiguousarray(columns)
    single = columns.dtype == np.complex64
    real = columns.view(np.float32 if single else np.float64).reshape(len(columns), -1)
    return np.ascontiguousarray(matrix @ real).view(columns.dtype)


def _shapes(real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
    """What Re of times z gives Re η and Im η, (2d, k)."""
    return np.concatenate([real.astype(complex), -1j * imaginary])


def _kernel_times(step: PairMap, rows: np.ndarray) -> np.ndarray:
    """V as a matrix times complex (2d, k), by real products of V's precision."""
    d, k = len(rows) // 2, rows.shape[1]
    real = rows.view(float).reshape(2 * d, 2 * k).astype(step.real.dtype, copy=False)
    answer = np.zeros((2 * d, 2 * k))
    answer[:d] = step.real @ real[:d]
    if step.imaginary is not None:
        answer[d:] = step.imaginary @ real[d:]
    return answer.view(complex)


def scheme_modes(step: PairMap) -> StepModes | None:
    """Of the step with two corrections; None where its slow map is not found."""
    d, turn, push = len(step.phases.gaps), step.phases.turn, step.phases.push
    kernel = np.zeros((2 * d, 2 * d))
    kernel[:d, :d] = step.real
    if step.imaginary is not None:
        kernel[d:, d:] = step.imaginary
    free = _turned(turn, np.eye(2 * d))
    slow, fock, before = free, kernel, kernel @ _turned(np.conj(turn), np.eye(2 * d))
    first = free
    for _ in range(MOST_ITERATIONS):
        predicted = free + _turned(push, 1.5 * fock - 0.5 * before)
        first = free + _turned(push, 0.5 * (fock + kernel @ predicted))
        later = kernel @ first
        new = free + _turned(push, 0.5 * (fock + later))
        change = float(np.abs(new - slow).max())
        slow = new
        try:
            inverse = np.linalg.inv(slow)
        except np.linalg.LinAlgError:
            return None
        fock = later @ inverse
        before = fock @ inverse
        if not np.isfinite(change) or change > 1e3:
            return None
        if change < SETTLED:
            break
    else:
        return None
    turns, shapes = np.linalg.eig(slow)
    try:
        duals = np.linalg.inv(shapes)
    except np.linalg.LinAlgError:
        return None
    if np.abs((shapes * turns) @ duals - slow).max() > DECOMPOSED:
        return None
    # One of each conjugate pair, twice.
    kept = np.imag(turns) <= 0.0
    weight = np.where(np.imag(turns[kept]) < 0.0, 2.0, 1.0)
    shapes = shapes[:, kept] * weight
    real_dual, imaginary_dual = duals[kept, :d], -1j * duals[kept, d:]
    return StepModes(turns[kept], shapes[:d], 1j * shapes[d:], real_dual, imaginary_dual, first @ shapes)


def _turned(factors: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Complex factors (d,) times the rows of a map (2d, ...), real and imaginary parts apart."""
    top, bottom = np.split(matrix, 2)
    real, imaginary = np.real(factors)[:, None], np.imag(factors)[:, None]
    return np.concatenate([real * top - imaginary * bottom, imaginary * top + real * bottom])
