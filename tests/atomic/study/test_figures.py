"""Figures of the study: nothing is named that is not drawn, and names lie on no curve."""

from pathlib import Path
from typing import Any

import pytest
from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.study import figures
from matplotlib.text import Annotation


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Figures in place of files."""
    kept: list[Any] = []
    monkeypatch.setattr(figures, "_written", lambda figure, _: kept.append(figure))
    return kept


def row(z: int, measured: float | None, lda: float, lsda: float) -> dict[str, Any]:
    return {"z": z, "measured": measured, "lda": lda, "lsda": lsda}


def test_names_stand_above_every_curve(drawn: list[Any]) -> None:
    """Helium's LDA lies far above what is measured."""
    rows = [
        row(1, 13.6, 12.1, 13.0),
        row(2, 24.6, 26.5, 24.3),
        row(3, 5.4, 5.3, 5.5),
        row(7, 14.5, 13.7, 15.0),
    ]
    figures.ionisation_by_element(rows, Path("none.png"))
    figure = drawn[0]
    figure.draw_without_rendering()
    top, errors = figure.axes
    names = [child for child in top.get_children() if isinstance(child, Annotation)]
    assert sorted(name.get_text() for name in names) == ["He", "N"]
    for name in names:
        box = name.get_window_extent()
        assert box.y1 <= top.bbox.y1
        for line in top.lines:
            assert not box.count_contains(top.transData.transform(line.get_xydata()))
    assert len(errors.patches) == 2 * len(rows)


def test_where_nothing_is_measured_nothing_is_said_of_it(drawn: list[Any]) -> None:
    figures.ionisation_by_element([row(118, None, 11.08, 10.96)], Path("none.png"))
    (panel,) = drawn[0].axes
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["LDA", "LSDA"]
    assert panel.get_xlabel() == "Z"


@pytest.mark.parametrize(("shells", "most"), [("2p3", 1.5), ("2p6", 1.0)])
def test_the_colours_end_where_the_spins_do(
    shells: str, most: float, drawn: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {parse_configuration(f"[He] 2s2 {shells}"): -54.0}
    monkeypatch.setattr(figures, "neutral_energies", lambda *_: found)
    figures.energy_landscape([], [7], Path("none.png"))
    assert drawn[0].axes[0].collections[0].get_clim() == (0.0, most)
