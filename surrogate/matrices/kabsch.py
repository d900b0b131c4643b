"""The turn that lays one geometry best on another: Kabsch, Acta Cryst. A 32, 922 (1976)."""

import numpy as np

#: Singular values of the covariance below this share of the largest say nothing: linear molecules, atoms.
_OPEN = 1e-9


def kabsch(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The proper rotation R, (3, 3), that takes `start` (n, 3) nearest to `end`: end ≈ start Rᵀ, centred.

    The least of all turns that do so, where the nuclei leave one open.
    """
    left, sizes, right = np.linalg.svd((end - end.mean(0)).T @ (start - start.mean(0)))
    known = int((sizes > _OPEN * max(sizes[0], 1.0)).sum())
    # Of the orthogonal matrices between what is left on either side, the one nearest to no turn.
    inner_left, _, inner_right = np.linalg.svd((right[known:] @ left[:, known:]).T)
    left[:, known:] = left[:, known:] @ inner_left
    right[known:] = inner_right @ right[known:]
    left[:, -1] *= np.sign(np.linalg.det(left @ right))
    return left @ right
