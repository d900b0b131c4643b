"""Real symmetric and antisymmetric matrices as vectors, so that a linear map on them is one matrix.

A symmetric matrix A becomes its lower triangle, row by row, with the elements off the diagonal times √2; an
antisymmetric one its strict lower triangle times √2. The scaling keeps the Frobenius product, Tr AᵀB = a·b,
so a self-adjoint map stays a symmetric matrix.
"""

from functools import cache

import numpy as np


@cache
def pair_indices(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows μ, columns ν (μ ≥ ν) and weights (1 on the diagonal, √2 off it) of the n(n+1)/2 pairs."""
    row, column = np.tril_indices(n)
    return row, column, np.where(row == column, 1.0, np.sqrt(2.0))


def pack_symmetric(matrix: np.ndarray) -> np.ndarray:
    """(..., n, n) symmetric to (..., n(n+1)/2); reads the lower triangle."""
    row, column, weight = pair_indices(matrix.shape[-1])
    return matrix[..., row, column] * weight


def unpack_symmetric(vector: np.ndarray, n: int) -> np.ndarray:
    """The inverse of `pack_symmetric`."""
    row, column, weight = pair_indices(n)
    matrix = np.empty((*vector.shape[:-1], n, n), vector.dtype)
    matrix[..., row, column] = matrix[..., column, row] = vector / weight
    return matrix


def pack_antisymmetric(matrix: np.ndarray) -> np.ndarray:
    """(..., n, n) antisymmetric to (..., n(n-1)/2); reads the strict lower triangle."""
    row, column = np.tril_indices(matrix.shape[-1], -1)
    return matrix[..., row, column] * np.sqrt(2.0)


def unpack_antisymmetric(vector: np.ndarray, n: int) -> np.ndarray:
    """The inverse of `pack_antisymmetric`."""
    row, column = np.tril_indices(n, -1)
    matrix = np.zeros((*vector.shape[:-1], n, n), vector.dtype)
    lower = vector / np.sqrt(2.0)
    matrix[..., row, column] = lower
    matrix[..., column, row] = -lower
    return matrix
