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


def common_frequencies(samples: np.ndarray, step: float, error: float) -> np.ndarray:
    """Frequencies (r,) in (0, π / step) of real undamped signals (k, components, runs), `step` apart,
    ascending.

    error: Frobenius norm of what may be wrong with the samples; it decides how many frequencies there are.
    """
    k, components = samples.shape[:2]
    blocks = max(min(k // 2, MOST_ROWS // components), 2)
    # An error in the samples stands in the matrix up to min(rows, columns) times, in one direction at worst.
    norm = error * np.sqrt(min(blocks, k - blocks + 1))
    # Of a component that moves less than the error, no singular value passes `norm`.
    angles = [_angles(samples[:, own], blocks, norm) for own in moving_apart(samples, error)]
    return np.sort(np.concatenate([np.zeros(0), *angles])) / step


def moving_apart(samples: np.ndarray, rest: float) -> list[np.ndarray]:
    """The components that move, those apart which no run moves together; rest: norm that counts as nothing.

    The matrix is then one of blocks: its eigenvectors take the cube of each block's rows, not of all.
    """
    moves = np.linalg.norm(samples, axis=0) > rest
    moving = np.flatnonzero(np.linalg.norm(samples, axis=(0, 2)) > rest)
    return [moving[own] for own in connected(moves[moving] @ moves[moving].T)]


def connected(links: np.ndarray) -> list[np.ndarray]:
    """Numbers of what (n, n) links hold together; links: true from one to another."""
    n = len(links)
    joined = np.linalg.matrix_power(np.eye(n) + links, max(n - 1, 1)) > 0.0
    return [np.flatnonzero(row) for row in np.unique(joined, axis=0)]


def _angles(samples: np.ndarray, blocks: int, norm: float) -> np.ndarray:
    """Angles (r,) a step, by a Hankel matrix of so many blocks of rows; norm: of what is wrong in it."""
    components = samples.shape[1]
    gram = hankel_gram(samples, blocks)
    floor = max(norm**2, len(gram) * np.finfo(float).eps * float(np.linalg.norm(gram)))
    # The few above the floor take a tenth of the time that all eigenvectors take.
    space = scipy.linalg.eigh(gram, subset_by_value=(floor, np.inf), check_finite=False)[1]
    if not space.shape[1]:
        return np.zeros(0)
    shift = np.linalg.lstsq(space[:-components], space[components:], rcond=None)[0]
    angles = np.angle(np.linalg.eigvals(shift))
    return angles[(angles > 1e-6) & (angles < np.pi - 1e-6)]


def hankel_gram(samples: np.ndarray, blocks: int) -> np.ndarray:
    """H Hᵀ of the block Hankel matrix H of samples (k, components, runs), which is never formed.

    From a block to the next on its diagonal the windows move by a sample: one product goes, another comes.
    """
    k, components, runs = samples.shape
    columns = k - blocks + 1
    gram = np.empty((blocks, components, blocks, components))
    for x, y in np.ndindex(components, components):
        gram[0, x, :, y] = sum(
            np.correlate(samples[:, y, run], samples[:columns, x, run], "valid") for run in range(runs)
        )
    gram[:, :, 0] = gram[0].transpose(1, 2, 0)
    goes, comes = (part.reshape(-1, runs) for part in (samples[: blocks - 1], samples[columns:]))
    change = (comes @ comes.T - goes @ goes.T).reshape(blocks - 1, components, blocks - 1, components)
    for i in range(blocks - 1):
        np.add(gram[i, :, :-1], change[i], out=gram[i + 1, :, 1:])
    return gram.reshape(blocks * components, -1)
