"""Sums of exponentials, continued."""

import numpy as np
import pytest
from hybrid_propagate.driver.baselines.exponential_sum import continue_exponentials


def test_growing_modes_are_held_on_the_unit_circle() -> None:
    known = np.cos(0.3 * np.arange(30))[:, None]
    continued = continue_exponentials(known, 1.2 * np.exp(np.array([0.3j, -0.3j])), 5000)
    assert np.abs(continued).max() == pytest.approx(1.0, abs=1e-6)
