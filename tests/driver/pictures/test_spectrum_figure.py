"""Legends and labels: none lies on a curve, none leaves its panel."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.driver.pictures import spectrum_figure
from hybrid_propagate.driver.pictures.plot import COLUMN
from hybrid_propagate.driver.spectra.spectrum import Spectrum, peaks
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

ENERGY = np.linspace(0.0, 40.0, 4001)
#: Rises to the window's end, where a legend inside would lie.
RISING = Spectrum(ENERGY, {"z": 1.0 / (39.0 - ENERGY - 1j)}, 50.0)


def of_a_pulse() -> Spectrum:
    """Known from 9 to 12 eV alone, and more negative than positive."""
    known = np.where((ENERGY > 9.0) & (ENERGY < 12.0), 1.0, np.nan)
    return Spectrum(ENERGY, {"z": known * (1.0 / (10.0 - ENERGY - 0.3j) - 10.0j * (ENERGY < 9.3))}, 50.0)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures in place of files."""
    kept: list[Figure] = []
    monkeypatch.setattr(spectrum_figure, "save_figure", lambda figure, _: kept.append(figure))
    return kept


def overlay(names: tuple[str, ...]) -> None:
    spectrum_figure.draw_overlay("title", names, [RISING] * len(names), Path("none.png"))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: overlay(("a.h5", "b.h5", "c.h5", "d.h5")),
        lambda: overlay(("/a/long/folder" * 12 + "/a.h5", "b.h5")),
        lambda: spectrum_figure.draw_spectrum("title", RISING, Path("none.png"), np.ones(4001)),
        lambda: spectrum_figure.draw_spectrum("title", RISING, Path("none.png"), np.ones(4001), COLUMN),
    ],
    ids=["four", "a long name", "band", "band in a column"],
)
def test_a_legend_lies_beside_the_curves_and_the_title(draw: Callable[[], None], drawn: list[Figure]) -> None:
    draw()
    figure = drawn[0]
    figure.draw_without_rendering()
    panel = figure.axes[0]
    legend = panel.get_legend()
    assert legend is not None
    box = legend.get_window_extent()
    for line in panel.lines:
        assert not box.count_contains(panel.transData.transform(line.get_xydata()))
    title = figure.texts[0].get_window_extent()
    assert not box.overlaps(title)
    for words in (child for child in panel.get_children() if isinstance(child, Text) and child.get_text()):
        assert not box.overlaps(words.get_window_extent()), words.get_text()
    assert box.x0 >= 0.0
    assert box.x1 <= figure.bbox.x1


def test_a_band_is_whole(drawn: list[Figure]) -> None:
    band = np.linspace(0.0, 3.0, 4001)
    spectrum_figure.draw_spectrum("title", RISING, Path("none.png"), band)
    low, high = drawn[0].axes[0].get_ylim()
    assert low < (RISING.cross_section - band).min()
    assert high > (RISING.cross_section + band).max()


def test_a_weak_first_line_is_labelled(drawn: list[Figure]) -> None:
    """What the table prints is what the figure says."""
    weak = Spectrum(ENERGY, {"z": 1.0 / (20.0 - ENERGY - 1j) + 0.02 / (8.0 - ENERGY - 0.3j)}, 50.0)
    spectrum_figure.draw_spectrum("title", weak, Path("none.png"))
    labels = [child for child in drawn[0].axes[0].get_children() if isinstance(child, Annotation)]
    assert sorted(round(float(label.get_text())) for label in labels) == [8, 20]


def test_a_pulse_s_spectrum_fills_its_panel(drawn: list[Figure]) -> None:
    """The axis is as wide as the pulse's light, and labels stay below the frame."""
    spectrum_figure.draw_spectrum("title", of_a_pulse(), Path("none.png"))
    figure = drawn[0]
    figure.draw_without_rendering()
    panel = figure.axes[0]
    first, last = panel.get_xlim()
    assert 8.0 < first < 9.0
    assert 12.0 < last < 13.0
    labels = [child for child in panel.get_children() if isinstance(child, Annotation)]
    assert labels
    for label in labels:
        assert label.get_window_extent().y1 <= panel.bbox.y1


def test_the_end_of_a_pulse_s_light_is_no_line() -> None:
    known = np.where(ENERGY < 30.0, 1.0, np.nan)
    assert not peaks(Spectrum(ENERGY, {"z": known * 1.0j * ENERGY}, 50.0))
