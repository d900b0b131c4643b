"""Harmonic generation from the dipole of a driven run."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.driver.spectra.harmonics import emission
from hybrid_propagate.driver.spectra.records import DipoleRecord
from hybrid_propagate.driver.spectra.spectrum import SpectrumError

STEP, PHOTON = 0.1, 0.2
TIME = STEP * np.arange(6000)
ENVELOPE = np.exp(-0.5 * ((TIME - 300.0) / 60.0) ** 2)


def driven(first: float, third: float) -> DipoleRecord:
    """A dipole of two sines in the pulse's own envelope."""
    along = ENVELOPE * (first * np.sin(PHOTON * TIME) + third * np.sin(3 * PHOTON * TIME))
    dipole = np.outer(along, [0.0, 0.6, 0.8])
    field = np.outer(0.01 * ENVELOPE * np.sin(PHOTON * TIME), [0.0, 0.0, 1.0])
    return DipoleRecord("run", "", "", TIME, dipole, field, None, STEP, True, 2)


def test_orders_and_their_light() -> None:
    """An acceleration is ω² times a dipole: the third order has 81 (third / first)² of the first's light."""
    found = emission(driven(1e-3, 1e-5), 40.0)
    assert found.photon == pytest.approx(27.211386 * PHOTON, rel=1e-4)
    share = found.harmonics / found.harmonics[0]
    # ω⁴ over a Gaussian of variance v about each order is ω⁴ + 6 ω² v + …
    v = 1.0 / (2.0 * 60.0**2)
    wider = (1.0 + 6.0 * v / (3.0 * PHOTON) ** 2) / (1.0 + 6.0 * v / PHOTON**2)
    assert share[2] == pytest.approx(81e-4 * wider, rel=2e-3)
    assert share[1] < 1e-10
    assert len(found.harmonics) == 6
    beyond = found.energy > 2.0 * found.photon
    highest = found.energy[beyond][found.intensity[beyond].argmax()]
    assert highest == pytest.approx(3.0 * found.photon, rel=5e-3)


def test_parseval() -> None:
    """Light of the first order: π ∫ (w a)² dt, Parseval's identity, by quadrature over the points."""
    found = emission(driven(1e-3, 0.0), 40.0)
    acceleration = np.gradient(np.gradient(driven(1e-3, 0.0).dipole, STEP, axis=0), STEP, axis=0)
    window = np.sin(np.pi * TIME / TIME[-1]) ** 2
    wanted = np.pi * STEP * np.sum((window[:, None] * acceleration) ** 2)
    assert found.harmonics[0] == pytest.approx(wanted, rel=1e-3)


def test_what_has_no_harmonics() -> None:
    run = driven(1e-3, 0.0)
    kicked = np.zeros((len(TIME), 3))
    kicked[0, 2] = 1e-3
    with pytest.raises(SpectrumError, match="driven by a kick"):
        emission(replace(run, field=kicked), 40.0)
    even = np.outer(ENVELOPE, [0.0, 0.0, 1e-3])
    with pytest.raises(SpectrumError, match="no frequency of its own"):
        emission(replace(run, field=even), 40.0)
    with pytest.raises(SpectrumError, match="20 points in time"):
        emission(
            replace(run, time=TIME[2990:3010], dipole=run.dipole[2990:3010], field=run.field[2990:3010]), 40.0
        )
