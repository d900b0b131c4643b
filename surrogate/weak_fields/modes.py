"""The normal modes of one-step maps: the powers of a map in closed form, however many.

With u = (Re η, Im η) a map is a real matrix T, u(t + dt) = T u(t) = Σ_k Re(r_k λ_k l_k u(t)).

The converged mid-point step is a trapezoidal rule with a step of its own, τ = tan(ω dt / 2) / ω, for each
pair. With S = √|τ|, σ = sign τ,

    A = σS (ω + V_R) Sσ,   B = S (ω + V_I) S = C Cᵀ,   Cᵀ A C u = tan²(Ω dt / 2) u

and every mode turns by exactly exp(-iΩ dt) (a problem of Casida's form). A step with a predictor and two
corrections (`scheme`) has a slow map too: F(t) = G η(t) follows η after a few steps, and

    T = E + W ½ (G + G T),   G T = K (E + W ½ (G + K (E + W (3/2 G - 1/2 G T⁻¹))))

E, W, K: e, g and V as matrices. From the modes of the converged step on its fixed point is found by
iteration; what has not settled shrinks tenfold each time.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from .scheme import PairMap

#: Pairs up to which the map of two corrections is diagonalised: a general matrix (2d, 2d).
MOST_EXACT = 600
#: Relative change of T, and iterations, at which it has settled.
SETTLED, MOST_ITERATIONS = 1e-13, 60
#: Relative error of the eigenvectors' decomposition that is let pass.
DECOMPOSED = 1e-9


@dataclass(frozen=True, eq=False)
class StepModes:
    """StepModes k of a map of d pairs.

    turns: (k,) λ. shapes: (2d, k) r, conjugate modes counted in. duals: (k, 2d) l.
    fock: (2d, 2d) G, which gives F of a point; None: V itself. early: (2d, 2d), from η to what the step from
    it has after one correction; None where the step is the converged one.
    """

    turns: np.ndarray
    shapes: np.ndarray
    duals: np.ndarray
    fock: np.ndarray | None = None
    early: np.ndarray | None = None

    def amplitudes(self, eta: np.ndarray) -> np.ndarray:
        """z (k,) of η (d,)."""
        return self.duals @ split(eta)

    def powers(self, n: int) -> np.ndarray:
        """λ^0 ... λ^(n-1), (n, k)."""
        return np.exp(np.arange(n)[:, None] * np.log(self.turns))

    def eta(self, amplitudes: np.ndarray) -> np.ndarray:
        """η (..., d) of z (..., k)."""
        return joined(real_product(amplitudes, self.shapes))


def split(eta: np.ndarray) -> np.ndarray:
    """(..., 2d) real of (..., d) complex: real parts, imaginary parts."""
    return np.concatenate([np.real(eta), np.imag(eta)], axis=-1)


def joined(u: np.ndarray) -> np.ndarray:
    """The inverse of `split`."""
    d = u.shape[-1] // 2
    return u[..., :d] + 1j * u[..., d:]


def real_product(amplitudes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Re(R z) of z (..., k) and R (n, k): (..., n), by real products."""
    return np.real(amplitudes) @ np.real(rows).T - np.imag(amplitudes) @ np.imag(rows).T


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
    dual = scipy.linalg.solve_triangular(c, u, lower=True, trans="T")
    real_shape, real_dual = flipped[:, None] * rotated, dual.T * (sign / scale)
    imaginary_shape = scale[:, None] * dual * tangents
    imaginary_dual = (rotated / tangents).T / scale
    shapes = np.concatenate([real_shape, -1j * imaginary_shape])
    duals = np.concatenate([real_dual, 1j * imaginary_dual], axis=1)
    return StepModes(np.exp(-2j * np.arctan(tangents)), shapes, duals)


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
    kept = turns.imag <= 0.0
    weight = np.where(turns[kept].imag < 0.0, 2.0, 1.0)
    return StepModes(turns[kept], shapes[:, kept] * weight, duals[kept], fock, first)


def _turned(factors: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Complex factors (d,) times the rows of a map (2d, ...), real and imaginary parts apart."""
    top, bottom = np.split(matrix, 2)
    real, imaginary = np.real(factors)[:, None], np.imag(factors)[:, None]
    return np.concatenate([real * top - imaginary * bottom, imaginary * top + real * bottom])
