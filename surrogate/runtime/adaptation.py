"""Closed-form adaptation of a kernel on tokens to a run's own pairs (δP, ΔF), in at most tenths of a second.

First the kernel's blocks are scaled, one factor for each kind of block (elements, angular momenta, same atom
or not): a ridge regression of a few tens of unknowns that acts on changes not met too. Then the least
symmetric change of the response that answers what the pairs leave, within what the factors B = U s Vᵀ
resolve, v = Vᵀx:

    min Σ |ΔM v − Vᵀr|² + λ |ΔM|²:   C ΔM + ΔM C + 2 λ ΔM = Σ (v rᵀV + Vᵀr vᵀ),   C = Σ v vᵀ,

a Sylvester equation, diagonal in the eigenvectors of C; ΔW = U s⁻¹ ΔM s⁻¹ Uᵀ.

Both regularisations, and whether either is done at all, are those that answer each pair best from the others
(leave-one-out): pairs hold what is not linear too, and an exact fit to that does harm elsewhere.
"""

from dataclasses import dataclass

import numpy as np

from .fitting_factors import CHANNELS, N_TOKENS

#: Regularisations tried, as shares of the mean and of the largest eigenvalue; the last: leave it as it is.
_BLOCK_RIDGES = (1e-4, 1e-2, 1e-1, 1.0, np.inf)
_KERNEL_RIDGES = (1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0, np.inf)
#: Singular values of the factors, at most 1, below which a direction is left alone.
_RESOLVED = 0.05


@dataclass(frozen=True, eq=False)
class Adaptation:
    """token_kernel: the adapted one, (A d, A d). before, after: relative errors on the pairs adapted to."""

    token_kernel: np.ndarray
    before: float
    after: float


def adapt_token_kernel(
    token_kernel: np.ndarray, factors: np.ndarray, numbers: np.ndarray, x: np.ndarray, response: np.ndarray
) -> Adaptation:
    """Adapt a kernel (A d, A d) to pairs: packed Re δP (p, n_pair), and what base and network together should
    add up to less the base, (p, n_pair).

    numbers: atomic numbers of the A atoms. Pairs are weighted by 1/|response|.
    """
    sizes = np.linalg.norm(response, axis=1, keepdims=True)
    x, y = x / np.maximum(sizes, 1e-30), response / np.maximum(sizes, 1e-30)
    q = x @ factors.T
    before = y - q @ token_kernel @ factors
    kinds = _block_kinds(numbers)
    # One row a kind of block: what that part of the kernel answers.
    parts = [np.where(kinds == kind, token_kernel, 0.0) for kind in np.unique(kinds)]
    answers = np.array([q @ part @ factors for part in parts])
    U, resolved, V = np.linalg.svd(factors, full_matrices=False)
    U, resolved, V = U[:, resolved > _RESOLVED], resolved[resolved > _RESOLVED], V[resolved > _RESOLVED]
    v = x @ V.T

    # Squared errors of pairs left out, (block ridge, kernel ridge).
    missed = np.zeros((len(_BLOCK_RIDGES), len(_KERNEL_RIDGES)))
    for k in range(len(x)):
        others = np.arange(len(x)) != k
        values, vectors = _modes(v[others])
        turned, alone = v[others] @ vectors, v[k] @ vectors
        for i, block_ridge in enumerate(_BLOCK_RIDGES):
            shares = _block_shares(answers[:, others], before[others], block_ridge)
            left = before - np.tensordot(shares, answers, 1)
            target = left @ V.T @ vectors
            beyond = (left[k] ** 2).sum() - (target[k] ** 2).sum()
            right = _symmetric(turned, target[others])
            for j, ridge in enumerate(_KERNEL_RIDGES):
                wrong = target[k] - _damped(right, values, ridge) @ alone
                missed[i, j] += (wrong**2).sum() + beyond
    i, j = np.unravel_index(missed.argmin(), missed.shape)

    shares = _block_shares(answers, before, _BLOCK_RIDGES[i])
    left = before - np.tensordot(shares, answers, 1)
    adapted = token_kernel + np.tensordot(shares, np.array(parts), 1)
    values, vectors = _modes(v)
    change = _damped(_symmetric(v @ vectors, left @ V.T @ vectors), values, _KERNEL_RIDGES[j])
    outer = (U / resolved) @ vectors
    adapted += outer @ change @ outer.T
    after = y - q @ adapted @ factors
    return Adaptation(
        adapted, float(np.sqrt((before**2).mean(0).sum())), float(np.sqrt((after**2).mean(0).sum()))
    )


def _block_shares(answers: np.ndarray, missing: np.ndarray, ridge: float) -> np.ndarray:
    """Factors less one of the kinds of blocks, of their answers (kinds, p, n_pair)."""
    columns = answers.reshape(len(answers), -1)
    if not np.isfinite(ridge) or not columns.any():
        return np.zeros(len(columns))
    normal = columns @ columns.T
    normal += ridge * np.trace(normal) / len(normal) * np.eye(len(normal))
    return np.linalg.solve(normal, columns @ missing.ravel())


def _modes(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, not negative, and eigenvectors of C, of changes v (p, m)."""
    values, vectors = np.linalg.eigh(v.T @ v)
    return np.maximum(values, 0.0), vectors


def _symmetric(v: np.ndarray, target: np.ndarray) -> np.ndarray:
    right = v.T @ target
    return right + right.T


def _damped(right: np.ndarray, values: np.ndarray, ridge: float) -> np.ndarray:
    """ΔM in the eigenvectors of C."""
    return right / (values[:, None] + values + 2 * ridge * max(values[-1], 1e-300))


def _block_kinds(numbers: np.ndarray) -> np.ndarray:
    """A number for every element of the kernel: equal where it belongs to the same kind of block."""
    widths = [n * (2 * k + 1) for k, n in enumerate(CHANNELS)]
    degree = np.tile(np.repeat(np.arange(len(CHANNELS)), widths), len(numbers))
    atom = np.repeat(np.arange(len(numbers)), N_TOKENS)
    label = np.asarray(numbers)[atom] * 4 + degree
    low, high = np.minimum(label[:, None], label), np.maximum(label[:, None], label)
    return (low * 1000 + high) * 2 + (atom[:, None] == atom)
