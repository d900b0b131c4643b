"""The operator through measured defects."""

import numpy as np
import pytest
from hybrid_propagate.driver.estimate.defect_operator import (
    RIDGE,
    Defect,
    by_order,
    defect_operator,
    level,
    sum_of,
)


def hermitian(random: np.random.Generator, scale: float = 1.0) -> np.ndarray:
    a = random.standard_normal((1, 4, 4)) + 1j * random.standard_normal((1, 4, 4))
    return scale * (a + a.conj().swapaxes(1, 2))


def test_it_has_the_defects_that_were_met() -> None:
    random = np.random.default_rng(4)
    defects = [Defect(hermitian(random, 0.1), hermitian(random, 1e-4), 0.05) for _ in range(3)]
    operator = defect_operator(defects)
    for d in defects:
        np.testing.assert_allclose(operator(d.change), d.defect, atol=3 * RIDGE * 1e-3)
    np.testing.assert_allclose(operator.scaled(3.0)(defects[0].change), 3.0 * operator(defects[0].change))


def test_it_is_nothing_where_nothing_was_met() -> None:
    """A change orthogonal to those measured."""
    one = np.zeros((1, 3, 3), complex)
    other = one.copy()
    one[0, 0, 1] = one[0, 1, 0] = 0.1
    other[0, 0, 2] = other[0, 2, 0] = 0.1
    operator = defect_operator([Defect(one, 1e-3 * one, 0.1)])
    assert np.linalg.norm(operator(other)) == 0.0
    np.testing.assert_allclose(operator(one), 1e-3 * one / (1.0 + RIDGE))
    # The imaginary part is another direction.
    assert np.linalg.norm(operator(1j * one)) == 0.0


def test_it_is_of_first_and_second_order() -> None:
    """As much of the one as of the other, where one point does not tell them apart."""
    one = np.diag([0.1, -0.1]).astype(complex)[None]
    operator = defect_operator([Defect(one, 1e-3 * one, 0.1)])
    for factor in (-1.0, 0.5, 2.0):
        share = 0.5 * (factor + factor**2)
        np.testing.assert_allclose(operator(factor * one), share * operator(one), atol=1e-12)


def test_points_of_both_signs_tell_the_orders_apart() -> None:
    """A linear defect and a quadratic one are found as such between two points and beyond."""
    one = np.diag([0.1, -0.1]).astype(complex)[None]
    for sign in (-1.0, 1.0):
        found = defect_operator([Defect(one, 1e-3 * one, 0.1), Defect(-one, sign * 1e-3 * one, 0.1)])
        wanted = 0.25e-3 if sign > 0.0 else 0.5e-3
        np.testing.assert_allclose(found(0.5 * one), wanted * one, rtol=5e-3)


def test_orders_measured_apart_have_operators_of_their_own() -> None:
    """At half the motion half of the one and a quarter of the other; turned, the one changes its sign."""
    random = np.random.default_rng(6)
    change, odd, even = hermitian(random, 0.1), hermitian(random, 1e-3), hermitian(random, 1e-4)
    defect = Defect(change, odd + even, 1.0, even)
    whole = sum_of(*(defect_operator(some, weigh) for some, weigh in by_order([defect])))
    for factor in (1.0, -1.0, 0.5):
        wanted = (factor * odd + factor**2 * even) / (1.0 + RIDGE)
        np.testing.assert_allclose(whole(factor * change), wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(whole.scaled(2.0)(change), 2.0 * whole(change))


def test_defects_not_told_apart_stay_whole() -> None:
    random = np.random.default_rng(7)
    defects = [Defect(hermitian(random), hermitian(random), 1.0, even) for even in (hermitian(random), None)]
    ((some, weigh),) = by_order(defects)
    assert some == defects
    assert weigh(np.array(0.5)) == 0.375


def test_equal_points_are_one() -> None:
    random = np.random.default_rng(5)
    change, defect = hermitian(random), hermitian(random, 1e-3)
    twice = defect_operator([Defect(change, defect, 1.0)] * 2)
    np.testing.assert_allclose(twice(change), defect, rtol=2 * RIDGE)


def test_level_is_the_larger_of_drawn_points_and_all() -> None:
    unit = np.eye(2)[None] / np.sqrt(2.0)
    small, large = Defect(unit, 1e-3 * unit, 1.0), Defect(unit, 5e-3 * unit, 1.0)
    assert level([small], []) == pytest.approx(1e-3)
    assert level([large], [small]) == pytest.approx(5e-3)
    assert level([small], [large]) == pytest.approx(np.sqrt(13.0) * 1e-3)
    assert Defect(unit, unit, 0.0).residual == 0.0
