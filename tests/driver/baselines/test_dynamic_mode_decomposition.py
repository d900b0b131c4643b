"""Dynamic mode decomposition on signals whose modes are known."""

import sys

import numpy as np
import pytest
from hybrid_propagate.driver.baselines.dynamic_mode_decomposition import PyDMDMissing, dmd_extrapolation

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
