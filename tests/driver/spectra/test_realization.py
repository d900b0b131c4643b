"""Frequencies that signals have in common: of made-up signals, whose frequencies are known."""

import numpy as np
import pytest
from hybrid_propagate.driver.spectra.realization import common_frequencies, hankel_gram, moving_apart

STEP = 0.5
T = STEP * np.arange(900)
OMEGA = (0.3, 0.41, 0.52)


def crossed(angle: float) -> np.ndarray:
    """(k, 3, 3): three lines, each seen by one of three kicks along axes turned by an angle about z."""
    c, s = np.cos(angle), np.sin(angle)
    axes = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    sines = np.sin(np.outer(T, OMEGA))
    return np.einsum("tn,nx,ny->txy", sines, axes, axes)


@pytest.mark.parametrize(("components", "runs", "blocks"), [(1, 1, 2), (2, 3, 20), (3, 1, 30), (3, 3, 7)])
def test_the_gram_matrix_is_that_of_the_hankel_matrix(components: int, runs: int, blocks: int) -> None:
    samples = np.random.default_rng(1).normal(size=(60, components, runs))
    windows = np.lib.stride_tricks.sliding_window_view(samples, blocks, axis=0)
    hankel = windows.transpose(3, 1, 0, 2).reshape(blocks * components, -1)
    assert hankel_gram(samples, blocks) == pytest.approx(hankel @ hankel.T, abs=1e-12)


def test_components_are_apart_where_no_run_moves_both() -> None:
    def apart(samples: np.ndarray) -> list[list[int]]:
        return [own.tolist() for own in moving_apart(samples, 1e-3)]

    assert sorted(apart(crossed(0.0))) == [[0], [1], [2]]
    assert sorted(apart(crossed(0.3))) == [[0, 1], [2]]
    assert sorted(apart(crossed(0.0)[:, :, :1])) == [[0]]
    # x with y in one run and y with z in another: all three.
    chain = np.zeros((10, 3, 2))
    chain[:, :2, 0] = chain[:, 1:, 1] = 1.0
    assert apart(chain) == [[0, 1, 2]]
    assert apart(0.0 * chain) == []


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_lines_are_found_together_or_apart(angle: float) -> None:
    """A line seen along two axes by two runs is found once for each; none is lost or made."""
    samples = crossed(angle)
    found = common_frequencies(samples, STEP, 1e-6 * float(np.linalg.norm(samples)))
    assert found == pytest.approx(np.array(OMEGA), abs=1e-6)
