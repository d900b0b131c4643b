"""Figures of a run (dipole, spectrum, error control) and of a spectrum, written as PNG without a display."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...adapters.files.whole_file import whole_file
from ...atomic.units import FS_PER_AU
from ..spectra.spectrum import Peak, Spectrum, peaks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

# Distinct for colour-blind readers: Okabe and Ito, https://jfly.uni-koeln.de/color/.
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"
_DOTS_PER_INCH = 120


@dataclass(frozen=True, eq=False)
class RunPicture:
    """What the figure of a run shows; times in au, any of the arrays may be empty.

    time: (n,); dipole: (n, 3) along with the static part.
    segments: (start, end, is_surrogate) of each, end exclusive, in order.
    spread: (k, 2) time and spread; residual: (m, 2) time and measured residual; allowed: the spread that is
        still trusted.
    anchors, audits, rejections: times.
    spectrum: of this run's kick, None where there was none.
    """

    title: str
    time: np.ndarray
    dipole: np.ndarray
    segments: Sequence[tuple[float, float, bool]]
    spread: np.ndarray
    residual: np.ndarray
    anchors: np.ndarray
    audits: np.ndarray
    rejections: np.ndarray
    allowed: float | None = None
    spectrum: Spectrum | None = None


def plot_run(picture: RunPicture, path: Path) -> None:
    """Write the figure of a run as PNG. Raises OSError when the file cannot be written."""
    heights = [2.2, 2.2, 2.0] if picture.spectrum is not None else [2.2, 2.0]
    height = 3.0 * len(heights) + 0.4
    figure = _figure(8.0, height)
    # Fixed margins, in inches: fitting them to the labels costs as much time as drawing.
    margins = {"top": 1.0 - 0.75 / height, "bottom": 0.85 / height, "left": 0.1, "right": 0.98, "hspace": 0.3}
    panels = figure.subplots(len(heights), 1, height_ratios=heights, gridspec_kw=margins)
    figure.suptitle(picture.title, fontsize=11, y=1.0 - 0.2 / height)
    _draw_dipole(panels[0], picture)
    if picture.spectrum is not None:
        _draw_spectrum(panels[1], picture.spectrum, peaks(picture.spectrum))
    _draw_control(panels[-1], picture)
    _save(figure, path)


def plot_spectrum(title: str, spectrum: Spectrum, path: Path) -> None:
    """Write the figure of a spectrum as PNG. Raises OSError when the file cannot be written."""
    figure, panel = new_figure(title)
    spectrum_panel(panel, spectrum)
    save_figure(figure, path)


def new_figure(title: str) -> tuple[Figure, Axes]:
    """A figure of one panel."""
    figure = _figure(8.0, 4.2)
    panel = figure.subplots(gridspec_kw={"top": 0.88, "bottom": 0.13, "left": 0.1, "right": 0.98})
    figure.suptitle(title, fontsize=11)
    return figure, panel


def spectrum_panel(panel: Axes, spectrum: Spectrum) -> None:
    """A spectrum with its strongest lines labelled."""
    _draw_spectrum(panel, spectrum, peaks(spectrum))


def save_figure(figure: Figure, path: Path) -> None:
    """As PNG, PDF or SVG, by the path's ending. Raises OSError."""
    if path.suffix in (".pdf", ".svg"):
        with whole_file(path) as part:
            figure.savefig(part, format=path.suffix[1:])
    else:
        _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=_DOTS_PER_INCH)


def _save(figure: Figure, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with whole_file(path) as part:
        FigureCanvasAgg(figure).print_png(str(part))


def _draw_dipole(panel: Axes, picture: RunPicture) -> None:
    change = picture.dipole - picture.dipole[:1]
    largest = np.abs(change).max(initial=0.0)
    power = int(np.floor(np.log10(largest))) if largest > 0.0 else 0
    for values, label, colour in zip(change.T, "xyz", (_BLUE, _ORANGE, _GREEN), strict=True):
        # A component that stays flat goes underneath the others.
        panel.plot(
            picture.time,
            values / 10.0**power,
            label=label,
            color=colour,
            linewidth=0.9,
            zorder=2.0 + np.abs(values).max(initial=0.0) / (largest or 1.0),
        )
    unit = f"$10^{{{power}}}$ au" if power else "au"
    panel.set_ylabel(f"induced dipole ({unit})")
    panel.set_xlabel("time (au)")
    bottom, top = panel.get_ylim()
    panel.set_ylim(bottom, top + 0.18 * (top - bottom))
    panel.legend(loc="upper right", ncols=3, frameon=True, framealpha=0.85, fontsize=9)
    _shade(panel, picture)
    _time_axes(panel, picture)


def _shade(panel: Axes, picture: RunPicture) -> None:
    """Reference segments in grey, surrogate segments plain."""
    reference = [(start, end - start) for start, end, is_surrogate in picture.segments if not is_surrogate]
    if reference:
        panel.broken_barh(
            reference,
            (0.0, 1.0),
            transform=panel.get_xaxis_transform(),
            facecolor="#BBBBBB",
            alpha=0.45,
            zorder=0,
            label="reference steps",
        )


def _time_axes(panel: Axes, picture: RunPicture) -> None:
    """The run's time along the bottom, and in fs along the top."""
    if len(picture.time) > 1:
        panel.set_xlim(picture.time[0], picture.time[-1])
    top = panel.secondary_xaxis("top", functions=(_to_fs, _from_fs))
    top.set_xlabel("fs", fontsize=8, labelpad=2)
    top.tick_params(labelsize=8)


def _to_fs(time: ArrayLike) -> ArrayLike:
    return np.asarray(time) * FS_PER_AU


def _from_fs(time: ArrayLike) -> ArrayLike:
    return np.asarray(time) / FS_PER_AU


def _draw_spectrum(panel: Axes, spectrum: Spectrum, lines: Sequence[Peak]) -> None:
    section = spectrum.cross_section
    known = section[np.isfinite(section)]
    panel.plot(spectrum.energy, section, color=_BLUE, linewidth=1.2, zorder=3)
    panel.fill_between(spectrum.energy, section, color=_BLUE, alpha=0.12, linewidth=0)
    highest = float(known.max(initial=0.0)) or 1.0
    for line in lines:
        panel.annotate(
            f"{line.energy:.2f}",
            (line.energy, line.cross_section),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8,
            rotation=90,
        )
    labels = list(spectrum.polarisability)
    panel.set_ylabel("cross-section (bohr²)")
    panel.set_xlabel("energy (eV)")
    what = "x, y, z averaged" if sorted(labels) == ["x", "y", "z"] else f"light along {', '.join(labels)}"
    shape = f"Gaussian, sigma {spectrum.sigma:.3g} au" if spectrum.sigma else f"damping {spectrum.tau:g} au"
    panel.set_title(f"{what}; {shape}", loc="right", fontsize=8, color=_GREY)
    panel.set_xlim(0.0, spectrum.energy[-1])
    panel.set_ylim(min(float(known.min(initial=0.0)), 0.0) * 1.05, 1.22 * highest)


def _draw_control(panel: Axes, picture: RunPicture) -> None:
    if len(picture.spread):
        panel.plot(*picture.spread.T, color=_GREY, linewidth=0.8, label="spread", zorder=2)
    if len(picture.residual):
        panel.plot(*picture.residual.T, "o", color=_BLUE, markersize=4, label="residual, measured", zorder=4)
    if picture.allowed is not None:
        panel.axhline(picture.allowed, color=_RED, linewidth=0.9, linestyle="--", label="allowed", zorder=1)
    panel.set_yscale("log")
    panel.minorticks_off()
    panel.set_ylabel("relative error of ΔF")
    panel.set_xlabel("time (au)")
    _limit_decades(panel, picture)
    marks = (
        (picture.anchors, "anchor", "|", _BLUE, 0.02),
        (picture.audits, "audit", "^", _GREEN, 0.05),
        (picture.rejections, "rejected", "x", _RED, 0.95),
    )
    for times, label, marker, colour, height in marks:
        if len(times):
            panel.plot(
                times,
                np.full(len(times), height),
                marker,
                color=colour,
                markersize=6,
                label=label,
                transform=panel.get_xaxis_transform(),
                zorder=5,
                clip_on=False,
            )
    _shade(panel, picture)
    if len(picture.time) > 1:
        panel.set_xlim(picture.time[0], picture.time[-1])
    if panel.get_legend_handles_labels()[0]:
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=7, frameon=False, fontsize=8)


def _limit_decades(panel: Axes, picture: RunPicture) -> None:
    """Whole decades around what is shown, at most ten; zeros have no place on the axis."""
    values = np.concatenate([picture.spread[:, 1], picture.residual[:, 1], [picture.allowed or 0.0]])
    values = values[np.isfinite(values) & (values > 0.0)]
    if len(values):
        high = np.ceil(np.log10(values.max()) + 0.1)
        low = max(np.floor(np.log10(values.min())), high - 10.0)
        panel.set_ylim(10.0 ** (low - 0.5), 10.0**high)
