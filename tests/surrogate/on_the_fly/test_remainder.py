"""The nonlinear remainder: exact at anchors but for noise, its variance, energies by quadrature."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.on_the_fly.remainder import JITTER, KERNEL, MOST_ANCHORS, NOISE, Remainder

D = 9


def remainder_at(x: np.ndarray) -> np.ndarray:
    """A smooth function without linear part: the gradient of Σ x³ + (x·a)³."""
    a = np.linspace(0.2, 1.0, D)
    return 3.0 * x**2 + 3.0 * (x @ a) ** 2 * a


def anchors(n: int) -> np.ndarray:
    return 0.3 * np.random.default_rng(1).standard_normal((n, D))


def taught(n: int) -> Remainder:
    remainder = Remainder(D)
    for x in anchors(n):
        remainder.add(x, remainder_at(x))
    return remainder


def kernel(t: np.ndarray | float) -> np.ndarray | float:
    a, b, c = KERNEL
    return a * t + b * t**2 + c * t**3


def test_exact_at_anchors() -> None:
    remainder = taught(6)
    for x in anchors(6):
        np.testing.assert_allclose(remainder.predict(x), remainder_at(x), atol=1e-6)
        assert remainder.variance(x) < 1e-6 * np.linalg.norm(remainder_at(x)) ** 2


def test_it_learns() -> None:
    """Between anchors on a line the error falls with their number, below a hundredth of the remainder."""
    direction = np.linspace(1.0, 0.3, D)
    errors = []
    for n in (1, 2, 4):
        remainder = Remainder(D)
        for s in np.linspace(0.1, 0.5, n):
            remainder.add(s * direction, remainder_at(s * direction))
        x = 0.27 * direction
        errors.append(
            np.linalg.norm(remainder.predict(x) - remainder_at(x)) / np.linalg.norm(remainder_at(x))
        )
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.01


def test_prediction_and_variance_by_the_textbook() -> None:
    """k C⁻¹ R and σ² (k(x,x) - k C⁻¹ k) (Rasmussen & Williams, equations 2.25 and 2.26)."""
    remainder, X = taught(4), anchors(4)
    R = np.array([remainder_at(x) for x in X])
    x = 0.2 * np.ones(D)
    C = kernel(X @ X.T) + JITTER * np.diag(np.diag(kernel(X @ X.T)))
    k = kernel(X @ x)
    np.testing.assert_allclose(remainder.predict(x), k @ np.linalg.solve(C, R), atol=1e-10)
    size = np.trace(R.T @ np.linalg.solve(C, R)) / 4
    expected = size * (kernel(x @ x) - k @ np.linalg.solve(C, k))
    assert remainder.variance(x) == pytest.approx(expected, rel=1e-8)


def test_noise_is_not_magnified() -> None:
    """Anchors nearly on a line, with nothing but noise: off the line that says nothing."""
    draw = np.random.default_rng(2)
    line, across = np.eye(D)[:2]
    remainder = Remainder(D)
    for _ in range(12):
        x = 1e-4 * (line + 1e-3 * draw.standard_normal() * across)
        remainder.add(x, NOISE * 1e-4 * draw.standard_normal(D) / np.sqrt(D))
    assert np.linalg.norm(remainder.predict(1e-4 * (line + 0.1 * across))) < 2 * NOISE * 1e-4


def test_nothing_known() -> None:
    empty = Remainder(D)
    np.testing.assert_array_equal(empty.predict(np.ones(D)), np.zeros(D))
    np.testing.assert_array_equal(empty.energies(np.ones((3, D))), np.zeros(3))
    assert empty.variance(np.ones(D)) == 0.0


def test_energies_are_the_work_done() -> None:
    """∫ r(s x)·x ds by Gauss-Legendre points, which are exact for these polynomials."""
    remainder = taught(5)
    points, weights = np.polynomial.legendre.leggauss(6)
    x = 0.4 * np.random.default_rng(2).standard_normal((3, D))
    s = 0.5 * (points + 1.0)
    work = [
        sum(0.5 * w * (remainder.predict(t * row) @ row) for t, w in zip(s, weights, strict=True))
        for row in x
    ]
    np.testing.assert_allclose(remainder.energies(x), work, rtol=1e-10)


def test_a_changed_map_leaves_the_sum_at_anchors_as_it_was() -> None:
    remainder, X = taught(4), anchors(4)
    direction = np.eye(D)[2]
    image_change = np.linspace(-1.0, 1.0, D)
    remainder.shift(direction, image_change)
    for x in X:
        whole = remainder.predict(x) + image_change * (direction @ x)
        np.testing.assert_allclose(whole, remainder_at(x), atol=1e-6)


def test_the_oldest_anchor_gives_way() -> None:
    remainder = Remainder(2)
    numbers = np.arange(MOST_ANCHORS - 1, dtype=float)
    changes = np.stack([1.0 + 0.01 * numbers, 0.5 + 0.0 * numbers], axis=1)
    remainders = np.stack([numbers, 0.0 * numbers], axis=1)
    remainder.load({"anchor_changes": changes, "anchor_remainders": remainders})
    remainder.add(np.array([9.0, 0.5]), np.array([-1.0, 0.0]))
    assert (remainder.n_anchors, remainder.remainders[0, 0]) == (MOST_ANCHORS, 0.0)
    remainder.add(np.array([9.5, 0.5]), np.array([-2.0, 0.0]))
    assert (remainder.n_anchors, remainder.remainders[0, 0]) == (MOST_ANCHORS, 1.0)
    assert remainder.remainders[-1, 0] == -2.0


def test_save_and_load() -> None:
    remainder = taught(5)
    again = Remainder(D)
    again.load({name: array.copy() for name, array in remainder.save().items()})
    x = 0.3 * np.ones(D)
    np.testing.assert_array_equal(again.predict(x), remainder.predict(x))
    assert again.variance(x) == remainder.variance(x)


def test_a_rough_rest_is_not_interpolated_exactly() -> None:
    """What is no polynomial, as points of a quadrature leave over, comes out no larger than it is between
    anchors near each other; what is one is still learned."""
    random = np.random.default_rng(3)
    directions = random.standard_normal((2, D))
    anchors_near = [np.cos(t) * directions[0] + np.sin(t) * directions[1] for t in np.linspace(0.0, 1.0, 12)]
    noise = [1e-3 * random.standard_normal(D) for _ in anchors_near]
    sizes = []
    for rough in (False, True):
        remainder = Remainder(D)
        for x, left in zip(anchors_near, noise, strict=True):
            remainder.add(0.3 * x, left)
        if rough:
            remainder.leave_rough()
        between = [np.cos(t) * directions[0] + np.sin(t) * directions[1] for t in np.linspace(-0.3, 1.3, 40)]
        sizes.append(max(np.linalg.norm(remainder.predict(0.3 * x)) for x in between))
    typical = float(np.linalg.norm(noise, axis=1).mean())
    assert sizes[0] > 10.0 * typical > 10.0 * sizes[1]
    # What is still lacking near the anchors is about as large as what they have shown.
    expected = np.sqrt([remainder.variance(0.3 * x) for x in anchors_near])
    assert 0.3 * typical < expected.mean() < 3.0 * typical


def test_a_smooth_rest_is_learned_where_it_may_be_rough() -> None:
    remainder = taught(6)
    remainder.leave_rough()
    for x in anchors(6):
        apart = np.linalg.norm(remainder.predict(x) - remainder_at(x))
        assert apart < 1e-2 * np.linalg.norm(remainder_at(x))
