"""Points of a pass drawn by chance, where the reference is asked before it teaches.

A scrambled van der Corput sequence (Owen, Lect. Notes Stat. 106, 299, 1995): the first few of it are spread
over the pass already, and not at equal distances, at which all may fall where a vibration is small.
"""

import numpy as np

#: Binary digits of a number of the sequence.
DIGITS = 24


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
    places = scrambled(most, random)
    found = [1 + min(int(np.searchsorted(sums, place)), n - 2) for place in places]
    return list(dict.fromkeys(found))


def scrambled(n: int, random: np.random.Generator) -> list[float]:
    """The first n numbers of the sequence, in [0, 1).

    Digit j of number k is bit j of k, turned over by a chance that depends on the digits before it.
    """
    turned: dict[tuple[int, int], int] = {}
    return [
        sum(
            (k >> j & 1 ^ turned.setdefault((j, k % 2**j), int(random.integers(2)))) / 2 ** (j + 1)
            for j in range(DIGITS)
        )
        for k in range(n)
    ]
