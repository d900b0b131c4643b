"""A real symmetric matrix, known roughly, corrected by least squares to pairs of an input and its image.

    M = M0 + C,   C X = T - M0 X  for the inputs X and images T seen,   C symmetric, of least Frobenius norm

With Q an orthonormal basis of the inputs and D the corrections along it, C = D Q + QᵀDᵀ - Qᵀ ½(S + Sᵀ) Q,
S = Q D (Powell's symmetric update for many pairs at once).
"""

from collections.abc import Mapping

import numpy as np

#: Combinations of unit inputs shorter than this carry rounding only.
DEPENDENT = 1e-3
#: Above this many rows the matrix is applied in single precision: it is bound by memory traffic there.
_LARGE = 600


class LearnedMap:
    """M (d, d) from a first guess M0; for each pair a row of inputs, of unit length, and of corrections."""

    def __init__(self, guess: np.ndarray) -> None:
        d = len(guess)
        self._guess = guess
        self._inputs, self._corrections = np.zeros((2, 0, d))
        self.fit()

    @property
    def n_pairs(self) -> int:
        """Pairs seen."""
        return len(self._inputs)

    @property
    def matrix(self) -> np.ndarray:
        """M, (d, d)."""
        return self._matrix

    def apply(self, x: np.ndarray) -> np.ndarray:
        """M x for x (..., d)."""
        size = float(np.abs(x).max(initial=0.0))
        if size == 0.0:
            return np.zeros(x.shape)
        # Scaled to order one: the smallest kicks stay clear of single precision's underflow.
        return ((x / size).astype(self._matrix.dtype) @ self._matrix).astype(float) * size

    def outside(self, x: np.ndarray) -> np.ndarray:
        """The part of x (..., d) on which no pair has been seen."""
        return x - (x @ self._directions.T) @ self._directions

    def add(self, x: np.ndarray, image: np.ndarray) -> None:
        """One pair more; `fit` makes M take it in."""
        length = float(np.linalg.norm(x))
        if length > 0.0:
            correction = (image - x @ self._guess) / length
            self._inputs = np.concatenate([self._inputs, x[None] / length])
            self._corrections = np.concatenate([self._corrections, correction[None]])

    def fit(self) -> None:
        """Take in the pairs added."""
        lengths, u = np.linalg.eigh(self._inputs @ self._inputs.T)
        kept = lengths > DEPENDENT**2
        scaled = (u[:, kept] / np.sqrt(lengths[kept])).T
        q, d = scaled @ self._inputs, scaled @ self._corrections
        inner = q @ d.T
        product = d.T @ q
        matrix = self._guess + product + product.T - q.T @ (0.5 * (inner + inner.T)) @ q
        self._directions = q
        self._matrix = matrix.astype(np.float32 if len(matrix) > _LARGE else np.float64)

    def save(self, name: str) -> dict[str, np.ndarray]:
        """Arrays that `load` takes back."""
        return {f"{name}_inputs": self._inputs, f"{name}_corrections": self._corrections}

    def load(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        self._inputs = np.array(arrays[f"{name}_inputs"])
        self._corrections = np.array(arrays[f"{name}_corrections"])
        self.fit()
