"""Lines from runs that a narrow pulse starts, of made-up molecules whose lines are known."""

import numpy as np
import pytest
from hybrid_propagate.driver.spectra.lines import KickedRun, absorption_lines
from hybrid_propagate.driver.spectra.signals import kicked
from hybrid_propagate.driver.spectra.spectrum import Kick, Pulse, Signal, kick_of

EV = 27.211386245988
#: eV, and transition dipoles along x, y and z: lines of water, PBE0/6-31G.
LINES = ((8.1, (0.35, 0.0, 0.0)), (10.3, (0.0, 0.0, 0.6)), (12.8, (0.0, 0.5, 0.0)), (14.9, (0.0, 0.6, 0.1)))
DT, SPAN, CENTRE, WIDTH = 0.2, 150.0, 3.0, 0.25


def run(axis: int, *, phase: float = np.pi / 2) -> Signal:
    """Linear response in mid-point steps to a Gaussian of frequency 0 in NWChem's form, along one axis."""
    time = DT * np.arange(round(SPAN / DT))
    size = 5e-4 * np.sin(phase) * np.exp(-((time - CENTRE) ** 2) / (2 * WIDTH**2))
    middles, means = time[:-1] + DT / 2, 0.5 * (size[:-1] + size[1:])
    since = time[:, None] - middles
    dipole = np.zeros((len(time), 3))
    for energy, d in LINES:
        omega = energy / EV
        swing = np.where(since > 0, np.sin(omega * since), 0.0) @ means * DT * np.cos(omega * DT / 2)
        dipole += 2 * np.outer(swing * d[axis], d)
    return Signal("xyz"[axis], time, dipole, Pulse(np.eye(3)[axis], size))


def test_a_narrow_pulse_shows_lines_that_its_run_is_too_short_for() -> None:
    """150 au part lines by 1.1 eV and more."""
    runs = [kicked(run(axis)) for axis in range(3)]
    found = absorption_lines([KickedRun(one) for one in runs if one is not None])
    assert [line.energy for line in found] == pytest.approx([energy for energy, _ in LINES], abs=5e-3)
    strengths = [2 / 3 * energy / EV * np.dot(d, d) for energy, d in LINES]
    assert [line.strength for line in found] == pytest.approx(strengths, rel=0.02)


def test_its_window_is_its_fourier_transform() -> None:
    kick = kick_of_run(0)
    omega = np.linspace(0.05, 1.5, 7)
    gaussian = np.exp(-((omega * WIDTH) ** 2) / 2)
    # Means of each step's ends are a filter cos(omega dt / 2), as is the mid-point step.
    np.testing.assert_allclose(kick.window(omega), gaussian * np.cos(omega * DT / 2) ** 2, atol=2e-4)
    assert kick.impulse == pytest.approx(5e-4 * WIDTH * np.sqrt(2 * np.pi), rel=1e-3)
    assert kick.centre == pytest.approx(CENTRE)


def kick_of_run(axis: int) -> Kick:
    one = kicked(run(axis))
    assert one is not None
    return kick_of(one)


def test_other_pulses_are_none() -> None:
    signal = run(0)
    assert isinstance(signal.kick, Pulse)
    wave = np.cos(0.4 * signal.time)
    uneven = signal.kick.size * (1 + 0.1 * (signal.time - CENTRE))
    for size in (wave, uneven, signal.kick.size * wave * np.cos(12.0 * (signal.time - CENTRE))):
        other = Signal("other", signal.time, signal.dipole, Pulse(signal.kick.direction, size))
        assert kicked(other) is None
