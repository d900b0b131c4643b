"""The number stated."""

from dataclasses import replace

import pytest
from hybrid_propagate.driver.estimate.statement import (
    COHERENT,
    FEW,
    LASTING,
    LEAST,
    RETRY,
    ROUNDING,
    SAFETY,
    SHARE,
    STILL,
    Sums,
    digits_apart,
    factor,
)


def test_few_points_are_trusted_less() -> None:
    assert factor(0, 1, 0) == pytest.approx(SAFETY * (1.0 + FEW))
    assert factor(0, 2, 0) == pytest.approx(SAFETY * (1.0 + FEW / 4.0))
    # Those of other segments count up to as many as its own.
    assert factor(1, 2, 0) == pytest.approx(SAFETY * (1.0 + FEW / 9.0))
    assert factor(2, 2, 0) == factor(1000, 2, 0) == factor(0, 4, 0)
    assert factor(0, 1000, 0) == pytest.approx(SAFETY, rel=1e-4)
    assert factor(3, 4, 2) == pytest.approx((1.0 + 2 * RETRY) * factor(3, 4, 0))


def test_the_gap_is_relative_to_the_motion() -> None:
    sums = Sums(gap=4e-8, signal=1.0, rest=3e-5, bound=0.1, n_drawn=4)
    assert sums.stated == pytest.approx(2e-4 + 3e-5 + LEAST)
    assert sums.relative(4.0) == pytest.approx(1e-4 + 3e-5 + LEAST)


def test_what_no_operator_sees_is_relative_to_the_dipoles_root_mean_square() -> None:
    """A hundred points that move by 0.1 au each; pushes of 1e-4 au a time unit, for 200 of them."""
    sums = Sums(signal=1.0, points=100, push=1e-8 * 200.0)
    expected = SHARE * 1e-4 * (200.0 * COHERENT) ** 0.5 * 10.0
    assert sums.unseen(0.0) == pytest.approx(expected)
    assert sums.stated == pytest.approx(expected + LEAST)


def test_what_is_of_second_order_does_not_add_up_for_ever() -> None:
    """Pushes of 1e-4 au; what is of first order adds as it is."""
    short, longer = (
        Sums(signal=1.0, points=100, swing=1e-8 * time, lasted=time, drift=2e-5)
        for time in (LASTING, 9 * LASTING)
    )
    expected = SHARE * 1e-4 * (LASTING * COHERENT) ** 0.5 * 10.0
    assert short.unseen(0.0) == pytest.approx(expected + 2e-5)
    assert longer.unseen(0.0) == pytest.approx(expected + 2e-5)
    assert replace(short, swing=short.swing / 4, lasted=LASTING / 4).unseen(0.0) == pytest.approx(
        expected / 2 + 2e-5
    )


def test_no_run_is_stated_to_be_exact() -> None:
    assert Sums().stated == LEAST


def test_a_motion_by_rounding_alone_is_none() -> None:
    """Ten points that move by 1e-17 au: an error of the same size is no error of 100 %."""
    sums = Sums(gap=10 * 1e-34, signal=10 * 1e-34, points=10)
    assert sums.stated == pytest.approx(1e-17 / STILL + LEAST)
    assert sums.motion(1.0) == 1.0


def test_what_rounding_leaves_open_counts_where_something_moves() -> None:
    """Helium in s functions had an error of 230 % after 2000 steps, of no motion at all."""
    noise = ROUNDING**2 * 2000**3 / 3.0
    assert Sums(points=2000, noise=noise).stated == LEAST
    moves = Sums(points=2000, noise=noise, signal=2000 * (2.0 * STILL) ** 2)
    assert moves.stated == pytest.approx(ROUNDING * 2000 / 3.0**0.5 / (2.0 * STILL) + LEAST)


@pytest.mark.parametrize(
    ("error", "digits"),
    [(1.0454e-3, 3), (1.00001e-3, 6), (9.96e-4, 2), (9.999e-4, 2), (7.3e-5, 2), (0.2, 2), (0.0, 2)],
)
def test_an_error_is_never_written_as_the_tolerance_that_it_is_not(error: float, digits: int) -> None:
    """`1.0e-03 DOES NOT MEET --tol 0.001` says two things at once."""
    assert digits_apart(error, 1e-3) == digits
