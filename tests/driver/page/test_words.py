"""Numbers, durations and reasons as pages say them, and series thinned for a figure."""

from typing import get_args

import numpy as np
import pytest
from hybrid_propagate.driver.loop.segment import Reason
from hybrid_propagate.driver.page.data import Decision, thinned
from hybrid_propagate.driver.page.lines import line_rows
from hybrid_propagate.driver.page.tables import MEANINGS, decision_table
from hybrid_propagate.driver.page.words import duration, number, spread_caption
from hybrid_propagate.driver.spectra.lines import AbsorptionLine, KickedRun
from hybrid_propagate.driver.spectra.spectrum import Kick, Signal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.0, "0"), (float("nan"), "–"), (0.25, "0.25"), (-0.0123, "−0.0123"), (1234.0, "1230")),
        *((1e-3, "10⁻³"), (3.14e-4, "3.14 × 10⁻⁴"), (-2e-7, "−2 × 10⁻⁷"), (1.5e6, "1.5 × 10⁶")),
    ],
)
def test_numbers_are_read_as_people_write_them(value: float, text: str) -> None:
    assert number(value).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.31, "2.3 s"), (42.4, "42 s"), (59.7, "1 min 0 s"), (18720.0, "5 h 12 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds).replace("\u00a0", " ") == text


def test_a_caption_names_no_line_that_is_not_drawn() -> None:
    assert spread_caption(np.array([0.0, 1e-4])).startswith("Line: what")
    assert spread_caption(np.zeros(3)).startswith("The surrogate expects no error")


def test_decisions_are_counted_as_people_count() -> None:
    one = Decision("anchor", 10.0, "END", 1e-5, 1e-5, 0.0, 8)
    assert "The one decision<" in decision_table([one])
    assert "All 2 decisions<" in decision_table([one, one])


def test_every_reason_has_a_meaning() -> None:
    assert set(MEANINGS) == set(get_args(Reason))


def test_a_thinned_series_keeps_its_extremes() -> None:
    values = np.sin(np.linspace(0.0, 300.0, 50_000))[:, None] * [1.0, -2.0]
    values[31_234, 0] = 9.0
    kept = thinned(values, 2000)
    assert len(kept) < 2100
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(values[kept].max(axis=0), values.max(axis=0))
    np.testing.assert_array_equal(values[kept].min(axis=0), values.min(axis=0))
    assert {0, 31_234, 49_999} <= set(kept.tolist())
    np.testing.assert_array_equal(thinned(values, 50_000), np.arange(50_000))


def test_a_negative_shift_has_the_minus_of_all_numbers() -> None:
    time = 0.2 * np.arange(100)
    run = KickedRun(Signal("run", time, np.zeros((100, 3)), Kick(np.eye(3)[2], 1e-5, 0.0, 0.2, 1)))
    line = AbsorptionLine(10.25, 1e-3, 0.1, 2e-4, (0.0, 0.0, 1.0), 0.1, 10.252, 0.1)
    assert "10.250 eV, by −2.0 meV; one of 0.1 au would move it by −0.5 meV" in line_rows([line], [run], [])
