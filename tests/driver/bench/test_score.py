"""Trajectory error, spectrum error and line positions against their formulas."""

import math

import numpy as np
import pytest
from hybrid_propagate.atomic.units import EV_PER_HARTREE
from hybrid_propagate.driver.bench.score import (
    DAMPING,
    largest_shift,
    make_truth,
    score,
    spectrum_distance,
    spectrum_of,
    strongest_peaks,
    trajectory_error,
)

TIME = 0.2 * np.arange(2000)


def oscillating(*frequencies: float) -> np.ndarray:
    """A dipole along z, with a static part, that starts to move at the first point."""
    dipole = np.zeros((len(TIME), 3))
    dipole[:, 2] = 0.7 + 1e-4 * sum(np.sin(omega * TIME) for omega in frequencies)
    return dipole


def kicked_field() -> np.ndarray:
    field = np.zeros((len(TIME), 3))
    field[0, 2] = 1e-4
    return field


def test_trajectory_error_is_relative_to_the_induced_dipole_alone() -> None:
    reference = oscillating(0.4)
    larger = reference[0] + 1.03 * (reference - reference[0])
    assert trajectory_error(larger, reference) == pytest.approx(0.03, rel=1e-10)
    assert trajectory_error(reference, reference) == 0.0


def test_trajectory_error_of_what_is_not_finite_is_infinite() -> None:
    broken = oscillating(0.4)
    broken[7] = np.nan
    assert trajectory_error(broken, oscillating(0.4)) == math.inf


def test_spectrum_distance_by_its_formula() -> None:
    reference = np.array([0.0, 1.0, 4.0, 1.0, 0.0])
    nrmse, overlap = spectrum_distance(reference + np.array([0.0, 0.2, 0.0, -0.2, 0.0]), reference)
    assert nrmse == pytest.approx(math.sqrt(2 * 0.04 / 5) / 4.0)
    # <S, S_ref> = 18; |S_ref|² = 18, |S|² = 18.08.
    assert overlap == pytest.approx(18.0 / math.sqrt(18.0 * 18.08))
    assert spectrum_distance(reference, reference) == (0.0, pytest.approx(1.0))


def test_lines_after_a_kick_are_found_where_they_are() -> None:
    truth = make_truth(TIME, oscillating(0.3, 0.5), kicked_field(), magnus=True)
    assert truth.kick is not None
    spectrum = spectrum_of(truth, truth.dipole)
    assert spectrum is not None
    assert spectrum.tau == DAMPING
    # A sine of any frequency with the same amplitude: the absorption is largest at the higher one.
    assert strongest_peaks(spectrum)[:2] == pytest.approx(
        (0.5 * EV_PER_HARTREE, 0.3 * EV_PER_HARTREE), abs=0.05
    )


def test_a_line_that_moved_is_a_shift() -> None:
    truth = make_truth(TIME, oscillating(0.4), kicked_field(), magnus=True)
    off = score(truth, oscillating(0.41))
    assert off.peak_shift == pytest.approx(0.01 * EV_PER_HARTREE, rel=0.05)
    assert off.trajectory_error > 1.0
    right = score(truth, truth.dipole)
    assert (right.trajectory_error, right.spectrum_nrmse, right.peak_shift) == (0.0, 0.0, 0.0)


def test_a_lasting_field_is_over_where_it_stays_small_and_lines_are_those_of_the_free_motion() -> None:
    field = np.zeros((len(TIME), 3))
    envelope = np.exp(-((TIME - 40.0) ** 2) / (2.0 * 5.0**2))
    field[:, 0] = 0.02 * envelope * np.sin(1.1 * TIME)
    truth = make_truth(TIME, oscillating(0.4), field, magnus=True)
    assert truth.kick is None
    # exp(-x²/2) falls below 1e-6 at x = 5.26; the sine takes its zeros from that.
    assert TIME[truth.free_from] == pytest.approx(40.0 + 5.26 * 5.0, abs=2.0)
    spectrum = spectrum_of(truth, truth.dipole)
    assert spectrum is not None
    assert strongest_peaks(spectrum)[0] == pytest.approx(0.4 * EV_PER_HARTREE, abs=0.1)


def test_no_spectrum_where_too_few_points_are_free() -> None:
    field = np.zeros((len(TIME), 3))
    field[:, 2] = 0.01 * np.sin(0.3 * TIME + 0.2)
    truth = make_truth(TIME, oscillating(0.4), field, magnus=True)
    assert spectrum_of(truth, truth.dipole) is None
    result = score(truth, truth.dipole)
    assert result.trajectory_error == 0.0
    assert math.isnan(result.spectrum_nrmse)


def test_largest_shift_is_to_the_nearest_line() -> None:
    assert largest_shift((10.0, 20.0), (9.9, 20.3, 40.0)) == pytest.approx(0.3)
    assert math.isnan(largest_shift((10.0,), ()))
