"""Which maxima of a run's own spectrum are lines."""

import numpy as np
import pytest
from hybrid_propagate.atomic.units import EV_PER_HARTREE
from hybrid_propagate.driver.page.spectrum import clear_maxima, free_lines


def test_side_lobes_of_the_window_are_no_lines() -> None:
    """Two waves of a finite stretch through Blackman's window; its lobes stay below 1.3e-3."""
    t = 0.2 * np.arange(1500)
    wave = (np.sin(0.4 * t) + 0.05 * np.sin(0.9 * t)) * np.blackman(len(t))
    omega = 5e-4 * np.arange(4000)
    size = np.abs(np.exp(1j * np.outer(omega, t)) @ wave)
    assert omega[clear_maxima(size)] == pytest.approx([0.4, 0.9], abs=2e-3)


def test_lines_of_a_pulse_are_those_after_it() -> None:
    """Two undamped waves, one hardly beside the other; the field before them has a frequency of its own."""
    t = 0.2 * np.arange(2000)
    field = np.where(t < 150.0, np.sin(0.6 * t) * np.exp(-0.5 * ((t - 75.0) / 15.0) ** 2), 0.0)
    after = np.where(t > 75.0, np.sin(0.4 * t) + 0.01 * np.sin(0.9 * t), 0.0)
    dipole = np.outer(after + 3.0 * field, [0.0, 0.0, 1.0])
    energies = np.array([0.4, 0.9]) * EV_PER_HARTREE
    # Half of a digit that is shown: the tail of the field is still there.
    assert free_lines(t, dipole, np.abs(field)) == pytest.approx(energies, abs=5e-3)
    assert free_lines(t, dipole, np.ones(len(t))) == []
