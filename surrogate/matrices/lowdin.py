"""Powers of an overlap matrix that take atomic orbitals to Löwdin's orthonormal functions and back."""

import numpy as np


def overlap_root(overlap: np.ndarray) -> np.ndarray:
    """S^½, (n, n)."""
    s, u = np.linalg.eigh(overlap)
    return (u * np.sqrt(s)) @ u.T


def inverse_root(overlap: np.ndarray) -> np.ndarray:
    """S^(-½), (n, n)."""
    s, u = np.linalg.eigh(overlap)
    return (u / np.sqrt(s)) @ u.T
