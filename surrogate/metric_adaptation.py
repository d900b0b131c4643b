"""Closed-form adaptation of a metric to a run's own pairs (δP, ΔF), in milliseconds.

First the metric's blocks are scaled, one factor for each kind of block (elements, angular momenta, same atom
or not): a ridge regression of a few tens of unknowns that acts on changes not met too. Then the least
symmetric change of the response that answers what the pairs leave, within what the factors B = U s Vᵀ
resolve, v = Vᵀx:

    min Σ |ΔM v − Vᵀr|² + λ |ΔM|²:   C ΔM + ΔM C + 2 λ ΔM = Σ (v rᵀV + Vᵀr vᵀ),   C = Σ v vᵀ,

a Sylvester equation, diagonal in the eigenvectors of C; ΔW = U s⁻¹ ΔM s⁻¹ Uᵀ.
"""

from dataclasses import dataclass

import numpy as np

from .fitting_factors import CHANNELS, N_TOKENS

#: Regularisations, as shares of the largest eigenvalue.
_BLOCK_RIDGE, _METRIC_RIDGE = 1e-6, 1e-3
#: Singular values of the factors, at most 1, below which a direction is left alone.
_RESOLVED = 0.05


@dataclass(frozen=True, eq=False)
class Adaptation:
    """metric: the adapted one, (A d, A d). before, after: relative errors on the pairs adapted to."""

    metric: np.ndarray
    before: float
    after: float


def adapt_metric(
    metric: np.ndarray, factors: np.ndarray, numbers: np.ndarray, x: np.ndarray, response: np.ndarray
) -> Adaptation:
    """Adapt a metric (A d, A d) to pairs: packed Re δP (p, n_pair), and what base and network together should
    add up to less the base, (p, n_pair).

    numbers: atomic numbers of the A atoms. Pairs are weighted by 1/|response|.
    """
    sizes = np.linalg.norm(response, axis=1, keepdims=True)
    x, y = x / np.maximum(sizes, 1e-30), response / np.maximum(sizes, 1e-30)
    q = x @ factors.T
    before = y - q @ metric @ factors
    kinds = _block_kinds(numbers)
    # One column a kind of block: what that part of the metric answers.
    parts = [np.where(kinds == kind, metric, 0.0) for kind in np.unique(kinds)]
    columns = np.array([(q @ part @ factors).ravel() for part in parts])
    normal = columns @ columns.T
    ridge = _BLOCK_RIDGE * max(np.trace(normal), 1e-300)
    shares = np.linalg.solve(normal + ridge * np.eye(len(normal)), columns @ before.ravel())
    adapted = metric + np.tensordot(shares, np.array(parts), 1)

    left = y - q @ adapted @ factors
    U, resolved, V = np.linalg.svd(factors, full_matrices=False)
    U, resolved, V = U[:, resolved > _RESOLVED], resolved[resolved > _RESOLVED], V[resolved > _RESOLVED]
    v = x @ V.T
    values, vectors = np.linalg.eigh(v.T @ v)
    right = vectors.T @ (v.T @ (left @ V.T)) @ vectors
    ridge = _METRIC_RIDGE * max(values[-1], 1e-300)
    change = vectors @ ((right + right.T) / (values[:, None] + values + 2 * ridge)) @ vectors.T
    adapted += (U / resolved) @ change @ (U / resolved).T
    after = y - q @ adapted @ factors
    return Adaptation(
        adapted, float(np.sqrt((before**2).mean(0).sum())), float(np.sqrt((after**2).mean(0).sum()))
    )


def _block_kinds(numbers: np.ndarray) -> np.ndarray:
    """A number for every element of the metric: equal where it belongs to the same kind of block."""
    degree = np.tile(np.repeat(np.arange(3), [n * (2 * k + 1) for k, n in enumerate(CHANNELS)]), len(numbers))
    atom = np.repeat(np.arange(len(numbers)), N_TOKENS)
    label = np.asarray(numbers)[atom] * 4 + degree
    low, high = np.minimum(label[:, None], label), np.maximum(label[:, None], label)
    return (low * 1000 + high) * 2 + (atom[:, None] == atom)
