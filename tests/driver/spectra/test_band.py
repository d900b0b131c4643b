"""The filter of lines: what it does to values, it does to weights of sums."""

import numpy as np
import pytest
from hybrid_propagate.driver.spectra.band import band


@pytest.mark.parametrize("odd", [True, False])
@pytest.mark.parametrize(("centre", "highest"), [(0.0, 1.5), (0.1, 1.5), (0.4, 0.9), (0.1, 9.0)])
def test_sums_of_filtered_points_are_sums_of_the_points_given(
    centre: float, highest: float, odd: bool
) -> None:
    """With the kick at a point and between two, with a stride and without a filter."""
    window = band(0.2 * np.arange(1500), centre, highest)
    generator = np.random.default_rng(2)
    values = generator.normal(size=(1500, 4))
    # What comes ahead of the kick's centre does not count.
    values[: window.first] = 0.0
    weights = generator.normal(size=(3, len(window.since)))
    assert (len(window.taps) > 1) == (highest < 9.0)
    expected = weights @ window.filtered(values, odd=odd)
    assert window.at_given(weights, odd=odd) @ values == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("omega", [np.array([0.01, 0.3, 0.9, 2.1]), np.zeros(0)], ids=["four", "none"])
@pytest.mark.parametrize("n", [9, 1500])
def test_waves_are_sines_and_cosines_at_the_points_used(n: int, omega: np.ndarray) -> None:
    window = band(0.2 * np.arange(n), 0.1, 0.9)
    for found, expected in zip(window.waves(omega), (np.sin, np.cos), strict=True):
        np.testing.assert_allclose(found, expected(np.outer(window.since, omega)), atol=1e-12)
