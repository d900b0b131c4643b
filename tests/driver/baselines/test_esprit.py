"""ESPRIT on signals whose modes are known."""

import numpy as np
import pytest
from hybrid_propagate.driver.baselines.esprit import esprit_extrapolation, esprit_ratios

DT = 0.2

FREQUENCIES = np.array([0.31, 0.52, 0.77, 1.4])

STEPS = np.arange(600)


def relative(found: np.ndarray, signal: np.ndarray) -> float:
    return float(np.linalg.norm(found - signal) / np.linalg.norm(signal))


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
