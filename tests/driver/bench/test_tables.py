"""What the tables say of measurements, on measurements made up for it."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.driver.bench.case import Case
from hybrid_propagate.driver.bench.engines import Timing
from hybrid_propagate.driver.bench.measure import Entry, Measured, Round
from hybrid_propagate.driver.bench.plot import plot_errors
from hybrid_propagate.driver.bench.report import as_json, conditions, suite_text
from hybrid_propagate.driver.bench.scaling import Size, fit, scaling_table
from hybrid_propagate.driver.bench.score import Score, Truth
from hybrid_propagate.driver.bench.tables import (
    CaseResult,
    case_table,
    cheapest,
    equal_error_table,
    exceptions,
    representative,
    spread,
    timing_table,
    where_baselines_win,
)
from matplotlib.figure import Figure

CASE = Case("hydride", "", "A molecule", "hydride", 11, 1000, 0.2, magnus=True, kicked=True)
TRUTH = Truth(0.2 * np.arange(20), np.outer(np.arange(20.0), [0.0, 0.0, 1.0]), None, 1)


def entry(method: str, knob: float, builds: int | None, error: float, **more: object) -> Entry:
    nrmse = float(more.pop("nrmse", error))
    score = Score(error, nrmse, 0.999, (8.0,), 0.001)
    made = Entry(method, f"knob {knob:g}", knob, builds, 0, 2.0, 2.0, 2**27, score, None, "abc")
    return replace(made, **more)


def result(*entries: Entry, rounds: list[Round] | None = None) -> CaseResult:
    reference = entry("PySCF engine", 0, 2000, 0.0)
    return CaseResult(Measured(CASE, TRUTH, reference, entries, {}), rounds or [])


def timing(n_steps: int, cpu: float) -> Timing:
    return Timing(n_steps, 1.0, np.full(n_steps, cpu), 1.5, 2.0, 2**27, TRUTH.time, TRUTH.dipole, "7.0.2")


HYBRID = (entry("hybrid, response", 1e-2, 10, 4e-3), entry("hybrid, response", 1e-3, 30, 2e-4, jk_builds=80))


def test_cheapest_is_the_one_with_fewest_builds_that_gets_there() -> None:
    entries = [entry("ESPRIT", k, b, e) for k, b, e in ((1, 100, 0.2), (2, 300, 5e-3), (3, 200, 8e-3))]
    found = cheapest(entries, 1e-2)
    assert found is not None
    assert found.builds == 200
    assert cheapest(entries, 1e-3) is None
    # A spectrum alone has no trajectory error and gets nowhere.
    assert cheapest([entry("Padé", 1, 50, math.nan)], 1e-2) is None


def test_cheapest_may_count_coulomb_exchange_builds_as_whole_ones() -> None:
    entries = [entry("hybrid", 1, 10, 1e-4, jk_builds=200), entry("hybrid", 2, 40, 1e-4)]
    assert [cheapest(entries, 1e-3, jk=jk).builds for jk in (False, True)] == [10, 40]  # pyright: ignore


def test_a_method_is_shown_at_its_cheapest_good_setting_or_its_best_for_half_the_builds() -> None:
    entries = [entry("ESPRIT", 1, 500, 0.3), entry("ESPRIT", 2, 900, 0.1), entry("ESPRIT", 3, 1900, 5e-3)]
    assert representative(entries, 2000) is entries[2]
    assert representative(entries[:2], 2000) is entries[1]
    assert representative([entries[0], replace(entries[1], builds=1100)], 2000) is entries[0]
    spectra = [entry("Padé", 1, 100, math.nan, nrmse=0.2), entry("Padé", 2, 200, math.nan, nrmse=5e-3)]
    assert representative(spectra, 2000) is spectra[1]


def test_no_exception_where_the_hybrid_needs_fewer_builds() -> None:
    assert (
        exceptions([result(*HYBRID, entry("ESPRIT", 1, 200, 5e-4), entry("DMD on P(t)", 1, 90, 9e-3))]) == []
    )


def test_a_rival_with_as_many_builds_is_named() -> None:
    case = result(*HYBRID, entry("DMD on P(t)", 1, 30, 5e-4))
    assert exceptions([case]) == ["hydride at 0.001: DMD on P(t) needs 30 Fock builds, the hybrid 30"]
    assert exceptions([case], jk=True) == [
        "hydride at 0.001: DMD on P(t) needs 30 Fock builds, the hybrid 110"
    ]


def test_a_target_that_the_hybrid_misses_is_named() -> None:
    assert exceptions([result(HYBRID[0])]) == [
        "hydride at 0.001: the hybrid does not get there; knob 0.01 leaves 4.0e-03"
    ]


def test_equal_error_table_shows_builds_and_what_is_not_reached() -> None:
    table = equal_error_table([result(*HYBRID, entry("ESPRIT", 1, 200, 5e-3))])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert rows[0] == [
        "hydride",
        "0.01",
        "2000",
        "10 (knob 0.01)",
        "left out",
        "200 (knob 1)",
        "left out",
        "0",
    ]
    assert rows[1][3:6] == ["30 (knob 0.001)", "left out", "not reached"]
    assert rows[1][-1] == "80"


def test_where_a_baseline_wins_it_is_said() -> None:
    quick = entry("linear response", 0, None, 3e-2, nrmse=2e-3, cpu=0.6)
    said = where_baselines_win([result(*HYBRID, quick)])
    assert said == [
        "hydride: linear response (knob 0) gives the spectrum to 2.0e-03 in 0.6 CPU s; "
        "the hybrid (knob 0.01) to 4.0e-03 in 2.0"
    ]
    assert where_baselines_win([result(*HYBRID, replace(quick, cpu=3.0))]) == []
    wrong = entry("linear response", 0, None, 0.9, nrmse=0.4, cpu=0.6)
    assert where_baselines_win([result(*HYBRID, wrong)]) == []


def test_timings_are_medians_with_ranges_and_ratios_of_the_same_round() -> None:
    rounds = [
        Round(
            {"nwchem": 100.0 * k, "hybrid, response": 2.0 * k * k},
            {"nwchem": 1.0, "hybrid, response": 1.0},
            {},
            {},
        )
        for k in (1, 2, 4)
    ]
    rounds[0].timings["nwchem"] = timing(20, 0.1)
    lines = timing_table([result(*HYBRID, rounds=rounds)]).splitlines()
    assert "NWChem (20 steps timed) | 200 (100 to 400)*" in lines[2]
    # Ratios 50, 25, 12.5.
    assert "| hybrid, response | 8 (2 to 32) | 1 (1 to 1) | 25 (12.5 to 50) | – |" in lines[3]


def test_extrapolated_seconds_are_marked() -> None:
    rounds = [Round({"nwchem": 101.0}, {"nwchem": 151.5}, {"nwchem": timing(20, 0.1)}, {})]
    lines = case_table(result(*HYBRID, rounds=rounds)).splitlines()
    # 1 s before the first step, 1000 steps of 0.1 s, 1.5 of the clock's for each; two builds a step.
    assert lines[2].startswith("| NWChem | error over 20 points | 151.5* | 101.0* | 2000* |")
    assert "*" not in lines[3]


def test_spread_of_one_is_itself() -> None:
    assert spread([3.14159]) == "3.14"
    assert spread([1.0, 3.0, 2.0]) == "2 (1 to 3)"


def test_the_text_names_what_was_left_out() -> None:
    case = result(*HYBRID)
    case.measured.missing["DMD on P(t)"] = "no stretch to learn from"
    text = suite_text([case], conditions("hybrid-bench x.nw", [case], "abc"), {"benzene": "no memory"})
    assert "Left out: DMD on P(t) (no stretch to learn from)." in text
    assert "Cases left out: benzene (no memory)." in text
    assert "`hybrid-bench x.nw`" in text


def test_json_has_null_for_what_is_not_finite() -> None:
    text = as_json(result(entry("Padé", 1, 5, math.nan)))
    assert '"trajectory_error": null' in text
    assert "NaN" not in text


def test_the_figure_is_written(tmp_path: Path) -> None:
    plot_errors([result(*HYBRID), result(*HYBRID, entry("ESPRIT", 1, 200, 5e-3))], tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_the_figure_s_legend_names_every_case_s_methods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the second case too, and over no panel; the last panel of each column has its axis named."""
    kept: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: kept.append(figure))
    further = result(*HYBRID, entry("ESPRIT", 1, 200, 5e-3))
    plot_errors([result(*HYBRID), further, further], tmp_path / "figure.png")
    (figure,) = kept
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["hybrid", "ESPRIT"]
    assert not any(legend.get_window_extent().overlaps(axes.bbox) for axes in figure.axes)
    assert [bool(axes.get_xlabel()) for axes in figure.axes] == [False, True, True, False]


def test_an_exact_power_is_fitted_exactly() -> None:
    sizes = [10, 20, 50, 100]
    c, p = fit(sizes, [3e-4 * n**2.5 for n in sizes]) or (0.0, 0.0)
    assert (c, p) == pytest.approx((3e-4, 2.5))
    assert fit(sizes, [1.0, None, None, 2.0]) is None


def test_scaling_marks_what_the_fit_gives() -> None:
    sizes = [
        Size(f"m{n}", n, 20, n, 0, 1.0, 2**27, 1e-3, 1e-3, 1e-2, 1e-4 * n**3 if n < 100 else None)
        for n in (10, 20, 40, 100)
    ]
    lines = scaling_table(sizes).splitlines()
    assert lines[4].endswith("| 6.4 |")
    assert lines[5].endswith("| 100* |")
    assert "| Fock builds of the hybrid | 1.00 | 4 |" in lines
    assert "| a step of NWChem | 3.00 | 3 |" in lines
