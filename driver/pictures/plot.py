"""Figures of a run (induced dipole, spectrum) and of a spectrum, for print: 3.3 or 7 inches wide, without a
display.

The name's ending decides the format: .png, or .pdf and .svg, whose lines stay sharp at any size. Letters
have the size that they are printed in, 8 points, at either width.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...atomic.units import FS_PER_AU
from ...atomic.whole_file import whole_file, write_whole
from ..spectra.lines import AbsorptionLine
from ..spectra.spectrum import Peak, Spectrum, SpectrumError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

# Distinct for colour-blind readers: Okabe and Ito, https://jfly.uni-koeln.de/color/.
_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#E69F00", "#009E73", "#666666"
_DOTS_PER_INCH = 200
#: Widths in inches, of one column of a journal and of a page.
COLUMN, PAGE = 3.3, 7.0
#: Sizes of letters, points.
LETTERS, SMALL = 8.0, 7.0
# Inches over the first panel: with a title, with a second axis too, and a legend's row.
_ABOVE, _ABOVE_DIPOLE, _ROW = 0.42, 0.62, 0.14
#: Exponents as letters: the parser of formulas takes as long as drawing.
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: A component that moves less than this share of the largest is not drawn.
AT_REST = 1e-3
#: Figures of runs by width and number of panels. A second run's takes half the time of a first one's.
_KEPT: dict[tuple[float, int], tuple[Figure, list[Axes]]] = {}
#: Formats, by the ending of a file's name.
FORMATS = (".png", ".pdf", ".svg")


@dataclass(frozen=True, eq=False)
class RunPicture:
    """What the figure of a run shows.

    title: over the figure.
    time: (n,) au, may be empty.
    dipole: (n, 3) au, along with the static part.
    spectrum: of this run's kick; None where there was none.
    lines: labelled in the spectrum.
    """

    title: str
    time: np.ndarray
    dipole: np.ndarray
    spectrum: Spectrum | None = None
    lines: Sequence[AbsorptionLine] = ()


def plot_run(picture: RunPicture, path: Path, width: float = PAGE) -> None:
    """Write the figure of a run, `width` inches wide.

    Raises OSError when the file cannot be written, SpectrumError for another ending than those of `FORMATS`.
    """
    kind = (width, 1 if picture.spectrum is None else 2)
    # Nobody else has it meanwhile.
    figure, panels = _KEPT.pop(kind, None) or _run_figure(*kind)
    _empty(figure, picture.title, width)
    _draw_dipole(panels[0], picture)
    if picture.spectrum is not None:
        marked = [(line.energy, line.strength) for line in picture.lines]
        _draw_spectrum(panels[1], picture.spectrum, marked, width)
    save_figure(figure, path)
    _KEPT[kind] = figure, panels


def _run_figure(width: float, n: int) -> tuple[Figure, list[Axes]]:
    """Panels with their axes, without a curve."""
    figure, panels = _figure(width, n, "", _ABOVE_DIPOLE)
    above = panels[0].secondary_xaxis("top", functions=(_to_fs, _from_fs))
    above.set_xlabel("time (fs)", fontsize=LETTERS, labelpad=3)
    above.tick_params(labelsize=SMALL, width=0.6, length=2.5)
    above.spines["top"].set_linewidth(0.6)
    return figure, panels


def _empty(figure: Figure, title: str, width: float) -> None:
    """Take off what an earlier run has drawn there, and put the title on."""
    figure.texts[0].set_text(_shortened(title, width))
    for panel in figure.axes:
        for artist in (*panel.lines, *panel.collections, *panel.texts):
            artist.remove()
        legend = panel.get_legend()
        if legend is not None:
            legend.remove()
        panel.relim()
        panel.autoscale()


def heat_maps(
    path: Path,
    title: str,
    axes: tuple[np.ndarray, np.ndarray],
    maps: Mapping[str, np.ndarray],
    width: float = PAGE,
) -> None:
    """Write maps over delay and energy under one another, `width` inches wide.

    axes: delays (d,) fs and energies (m,) eV. maps: (d, m) each, by the words at its colours: white is
    zero, and what has no value has no colour. Raises as `plot_run` does.
    """
    figure, panels = _figure(width, len(maps), title)
    delays, energies = axes
    for panel, (words, values) in zip(panels, maps.items(), strict=True):
        colours, low, high = _about_zero(values)
        shown = panel.pcolormesh(
            delays, energies, values.T, cmap=colours, vmin=low, vmax=high, shading="nearest"
        )
        shown.set_rasterized(True)
        scale = figure.colorbar(shown, cax=_scale_beside(figure, panel, width))
        scale.set_label(words, fontsize=LETTERS)
        scale.ax.tick_params(labelsize=SMALL, width=0.6, length=2.5)
        panel.set_xlabel("delay (fs)", fontsize=LETTERS, labelpad=2)
        panel.set_ylabel("energy (eV)", fontsize=LETTERS, labelpad=3)
    save_figure(figure, path)


def _scale_beside(figure: Figure, panel: Axes, width: float) -> Axes:
    """Room of the same inches for the scale, its numbers and words, whatever the figure's width."""
    left, low, across, high = panel.get_position().bounds
    panel.set_position((left, low, across - 0.8 / width, high))
    return figure.add_axes((left + across - 0.7 / width, low, 0.1 / width, high))


def _about_zero(values: np.ndarray) -> tuple[Colormap, float, float]:
    """Blue to red through white at zero, equally strong on both sides; cut where the values end."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    low, high = min(float(np.nanmin(values)), 0.0), max(float(np.nanmax(values)), 0.0)
    if low == high:
        high = 1.0
    shares = np.linspace(low, high, 256) / max(high, -low)
    return ListedColormap(colormaps["RdBu_r"](0.5 + 0.5 * shares)), low, high


def new_figure(title: str, width: float = PAGE, rows: int = 0) -> tuple[Figure, Axes]:
    """A figure of one panel, `width` inches wide, with room for `rows` of a legend above it."""
    figure, panels = _figure(width, 1, title, _ABOVE + _ROW * max(rows - 1, 0))
    return figure, panels[0]


def legend_above(panel: Axes, row: int = 0) -> None:
    """A legend over the panel's left corner, where no curve can lie behind it; row: of text above it."""
    figure = panel.get_figure(root=True)
    high = panel.get_position().height * (figure.get_figheight() if figure else 1.0)
    panel.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0 + row * _ROW / high),
        frameon=False,
        fontsize=SMALL,
        borderaxespad=0.1,
        borderpad=0.2,
        labelspacing=0.25,
    )


def spectrum_panel(
    panel: Axes, spectrum: Spectrum, lines: Sequence[AbsorptionLine] = (), width: float = PAGE
) -> None:
    """A spectrum with `lines` labelled, else its maxima."""
    found: Sequence[Peak] = () if lines else spectrum.peaks
    _draw_spectrum(panel, spectrum, [(one.energy, one.strength) for one in (*lines, *found)], width)


def _figure(width: float, n: int, title: str, top: float = _ABOVE) -> tuple[Figure, list[Axes]]:
    """n panels under one another, `top` inches below the figure's edge. Margins are fixed, in inches: fitting
    them takes as long as drawing.
    """
    from matplotlib.figure import Figure

    panel, between, bottom = 1.75 if width < 5.0 else 2.2, 0.75, 0.42
    height = n * panel + (n - 1) * between + top + bottom
    figure = Figure(figsize=(width, height), dpi=_DOTS_PER_INCH)
    left, right = 0.55 / width, 1.0 - 0.12 / width
    panels = []
    for k in range(n):
        low = height - top - panel - k * (panel + between)
        axes = figure.add_axes((left, low / height, right - left, panel / height))
        axes.tick_params(labelsize=SMALL, width=0.6, length=2.5)
        # Else all numbers along the axes are measured to find the place above them.
        axes.set_title("", y=1.0)
        for spine in axes.spines.values():
            spine.set_linewidth(0.6)
        panels.append(axes)
    shown = _shortened(title, width)
    figure.text(0.5, 1.0 - 0.06 / height, shown, fontsize=LETTERS, ha="center", va="top")
    return figure, panels


def _shortened(title: str, width: float) -> str:
    most = int(width * 14)
    return title if len(title) <= most else title[: most - 1] + "…"


def save_figure(figure: Figure, path: Path) -> None:
    """As PNG, PDF or SVG, by the path's ending. Raises as `plot_run` does."""
    import matplotlib as mpl

    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise SpectrumError(f"{path}: figures are written as {', '.join(FORMATS)}")
    if ending == ".png":
        write_whole(path, _as_png(figure))
        return
    # Text stays text, so that a journal's own letters can take its place; no date, so that equal runs give
    # equal files.
    date = {"CreationDate": None} if ending == ".pdf" else {"Date": None}
    with (
        mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hybrid-propagate", "pdf.fonttype": 42}),
        whole_file(path) as part,
    ):
        figure.savefig(part, format=ending[1:], metadata=date)


def _as_png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    # A canvas knows the sizes of the letters that it has drawn.
    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    canvas.draw()
    content = io.BytesIO()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    # Zlib's default takes three times as long. To look for runs of one colour alone makes files 14 % smaller.
    picture.save(content, "png", compress_level=1, compress_type=zlib.Z_RLE, dpi=(figure.dpi, figure.dpi))
    return content.getvalue()


def moving(change: np.ndarray) -> list[int]:
    """Components of changes (n, 3) to draw: all but those at rest; the largest one where none moves."""
    sizes = np.abs(change).max(axis=0, initial=0.0)
    return [k for k in range(3) if sizes[k] > AT_REST * sizes.max()] or [int(sizes.argmax())]


def _draw_dipole(panel: Axes, picture: RunPicture) -> None:
    change = picture.dipole - picture.dipole[:1]
    largest = np.abs(change).max(initial=0.0)
    power = int(np.floor(np.log10(largest))) if largest > 0.0 else 0
    if -1 <= power <= 2:
        power = 0
    shown = moving(change)
    for k in shown:
        panel.plot(
            picture.time,
            change[:, k] / 10.0**power,
            label="xyz"[k],
            color=(_BLUE, _ORANGE, _GREEN)[k],
            linewidth=0.7,
            # What moves less lies underneath.
            zorder=2.0 + np.abs(change[:, k]).max(initial=0.0) / (largest or 1.0),
        )
    unit = f"10{str(power).translate(_RAISED)} au" if power else "au"
    along = f" along {'xyz'[shown[0]]}" if len(shown) == 1 else ""
    panel.set_ylabel(f"induced dipole{along} ({unit})", fontsize=LETTERS, labelpad=3)
    panel.set_xlabel("time (au)", fontsize=LETTERS, labelpad=2)
    if len(shown) > 1:
        bottom, top = panel.get_ylim()
        panel.set_ylim(bottom, top + 0.2 * (top - bottom))
        panel.legend(loc="upper right", ncols=3, frameon=False, fontsize=LETTERS, borderaxespad=0.2)
    if len(picture.time) > 1:
        panel.set_xlim(picture.time[0], picture.time[-1])


def _to_fs(time: ArrayLike) -> ArrayLike:
    return np.asarray(time) * FS_PER_AU


def _from_fs(time: ArrayLike) -> ArrayLike:
    return np.asarray(time) / FS_PER_AU


def _draw_spectrum(
    panel: Axes, spectrum: Spectrum, marked: Sequence[tuple[float, float]], width: float
) -> None:
    """marked: energies (eV) to label with the strengths that decide who gets the room."""
    section = spectrum.cross_section
    known = section[np.isfinite(section)]
    panel.plot(spectrum.energy, section, color=_BLUE, linewidth=0.9, zorder=3)
    panel.fill_between(spectrum.energy, section, color=_BLUE, alpha=0.12, linewidth=0)
    highest = float(known.max(initial=0.0)) or 1.0
    lowest = min(float(known.min(initial=0.0)), 0.0)
    first, last = energies_shown(spectrum)
    # A rotated label takes its letters' height of the axis.
    room = (last - first) * 1.25 * SMALL / 72.0 / (width - 0.67)
    taken: list[float] = []
    for energy, _ in sorted(marked, key=lambda one: -one[1]):
        if any(abs(energy - other) < room for other in taken):
            continue
        taken.append(energy)
        # Over the curve across the label's width: on a shoulder it would lie on the flank.
        under = section[np.abs(spectrum.energy - energy) <= 0.4 * room]
        height = max(np.nanmax(under, initial=0.0), float(np.interp(energy, spectrum.energy, section)))
        panel.annotate(
            f"{energy:.2f}",
            (energy, height),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=SMALL,
            rotation=90,
        )
    labels = list(spectrum.polarisability)
    panel.set_ylabel("cross-section (bohr²)", fontsize=LETTERS, labelpad=3)
    panel.set_xlabel("energy (eV)", fontsize=LETTERS, labelpad=2)
    what = "x, y, z averaged" if sorted(labels) == ["x", "y", "z"] else f"light along {', '.join(labels)}"
    shape = f"Gaussian, sigma {spectrum.sigma:.3g} au" if spectrum.sigma else f"damping {spectrum.tau:g} au"
    panel.set_title(f"{what}; {shape}", loc="right", fontsize=SMALL, color=_GREY, pad=3, y=1.0)
    panel.set_xlim(first, last)
    panel.set_ylim(lowest * 1.05, highest + 0.3 * (highest - lowest))


def energies_shown(spectrum: Spectrum) -> tuple[float, float]:
    """First and last energy (eV) of the axis: from zero, but of a pulse what it has light for."""
    known = spectrum.energy[np.isfinite(spectrum.cross_section)]
    last = float(spectrum.energy[-1])
    if not len(known) or len(known) == len(spectrum.energy):
        return 0.0, last
    margin = 0.05 * float(known[-1] - known[0]) or 0.5
    return max(float(known[0]) - margin, 0.0), min(float(known[-1]) + margin, last)
