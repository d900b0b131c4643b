"""Frequencies that several signals have in common, by the eigensystem realization algorithm.

The block Hankel matrix of y_k = Σ_n a_n z_n^k b_nᵀ, rows by time and component, columns by time and run,
has the rank of the number of z_n. A shift by one block of rows turns its column space into itself with the
eigenvalues z_n. Lines that lie closer than 1/T are told apart where they are polarised differently. Juang
and Pappa, J. Guid. Control Dyn. 8, 620 (1985).
"""

import numpy as np
import scipy.linalg

#: Most rows of the Hankel matrix: its eigenvectors take the cube of that.
MOST_ROWS = 1500
#: A component that moves less, in units of what may be wrong, shows no line.
AT_REST = 3e-2


def common_frequencies(samples: np.ndarray, step: float, error: float) -> np.ndarray:
    """Frequencies (r,) in (0, π / step) of real undamped signals (k, components, runs), `step` apart,
    ascending.

    error: Frobenius norm of what may be wrong with the samples; it decides how many frequencies there are.
    """
    k, components = samples.shape[:2]
    blocks = max(min(k // 2, MOST_ROWS // components), 2)
    # Components at rest would be rows without a line, and rows cost their cube.
    moving = np.linalg.norm(samples, axis=(0, 2)) > AT_REST * error
    samples, components = samples[:, moving], int(moving.sum())
    if not components:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(samples, blocks, axis=0)
    hankel = windows.transpose(3, 1, 0, 2).reshape(blocks * components, -1)
    gram = hankel @ hankel.T
    # An error in the samples stands in the matrix up to min(rows, columns) times, in one direction at worst.
    norm = error * np.sqrt(min(blocks, k - blocks + 1))
    floor = max(norm**2, len(gram) * np.finfo(float).eps * float(np.linalg.norm(gram)))
    # The few above the floor take a tenth of the time that all eigenvectors take.
    space = scipy.linalg.eigh(gram, subset_by_value=(floor, np.inf), check_finite=False)[1]
    if not space.shape[1]:
        return np.zeros(0)
    shift = np.linalg.lstsq(space[:-components], space[components:], rcond=None)[0]
    angles = np.angle(np.linalg.eigvals(shift))
    return np.sort(angles[(angles > 1e-6) & (angles < np.pi - 1e-6)]) / step
