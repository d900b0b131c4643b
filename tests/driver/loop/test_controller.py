"""The controller's book-keeping: lengths, fall-backs, allowance, audits."""

import dataclasses

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
        ledger.accept(1.0, 100, 150.0, TARGET.max_ml_steps)
        lengths.append(ledger.length)
    assert lengths == [200, 400, 500, 500]
    assert ledger.saved == 600.0


def test_rejections_halve_the_length_then_fall_back_longer_and_longer() -> None:
    ledger = Ledger(length=16)
    steps = []
    for _ in range(60):
        # Each half has half the error per time: halving helps.
        ledger.reject(ledger.length, 0.5 * min(ledger.rate, 1e9), 0)
        assert ledger.length >= SHORTEST
        if fall_back := ledger.falls_back():
            steps.append(fall_back)
            # Asked again at once, it has been served.
            assert ledger.falls_back() == 0
    assert steps[:3] == [FALL_BACK, 2 * FALL_BACK, 4 * FALL_BACK]
    assert max(steps) == LONGEST_FALL_BACK
    ledger.accept(1.0, 2, 0.0, TARGET.max_ml_steps)
    assert ledger.fall_back == FALL_BACK


def test_halving_stops_where_it_does_not_help() -> None:
    ledger = Ledger(length=400)
    ledger.reject(400, 3.0, 0)
    assert ledger.falls_back() == 0
    ledger.reject(200, 1.5, 0)
    assert ledger.falls_back() == 0
    # The error per time is as large as before: shorter segments would only cost more.
    ledger.reject(100, 1.4, 0)
    assert ledger.falls_back() == FALL_BACK
    assert ledger.length == 50
    # From another state the next one is judged afresh.
    ledger.reject(50, 1.4, 0)
    assert ledger.falls_back() == 0


def test_lost_builds_are_bounded_by_what_was_saved() -> None:
    ledger = Ledger(length=100)
    ledger.begin(0, 100)
    assert ledger.credit == 12
    assert ledger.affords(12)
    ledger.reject(100, 5.0, 10)
    assert not ledger.affords(3)
    assert ledger.falls_back() > 0
    ledger.accept(1.0, 50, 20.0, TARGET.max_ml_steps)
    assert ledger.affords(12)
    assert not ledger.affords(13)


def test_what_a_segment_may_lead_to() -> None:
    """At the end all that the user allows; earlier less than the share of the time, for errors grow."""
    assert TARGET.allowed(200.0, 0.0) == pytest.approx(1e-3)
    assert TARGET.allowed(100.0, 0.0) == pytest.approx(0.5e-3 * 0.8)
    assert TARGET.allowed(300.0, 1e-4) == TARGET.allowed(200.0, 1e-4) == TARGET.allowed(200.0, 0.0)
    # What shows at once, however short the segment, does not add up.
    assert TARGET.allowed(0.1, 0.0) == TARGET.allowed(1.0, 0.0) == pytest.approx(1e-4)
    assert TARGET.earned(50.0) == pytest.approx(0.125e-3)


@pytest.mark.parametrize("time", [20.0, 66.0, 133.0, 200.0])
def test_what_grows_as_the_root_of_time_counts_as_it_will_at_the_end(time: float) -> None:
    """As in ethanol after a weak kick, which a line for all of it refused over its first third."""
    share = time / 200.0
    unseen = 0.55e-3 * share**0.5
    assert TARGET.allowed(time, unseen) - unseen == pytest.approx(TARGET.allowed(time, 0.0) - 0.55e-3 * share)


def test_typical_change_is_a_root_mean_square_with_a_floor() -> None:
    ledger = Ledger(length=10)
    assert ledger.typical_change(0.0, 0, 1e-6) == 1e-6
    ledger.accept(4 * 3.0**2, 4, 0.0, TARGET.max_ml_steps)
    assert ledger.typical_change(4 * 4.0**2, 4, 1e-6) == pytest.approx(np.sqrt(12.5))


def test_audits_are_drawn_at_their_share() -> None:
    """2000 draws with probability 0.1: 200, standard deviation 13."""
    ledger = Ledger(length=10)
    drawn = sum(ledger.wants_audit() for _ in range(2000))
    assert abs(drawn - 2000 * AUDIT_SHARE) < 4 * np.sqrt(2000 * AUDIT_SHARE * (1 - AUDIT_SHARE))


def test_a_ledger_is_saved_with_its_random_numbers() -> None:
    ledger = Ledger(length=77)
    ledger.begin(3, 1000)
    ledger.accept(3.0, 10, 17.5, TARGET.max_ml_steps)
    ledger.see_reference(4, 9)
    ledger.reject(60, 2.5, 7)
    for _ in range(13):
        ledger.wants_audit()
    again = Ledger(length=1)
    again.load({name: array.copy() for name, array in ledger.save().items()})
    fields = [f.name for f in dataclasses.fields(Ledger) if f.name != "random"]
    assert [getattr(again, f) for f in fields] == [getattr(ledger, f) for f in fields]
    assert [again.wants_audit() for _ in range(99)] == [ledger.wants_audit() for _ in range(99)]
