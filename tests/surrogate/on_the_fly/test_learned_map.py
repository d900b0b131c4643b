"""Least squares for a symmetric matrix, against the matrix that made the pairs."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.on_the_fly.learned_map import LearnedMap

RNG = np.random.default_rng(3)


def symmetric(d: int) -> np.ndarray:
    matrix = RNG.standard_normal((d, d))
    return matrix + matrix.T


def taught(n_pairs: int, d: int = 12) -> tuple[LearnedMap, np.ndarray, np.ndarray, np.ndarray]:
    """A map after pairs of exact images, its first guess, the truth, and the inputs."""
    guess, truth = symmetric(d), symmetric(d)
    learned, inputs = LearnedMap(guess), RNG.standard_normal((n_pairs, d))
    for x in inputs:
        learned.add(x, truth @ x)
    learned.fit()
    return learned, guess, truth, inputs


@pytest.mark.parametrize("n_pairs", [1, 5, 12, 30])
def test_exact_on_what_it_has_seen_and_symmetric(n_pairs: int) -> None:
    learned, _, truth, inputs = taught(n_pairs)
    np.testing.assert_allclose(learned.apply(inputs), inputs @ truth, atol=1e-9)
    matrix = learned.apply(np.eye(12))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9)


def test_least_change_elsewhere() -> None:
    """Between directions that no pair has shown, the first guess stands; `outside` gives such."""
    learned, guess, _, inputs = taught(4)
    rest = learned.outside(RNG.standard_normal((3, 12)))
    np.testing.assert_allclose(rest @ inputs.T, 0.0, atol=1e-10)
    np.testing.assert_allclose(rest @ learned.apply(rest).T, rest @ guess @ rest.T, atol=1e-9)


def test_noise_of_nearly_equal_inputs_is_not_amplified() -> None:
    learned = LearnedMap(np.zeros((6, 6)))
    x = RNG.standard_normal(6)
    for _ in range(5):
        near = x + 1e-6 * RNG.standard_normal(6)
        learned.add(near, near + 1e-4 * RNG.standard_normal(6))
    learned.fit()
    y = RNG.standard_normal(6)
    assert np.linalg.norm(learned.apply(y)) < 2.0 * np.linalg.norm(y)


def test_single_precision_keeps_small_inputs() -> None:
    """Above 600 rows products are in single precision: relative 1e-6 down to 1e-60."""
    guess = symmetric(650)
    x = RNG.standard_normal(650)
    expected = guess @ x
    for size in (1.0, 1e-60):
        found = LearnedMap(guess).apply(size * x) / size
        assert np.linalg.norm(found - expected) < 1e-6 * np.linalg.norm(expected)


def test_saved_and_loaded() -> None:
    learned, guess, _, inputs = taught(5)
    other = LearnedMap(guess)
    other.load("a", learned.save("a"))
    np.testing.assert_array_equal(other.apply(inputs), learned.apply(inputs))
    assert other.n_pairs == 5
