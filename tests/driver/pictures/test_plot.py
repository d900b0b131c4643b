"""Figures: written whole, without a display, whatever a run holds or lacks."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.driver.pictures import plot
from hybrid_propagate.driver.pictures.plot import COLUMN, PAGE, RunPicture, moving, plot_run
from hybrid_propagate.driver.pictures.spectrum_figure import draw_spectrum
from hybrid_propagate.driver.spectra.lines import AbsorptionLine
from hybrid_propagate.driver.spectra.spectrum import Spectrum, SpectrumError
from matplotlib.image import imread
from PIL import Image

TIME = 0.2 * np.arange(5000)
ENERGY = np.linspace(0.0, 40.0, 4001)


def picture() -> RunPicture:
    """A run of 5000 steps with everything in it."""
    lines = [
        AbsorptionLine(energy, 1e-3, strength, 1e-4, (0.0, 0.0, 1.0), 0.1)
        for energy, strength in ((10.0, 0.3), (10.1, 0.1), (30.0, 0.2))
    ]
    return RunPicture(
        title="toy",
        time=TIME,
        dipole=1e-5 * np.column_stack([0.0 * TIME, 0.1 * np.sin(0.3 * TIME), np.sin(0.4 * TIME)]) + 0.5,
        spectrum=Spectrum(ENERGY, {"z": 1.0 / (10.0 - ENERGY - 1j)}, 50.0),
        lines=lines,
    )


def drawn(path: Path) -> float:
    """Share of the picture that is not white; fails if it is no PNG."""
    pixels = imread(path)[..., :3]
    assert min(pixels.shape[:2]) > 400
    return float((pixels.min(axis=2) < 0.9).mean())


def test_a_full_run(tmp_path: Path) -> None:
    """Two panels."""
    plot_run(picture(), tmp_path / "a.png")
    assert drawn(tmp_path / "a.png") > 0.05


@pytest.mark.parametrize(
    "changes",
    [
        {"spectrum": None},
        {"lines": ()},
        {"time": np.empty(0), "dipole": np.empty((0, 3)), "spectrum": None},
        {"time": TIME[:1], "dipole": np.ones((1, 3)), "spectrum": None},
        {"dipole": np.ones((5000, 3))},
    ],
    ids=["no kick", "no lines", "nothing yet", "one point", "no response"],
)
def test_runs_that_lack_something(changes: dict, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """The same figure with what there is, and no warning on the user's screen."""
    plot_run(replace(picture(), **changes), tmp_path / "a.png")
    assert drawn(tmp_path / "a.png") > 0.01
    # Files that earlier tests left to the garbage collector are closed whenever it runs, here too.
    assert [str(w.message) for w in recwarn if w.category is not ResourceWarning] == []


def test_spectrum_alone(tmp_path: Path) -> None:
    """And an error of the file system is raised, not swallowed."""
    spectrum = Spectrum(ENERGY, {axis: 1.0 / (10.0 - ENERGY - 1j) for axis in "xyz"}, 50.0)
    draw_spectrum("toy", spectrum, tmp_path / "s.png")
    assert drawn(tmp_path / "s.png") > 0.02
    with pytest.raises(OSError, match="No such file"):
        draw_spectrum("toy", spectrum, tmp_path / "none" / "s.png")


@pytest.mark.parametrize("width", [COLUMN, PAGE])
def test_vector_figures_are_as_wide_as_asked(width: float, tmp_path: Path) -> None:
    """72 points an inch, letters of 7 and 8 points, whatever the width; equal runs give equal files."""
    for name in ("a.svg", "b.svg", "a.pdf", "b.pdf"):
        plot_run(picture(), tmp_path / name, width)
    text = (tmp_path / "a.svg").read_text()
    assert f'width="{72 * width:g}pt"' in text
    assert set(re.findall(r"font(?:-size)?: ?(\d+(?:\.\d+)?)px", text)) <= {"7", "8", "5.6"}
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    for ending in ("svg", "pdf"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
    # Of two lines in one place the stronger one has the label.
    assert "10.00" in text
    assert "10.10" not in text
    with pytest.raises(SpectrumError, match=r"a.jpg: figures are written as .png, .pdf, .svg"):
        plot_run(picture(), tmp_path / "a.jpg", width)


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 0.3), (-0.014, 0.0085), (-1e-4, 0.3), (-2.0, 0.0), (0.0, 0.0)]
)
def test_a_map_s_colours_are_those_that_occur(
    width: float, low: float, high: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """White is zero, and no part of the scale is without a value; nothing leaves the figure."""
    kept = []
    monkeypatch.setattr(plot, "save_figure", lambda figure, _: kept.append(figure))
    values = np.linspace(low, high, 12).reshape(3, 4)
    axes = np.arange(3.0), np.arange(4.0)
    plot.heat_maps(Path("none.png"), "toy", axes, {"change of the cross-section (bohr²)": values}, width)
    figure = kept[0]
    figure.draw_without_rendering()
    panel, scale = figure.axes
    shown = panel.collections[0]
    assert shown.get_clim() == (low, high if high > low else 1.0)
    least, most = (shown.to_rgba(edge) for edge in (low, high))
    for edge, value in ((least, low), (most, high)):
        strength = abs(value) / (max(high, -low) or 1.0)
        assert (min(edge[:3]) > 0.9) == (strength < 0.05), (edge, value)
    box = scale.get_tightbbox()
    assert box is not None
    assert box.x1 <= figure.bbox.x1
    assert panel.get_window_extent().x1 < box.x0


@pytest.mark.parametrize(("size", "unit"), [(0.5, "au"), (30.0, "au"), (2e-5, "10⁻⁵ au")])
def test_the_dipole_s_unit_is_one_that_people_write(
    size: float, unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(plot, "save_figure", lambda figure, _: kept.append(figure))
    plot_run(replace(picture(), dipole=size * np.sin(TIME)[:, None] * [0.0, 0.0, 1.0]), Path("none.png"))
    assert kept[0].axes[0].get_ylabel() == f"induced dipole along z ({unit})"


def test_only_components_that_move_are_drawn() -> None:
    change = picture().dipole - picture().dipole[:1]
    assert moving(change) == [1, 2]
    assert moving(change * [1.0, 1e-3, 1.0]) == [2]
    assert moving(0.0 * change) == [0]


def test_a_run_s_figure_tells_nothing_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process keeps the axes: with a legend or without, each figure is the one of a fresh process."""
    other = replace(
        picture(), title="other", time=TIME[:900], dipole=30.0 * np.sin(TIME[:900])[:, None] * [0.0, 0.0, 1.0]
    )
    shown = (picture(), other, replace(picture(), lines=()), picture())
    for ending in ("png", "svg"):
        for alone in (True, False):
            monkeypatch.setattr(plot, "_KEPT", {})
            for k, one in enumerate(shown):
                if alone:
                    monkeypatch.setattr(plot, "_KEPT", {})
                plot_run(one, tmp_path / f"{k}_{alone}.{ending}")
        files = [
            [(tmp_path / f"{k}_{alone}.{ending}").read_bytes() for k in range(4)] for alone in (True, False)
        ]
        assert files[0] == files[1]


def test_a_png_has_the_size_in_print(tmp_path: Path) -> None:
    plot_run(picture(), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["dpi"] == pytest.approx((200.0, 200.0), abs=0.02)
        assert image.width == 200 * PAGE
