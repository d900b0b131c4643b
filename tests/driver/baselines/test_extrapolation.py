"""Dynamic mode decomposition and ESPRIT on signals whose modes are known."""

import sys

import numpy as np
import pytest
from hybrid_propagate.driver.baselines.dynamic_mode_decomposition import PyDMDMissing, dmd_extrapolation
from hybrid_propagate.driver.baselines.esprit import esprit_extrapolation, esprit_ratios
from hybrid_propagate.driver.baselines.exponential_sum import continue_exponentials

DT = 0.2
FREQUENCIES = np.array([0.31, 0.52, 0.77, 1.4])
STEPS = np.arange(600)


def turning(n: int = 30) -> np.ndarray:
    """(600, n): a state in which every frequency turns in a plane of its own."""
    generator = np.random.default_rng(7)
    planes = np.linalg.qr(generator.normal(size=(n, 2 * len(FREQUENCIES))))[0]
    phases = DT * STEPS[:, None] * FREQUENCIES
    sizes = np.array([1.0, 0.5, 0.3, 0.2])
    return np.hstack([sizes * np.cos(phases), sizes * np.sin(phases)]) @ planes.T


def relative(found: np.ndarray, signal: np.ndarray) -> float:
    return float(np.linalg.norm(found - signal) / np.linalg.norm(signal))


@pytest.mark.parametrize("delays", [1, 10])
def test_dmd_continues_a_linear_motion_from_its_first_points(delays: int) -> None:
    states = turning()
    rows = np.random.default_rng(8).normal(size=(3, states.shape[1]))
    found = dmd_extrapolation(states[:60], rows, len(states), delays)
    assert relative(found, states @ rows.T) < 1e-6


def test_dmd_with_delays_sees_what_one_density_alone_does_not_tell() -> None:
    # Four frequencies in two numbers: no linear map takes one point to the next.
    phases = DT * STEPS[:, None] * FREQUENCIES
    states = np.stack([np.cos(phases).sum(axis=1), np.sin(phases + 0.3).sum(axis=1)], axis=1)
    rows = np.eye(2)
    assert relative(dmd_extrapolation(states[:120], rows, len(states), 1), states) > 0.1
    assert relative(dmd_extrapolation(states[:120], rows, len(states), 30), states) < 1e-4


def test_dmd_of_nothing_is_nothing() -> None:
    assert np.array_equal(dmd_extrapolation(np.zeros((20, 5)), np.ones((3, 5)), 50, 1), np.zeros((50, 3)))


def test_dmd_says_how_to_get_pydmd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydmd", None)
    with pytest.raises(PyDMDMissing, match=r"pip install 'hybrid-propagate\[bench\]'"):
        dmd_extrapolation(turning()[:60], np.ones((1, 30)), 100, 1)


def test_esprit_finds_the_frequencies() -> None:
    signal = np.sin(DT * STEPS[:80, None] * FREQUENCIES + 0.4).sum(axis=1, keepdims=True)
    ratios = esprit_ratios(signal, 1e-8)
    assert np.abs(ratios) == pytest.approx(np.ones(8), abs=1e-7)
    assert np.sort(np.angle(ratios)) == pytest.approx(
        np.sort(np.concatenate([-FREQUENCIES, FREQUENCIES]) * DT), abs=1e-7
    )


def test_esprit_finds_the_damping() -> None:
    signal = np.exp(-0.05 * DT * STEPS[:80]) * np.cos(0.6 * DT * STEPS[:80])
    assert np.abs(esprit_ratios(signal[:, None], 1e-8)) == pytest.approx(np.full(2, np.exp(-0.01)), abs=1e-9)


def test_esprit_continues_channels_with_the_same_frequencies() -> None:
    phases = DT * STEPS[:, None] * FREQUENCIES
    weights = np.random.default_rng(9).normal(size=(4, 3))
    signal = np.sin(phases) @ weights + np.cos(phases) @ weights[::-1]
    assert relative(esprit_extrapolation(signal[:80], len(STEPS), 1e-8), signal) < 1e-6
    # With far too short a stretch it cannot.
    assert relative(esprit_extrapolation(signal[:8], len(STEPS), 1e-8), signal) > 0.1


def test_esprit_of_nothing_is_nothing() -> None:
    assert np.array_equal(esprit_extrapolation(np.zeros((20, 3)), 40, 1e-3), np.zeros((40, 3)))


def test_growing_modes_are_held_on_the_unit_circle() -> None:
    known = np.cos(0.3 * np.arange(30))[:, None]
    continued = continue_exponentials(known, 1.2 * np.exp(np.array([0.3j, -0.3j])), 5000)
    assert np.abs(continued).max() == pytest.approx(1.0, abs=1e-6)
