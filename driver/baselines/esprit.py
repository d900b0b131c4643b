"""ESPRIT: frequencies and dampings of a sum of exponentials, from a short stretch of it.

The columns of a Hankel matrix of x_k = Σ_j b_j z_j^k span a space that a shift by one row turns into itself;
the shift's eigenvalues are the z_j. Roy and Kailath, IEEE Trans. Acoust.
Speech Signal Process. 37, 984 (1989).
"""

import numpy as np

from .exponential_sum import continue_exponentials


def esprit_ratios(samples: np.ndarray, smallest: float) -> np.ndarray:
    """The z_j of (k, c) samples of c real signals with the same z_j; (r,) complex.

    smallest: singular values of the Hankel matrix that count, as a share of the largest.
    """
    rows = len(samples) // 2
    windows = np.lib.stride_tricks.sliding_window_view(samples, rows, axis=0)
    hankel = windows.transpose(2, 1, 0).reshape(rows, -1)
    left, sizes, _ = np.linalg.svd(hankel, full_matrices=False)
    order = min(int((sizes > smallest * sizes[0]).sum()), rows - 1) if len(sizes) and sizes[0] > 0.0 else 0
    if order == 0:
        return np.zeros(0, complex)
    basis = left[:, :order]
    return np.linalg.eigvals(np.linalg.lstsq(basis[:-1], basis[1:], rcond=None)[0])


def esprit_extrapolation(known: np.ndarray, n: int, smallest: float) -> np.ndarray:
    """(n, c): the first points `known` (k, c), k ≥ 4, and their continuation; see `esprit_ratios`."""
    continued = continue_exponentials(known, esprit_ratios(known, smallest), n)
    continued[: len(known)] = known
    return continued
