"""A symmetric matrix as its diagonal, a few leading eigenpairs of the rest, and what is left.

Subspace iteration from random columns (Halko, Martinsson, Tropp, SIAM Rev. 53 (2011) 217).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Columns beside those wanted, and products with the matrix.
_MORE, _PRODUCTS = 16, 4

#: Rows (..., d) times a matrix.
Times = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class LeadingPart:
    """D + U Λ Uᵀ.

    diagonal: (d,) D.
    vectors: (d, k) U, orthonormal, in the matrix's precision.
    values: (k,) Λ.
    """

    diagonal: np.ndarray
    vectors: np.ndarray
    values: np.ndarray

    def product(self, rows: np.ndarray) -> np.ndarray:
        """Rows (..., d) times D + U Λ Uᵀ."""
        return rows * self.diagonal + ((rows @ self.vectors) * self.values) @ self.vectors.T


def leading_part(times: Times, diagonal: np.ndarray, k: int) -> LeadingPart:
    """Of a symmetric matrix (d, d) with this diagonal (d,), k eigenpairs of largest magnitude.

    times: rows (..., d) times the matrix.
    """
    d = len(diagonal)
    k = min(k, d)
    image = np.random.default_rng(0).standard_normal((d, min(k + _MORE, d))).astype(diagonal.dtype)
    columns = image
    for _ in range(_PRODUCTS):
        columns = np.linalg.qr(image)[0]
        image = times(columns.T).T - diagonal[:, None] * columns
    values, turn = np.linalg.eigh(columns.T @ image)
    largest = np.argsort(-np.abs(values))[:k]
    return LeadingPart(diagonal, np.ascontiguousarray(columns @ turn[:, largest]), values[largest])
