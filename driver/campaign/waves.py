"""Which geometry starts from which: seeds that are spread out first, and their neighbours behind them.

A neighbour starts its SCF from its seed's orbitals, carried over, and where there is no analytic kernel its
surrogate from what the seed's has learned. Distances are root mean squares of the atoms' displacements, as
the nuclei stand: no rotation, since orbitals are carried over as they stand too.
"""

import math

import numpy as np


def seeds_of(positions: np.ndarray) -> list[int | None]:
    """For each of g geometries (g, n, 3), the number of its seed; None for the seeds themselves.

    There are about √g seeds: the first geometry, then each time the one that is furthest from all seeds
    (Gonzalez 1985). It depends on the geometries alone, so that any executor gives the same files.
    """
    n = len(positions)
    flat = positions.reshape(n, -1)
    seeds = [0]
    nearest = np.zeros(n, int)
    distance = np.linalg.norm(flat - flat[0], axis=1)
    while len(seeds) < math.isqrt(n):
        seed = int(distance.argmax())
        if distance[seed] == 0.0:
            break
        own = np.linalg.norm(flat - flat[seed], axis=1)
        closer = own < distance
        nearest[closer], distance[closer] = len(seeds), own[closer]
        seeds.append(seed)
    return [None if k in seeds else seeds[int(nearest[k])] for k in range(n)]
