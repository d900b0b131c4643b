"""Seeds and neighbours."""

import numpy as np
from hybrid_propagate.driver.campaign.waves import seeds_of


def test_seeds_are_spread_out_and_neighbours_take_the_nearest() -> None:
    line = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 9.9, 10.0, 9.8, 5.2])
    positions = np.zeros((9, 2, 3))
    positions[:, 1, 2] = line
    # √9 seeds: the first, the one furthest from it (10.0), the one furthest from both (5.0 or near it).
    assert seeds_of(positions) == [None, 0, 0, None, 3, 6, None, 6, 3]


def test_alone_and_equal_geometries_need_no_neighbour() -> None:
    assert seeds_of(np.zeros((1, 2, 3))) == [None]
    assert seeds_of(np.zeros((5, 2, 3))) == [None, 0, 0, 0, 0]
