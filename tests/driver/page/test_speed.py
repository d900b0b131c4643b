"""What is said of a run's speed."""

import pytest
from hybrid_propagate.driver.loop.progress import Tally
from hybrid_propagate.driver.page.speed import reference_range, speed_range, speed_words


def test_a_step_s_range_is_of_several_builds() -> None:
    """Two to four builds a step where none was made, as many as were counted else; silent of too few."""
    tally = Tally(fock_builds=5, anchors=5, turns={"anchors": [1.0, 1.0, 2.0, 3.0, 3.0]})
    assert reference_range(tally) == (2.0, 12.0)
    tally.fock_builds, tally.reference_steps = 5 + 30, 10
    assert reference_range(tally) == (3.0, 9.0)
    assert reference_range(Tally(anchors=2, turns={"anchors": [1.0, 1.0]})) is None


def test_whole_runs_are_compared() -> None:
    """100 steps of 0.5 to 1 s in place of 5 s of surrogate, beside 5 s that both take."""
    seconds = {"start-up and imports": 3.0, "figure": 2.0, "surrogate steps": 4.0, "anchors": 1.0}
    assert speed_range(seconds, (0.5, 1.0), 100) == (5.5, 10.5)
    assert speed_range({}, (0.5, 1.0), 100) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("speed", "said"),
    [
        (None, ""),
        ((0.4, 0.9), "no speed-up here"),
        ((0.9, 1.1), "no speed-up here"),
        ((0.9, 2.0), "1 to 2 times as long"),
        ((5.51, 10.6), "5.5 to 11 times as long"),
        ((35.1, 35.2), "35 times as long"),
    ],
)
def test_words(speed: tuple[float, float] | None, said: str) -> None:
    assert speed_words(speed) == said


def test_processor_time_is_booked_by_turns() -> None:
    tally = Tally()
    for _ in range(3):
        with tally.timed("anchors"):
            sum(range(10000))
    assert len(tally.turns["anchors"]) == 3
    assert tally.processor["anchors"] == pytest.approx(sum(tally.turns["anchors"]))
