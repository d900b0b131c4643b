"""Points drawn by chance."""

import numpy as np
import pytest
from hybrid_propagate.driver.estimate.drawn import drawn_points


def test_points_are_drawn_by_the_square_of_the_change_and_its_mean() -> None:
    """A step from 0 to 1 in the middle: the later half has weight 1.5 a point, the earlier 0.5."""
    sizes = np.repeat([0.0, 1.0], [100, 101])
    random = np.random.default_rng(1)
    drawn = [drawn_points(sizes, 1, random)[0] for _ in range(4000)]
    later = np.mean(np.array(drawn) >= 100)
    # Standard deviation of a share of 3/4 over 4000 draws: 0.007.
    assert later == pytest.approx(0.75, abs=0.03)


def test_the_first_few_are_spread_over_the_pass() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        found = sorted(drawn_points(np.ones(1001), 4, random))
        # One in every quarter.
        assert [point // 250 for point in found] == [0, 1, 2, 3]


def test_a_vibration_is_not_met_at_one_phase() -> None:
    """Of cos² over many periods four points see 1/2 in the mean; at equal distances all of it or nothing."""
    random = np.random.default_rng(4)
    defect = np.cos(np.pi * np.arange(1002) / 25.0) ** 2
    means = [np.mean(defect[drawn_points(np.ones(1002), 4, random)]) for _ in range(2000)]
    assert np.mean(means) == pytest.approx(0.5, abs=0.02)
    assert np.std(means) == pytest.approx(np.sqrt(1 / 8) / 2, abs=0.02)


@pytest.mark.parametrize(("n", "expected"), [(1, {1}), (2, {1}), (3, {1, 2})])
def test_ends_are_drawn_only_where_there_is_nothing_else(n: int, expected: set[int]) -> None:
    random = np.random.default_rng(3)
    found = {point for _ in range(30) for point in drawn_points(np.zeros(n + 1), 4, random)}
    assert found == expected


def test_the_same_seed_draws_the_same() -> None:
    sizes = np.linspace(0.0, 1.0, 300)
    one, other = (drawn_points(sizes, 4, np.random.default_rng(9)) for _ in range(2))
    assert one == other
