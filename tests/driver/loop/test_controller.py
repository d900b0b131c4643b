"""The controller's book-keeping: lengths, fall-backs, allowance, audits."""

import numpy as np
import pytest
from hybrid_propagate.driver.loop.controller import (
    AUDIT_SHARE,
    DEFECT_GAIN,
    FALL_BACK,
    LONGEST_FALL_BACK,
    SHORTEST,
    Ledger,
    Target,
)

TARGET = Target(error=1e-3, max_ml_steps=500, duration=200.0)


def test_spread_that_may_be_kept_up() -> None:
    """Kept up over the whole run it leaves half the error asked for."""
    assert TARGET.residual * DEFECT_GAIN * TARGET.duration == pytest.approx(0.5 * TARGET.error)
    # A run shorter than one au counts as one au long.
    assert Target(1e-3, 500, 0.2).residual == Target(1e-3, 500, 1.0).residual


def test_accepted_segments_grow_up_to_the_limit() -> None:
    ledger = Ledger(length=100)
    lengths = []
    for _ in range(4):
        ledger.accept(1.0, 100, 1e-5, 1e-4, TARGET)
        lengths.append(ledger.length)
    assert lengths == [200, 400, 500, 500]
    assert ledger.spent == pytest.approx(4e-5)
    assert ledger.bound == pytest.approx(4e-4)


def test_rejections_halve_the_length_then_fall_back_longer_and_longer() -> None:
    ledger = Ledger(length=16)
    steps = []
    for _ in range(60):
        ledger.reject(ledger.length)
        assert ledger.length >= SHORTEST
        if fall_back := ledger.falls_back():
            steps.append(fall_back)
            # Asked again at once, it has been served.
            assert ledger.falls_back() == 0
    assert steps[:3] == [FALL_BACK, 2 * FALL_BACK, 4 * FALL_BACK]
    assert max(steps) == LONGEST_FALL_BACK
    ledger.accept(1.0, 2, 0.0, 0.0, TARGET)
    assert ledger.fall_back == FALL_BACK


def test_no_fall_back_while_shorter_segments_are_left_to_try() -> None:
    ledger = Ledger(length=500)
    falls = []
    while ledger.length > SHORTEST:
        ledger.reject(ledger.length)
        if ledger.length > SHORTEST:
            falls.append(ledger.falls_back())
    assert set(falls) == {0}
    assert ledger.falls_back() == FALL_BACK


def test_allowance_is_the_share_of_time_less_what_was_spent() -> None:
    ledger = Ledger(length=10)
    assert ledger.allowance(50.0, TARGET) == pytest.approx(0.25e-3)
    ledger.accept(1.0, 10, 2e-4, 0.0, TARGET)
    assert ledger.allowance(50.0, TARGET) == pytest.approx(0.05e-3)
    assert ledger.allowance(200.0, TARGET) == pytest.approx(0.8e-3)


def test_typical_change_is_a_root_mean_square_with_a_floor() -> None:
    ledger = Ledger(length=10)
    assert ledger.typical_change(0.0, 0, 1e-6) == 1e-6
    ledger.accept(4 * 3.0**2, 4, 0.0, 0.0, TARGET)
    assert ledger.typical_change(4 * 4.0**2, 4, 1e-6) == pytest.approx(np.sqrt(12.5))


def test_audits_are_drawn_at_their_share() -> None:
    """2000 draws with probability 0.1: 200, standard deviation 13."""
    ledger = Ledger(length=10)
    drawn = sum(ledger.wants_audit() for _ in range(2000))
    assert abs(drawn - 2000 * AUDIT_SHARE) < 4 * np.sqrt(2000 * AUDIT_SHARE * (1 - AUDIT_SHARE))


def test_a_ledger_is_saved_with_its_random_numbers() -> None:
    ledger = Ledger(length=77)
    ledger.accept(3.0, 10, 1e-5, 1e-4, TARGET)
    ledger.reject(60)
    for _ in range(13):
        ledger.wants_audit()
    again = Ledger(length=1)
    again.load({name: array.copy() for name, array in ledger.save().items()})
    fields = ("length", "spent", "bound", "change_moment", "n_points", "fall_back", "rejections_in_a_row")
    assert [getattr(again, f) for f in fields] == [getattr(ledger, f) for f in fields]
    assert [again.wants_audit() for _ in range(99)] == [ledger.wants_audit() for _ in range(99)]
