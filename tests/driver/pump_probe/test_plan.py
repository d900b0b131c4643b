"""What delays ask for, and what cannot be delayed."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.system.field import amplitude
from hybrid_propagate.driver.pump_probe.plan import DelayError, PumpPlan, make_plan, moved_by
from small_decks import HYDRIDE, kicked, pump

PUMP = pump("x", 0.2, 4.0, 0.01)


def plan(
    tmp_path: Path, delays: list[float], *, rest: str = PUMP, probe: str = "kick", **words: object
) -> PumpPlan:
    """A pump at 4 au, and the kick as the probe."""
    path = tmp_path / "deck.nw"
    path.write_text(kicked(HYDRIDE, **{"tmax": 20.1, "rest": rest, **words}))
    return make_plan(read_deck(path), probe, delays, None)


def test_branches_lie_a_step_before_the_kick(tmp_path: Path) -> None:
    """dt 0.2: the kick at 4 + 2 au acts at point 30; the state before step 29 has not felt it."""
    made = plan(tmp_path, [2.0, -1.0])
    assert made.delays.tolist() == [-1.0, 2.0]
    assert made.branches.tolist() == [14, 29]
    # tmax 20.1 has 101 points.
    assert made.n_window == 100 - 29
    for number in range(2):
        real_time = made.with_probe(number).real_time
        (kick,) = [f for f in real_time.fields if f.name == "kick"]
        acting = [k for k in range(101) if amplitude(kick, 0.2 * k, 0.2)]
        assert acting == [made.branches[number] + 1]
    assert [f.name for f in made.pump.real_time.fields] == ["pump"]
    assert [rule.field for rule in made.pump.real_time.excitations] == ["pump"]


def test_the_probe_without_a_pump_begins_with_the_first_step(tmp_path: Path) -> None:
    made = plan(tmp_path, [2.0])
    (kick,) = made.alone.real_time.fields
    assert kick.center == pytest.approx(0.2)
    assert made.alone.real_time.n_points - 1 == made.n_window


def test_a_pulse_moves_with_its_carrier(tmp_path: Path) -> None:
    """E(t) → E(t - s), to rounding."""
    made = plan(tmp_path, [5.0], rest=PUMP.replace("gaussian", "hann").replace("width 1.0", "width 3.0"))
    field = next(f for f in made.task.real_time.fields if f.name == "pump")
    moved = moved_by(field, 3.4)
    for t in np.arange(4.0, 12.0, 0.3):
        assert amplitude(moved, t, 0.2) == pytest.approx(amplitude(field, t - 3.4, 0.2), abs=1e-15)


@pytest.mark.parametrize(
    ("delays", "message"),
    [
        ([], "no delay is given"),
        ([1.0, 1.0], "a delay is given twice"),
        ([float("nan")], "a delay is not finite"),
        ([0.3], r"delay 0\.3: not on a point of dt 0\.2 au; the nearest is 0\.[24]"),
        ([-4.0], r"delay -4: the probe begins before the run; accepted: from -3\.8 on"),
    ],
)
def test_delays_that_cannot_be_made(tmp_path: Path, delays: list[float], message: str) -> None:
    with pytest.raises(DelayError, match=f"^{message}$"):
        plan(tmp_path, delays)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"delays": [14.0]}, r"tmax 20\.1 leaves 2\.2 au behind delay 14; accepted: tmax from 21\.2 on"),
        ({"probe": "prob"}, "no field prob excites anything to probe with; there are: kick, pump"),
        ({"rest": ""}, "kick is the only field that excites anything: there is no pump"),
        ({"steps": "  propagator rk4"}, "propagator rk4: branches need magnus"),
        ({"steps": "  static"}, "static: the Fock matrix"),
        (
            {
                "probe": "pump",
                "rest": PUMP.replace("gaussian", "cw").replace("    center 4.0\n    width 1.0\n", ""),
            },
            "field pump: type cw cannot be delayed; accepted: delta, gaussian, hann",
        ),
    ],
)
def test_decks_that_have_no_pump_and_probe(tmp_path: Path, words: dict[str, object], message: str) -> None:
    """Each refusal names file and line."""
    with pytest.raises(DeckError, match=rf"deck\.nw:\d+: {message}"):
        plan(tmp_path, **{"delays": [1.0], **words})
