"""Padé approximants of Fourier sums: sharper lines than padding with zeros, from the same samples.

    Σ_k c_k z^k ≈ (a_0 + … + a_M z^M) / (1 + b_1 z + … + b_M z^M),   z = e^{iωΔt}

with M half the number of samples. Bruner, LaMaster, Lopata, J. Chem. Theory Comput. 12, 3741 (2016).
"""

import numpy as np


def pade_transform(samples: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Σ_k c_k e^{ik angle} of (n,) real samples c continued beyond the last one, at angles (m,) in [0, π].

    The last sample is dropped where n is even, so that there are 2M + 1 of them.
    """
    from scipy.linalg import solve_toeplitz

    order = (len(samples) - 1) // 2
    c = samples[: 2 * order + 1]
    scale = np.abs(c).max()
    if order < 1 or scale == 0.0:
        return np.zeros(len(angles), complex)
    # Σ_j b_j c_{M+k-j} = -c_{M+k}, k = 1 … M: a Toeplitz matrix with c_M on its diagonal.
    b = np.concatenate([[1.0], solve_toeplitz((c[order:-1], c[order:0:-1]), -c[order + 1 :])])
    a = np.convolve(b, c)[: order + 1]
    z = np.exp(1j * angles)
    return np.polyval(a[::-1], z) / np.polyval(b[::-1], z)
