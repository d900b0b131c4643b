"""Points of a pass drawn by chance, where the reference is asked before it teaches.

A rotated van der Corput sequence: the first few of it are spread over the pass already (Owen, Monte Carlo
theory, methods and examples, ch. 15, 2013).
"""

import numpy as np


def drawn_points(sizes: np.ndarray, most: int, random: np.random.Generator) -> list[int]:
    """Up to `most` different points, in the order in which they are to be asked.

    sizes: |P - P0| at points 0, 1, ..., n of a pass. Point k is drawn in proportion to its square plus the
    mean square; the first and the last are not, unless there is no other.
    """
    n = len(sizes) - 1
    if n < 2:
        return [n]
    weights = np.square(sizes[1:n])
    weights = weights + max(float(weights.mean()), np.finfo(float).tiny)
    sums = np.cumsum(weights) / weights.sum()
    shift = random.random()
    places = [(shift + _radical_inverse(k)) % 1.0 for k in range(most)]
    found = [1 + min(int(np.searchsorted(sums, place)), n - 2) for place in places]
    return list(dict.fromkeys(found))


def _radical_inverse(k: int) -> float:
    """The bits of k behind the point, in reverse: 0, 1/2, 1/4, 3/4, ..."""
    return int(f"{k:b}"[::-1], 2) / 2 ** len(f"{k:b}")
