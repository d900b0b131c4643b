"""A signal continued as a sum of exponentials: what extrapolating methods have in common.

    x_k ≈ Σ_j b_j z_j^k,      |z_j| ≤ 1

The z_j come from a method (`dynamic_mode_decomposition`, `esprit`); the b_j fit the known stretch in the
least squares sense. A z_j outside the unit circle is moved onto it: nothing that is bound grows for ever.
"""

import numpy as np

#: Singular values below this share of the largest are left out of the fit.
_CUT_OFF = 1e-10


def continue_exponentials(known: np.ndarray, ratios: np.ndarray, n: int) -> np.ndarray:
    """Points 0 … n - 1 of a real signal, (n, c), from its first k points `known` (k, c) and the z_j, (r,)."""
    size = np.abs(ratios)
    bounded = np.where(size > 1.0, ratios / np.where(size > 0.0, size, 1.0), ratios)
    powers = np.vander(bounded, n, increasing=True).T
    weights = np.linalg.lstsq(powers[: len(known)], known.astype(complex), rcond=_CUT_OFF)[0]
    return np.real(powers @ weights)
