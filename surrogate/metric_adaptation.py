"""Closed-form adaptation of a metric to a run's own pairs (δP, ΔF), in milliseconds.

First the metric's blocks are scaled, one factor for each kind of block (elements, angular momenta, same atom or
not): a ridge regression of a few tens of unknowns that acts on changes not met too. Then the least symmetric
change of the metric that answers what the pairs leave:

    min Σ |Bᵀ ΔW q − r|² + 2 λ |ΔW|²,   BBᵀ ≈ 1:   C ΔW + ΔW C + 2 λ ΔW = Σ (q Brᵀ + Br qᵀ),   C = Σ q qᵀ,

a Sylvester equation, diagonal in the eigenvectors of C.
"""

from dataclasses import dataclass

import numpy as np

from .fitting_factors import CHANNELS, N_TOKENS

#: Regularisations, as shares of the largest eigenvalue.
_BLOCK_RIDGE, _METRIC_RIDGE = 1e-6, 1e-6


@dataclass(frozen=True, eq=False)
class Adaptation:
    """metric: the adapted one, (A d, A d). before, after: relative errors on the pairs adapted to."""

    metric: np.ndarray
    before: float
    after: float


def adapt_metric(
    metric: np.ndarray, factors: np.ndarray, numbers: np.ndarray, x: np.ndarray, response: np.ndarray
) -> Adaptation:
    """Adapt a metric (A d, A d) to pairs: packed Re δP (p, n_pair), and what base and network together should add
    up to less the base, (p, n_pair).

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
    values, vectors = np.linalg.eigh(q.T @ q)
    right = vectors.T @ (q.T @ left @ factors.T) @ vectors
    ridge = _METRIC_RIDGE * max(values[-1], 1e-300)
    change = (right + right.T) / (values[:, None] + values + 2 * ridge)
    adapted += vectors @ change @ vectors.T
    after = y - q @ adapted @ factors
    return Adaptation(
        adapted, float(np.sqrt((before**2).mean(0).sum())), float(np.sqrt((after**2).mean(0).sum()))
    )


def _block_kinds(numbers: np.ndarray) -> np.ndarray:
    """A number for every element of the metric: equal where it belongs to the same kind of block."""
    l = np.tile(np.repeat(np.arange(3), [n * (2 * k + 1) for k, n in enumerate(CHANNELS)]), len(numbers))
    atom = np.repeat(np.arange(len(numbers)), N_TOKENS)
    label = np.asarray(numbers)[atom] * 4 + l
    low, high = np.minimum(label[:, None], label), np.maximum(label[:, None], label)
    return (low * 1000 + high) * 2 + (atom[:, None] == atom)
