"""Figures of spectra: one with its lines and band, or several over one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .plot import LETTERS, PAGE, legend_above, new_figure, save_figure, spectrum_panel

if TYPE_CHECKING:
    from ..spectra.harmonics import Emission
    from ..spectra.spectrum import Spectrum

# Letters of a name that have room in a legend, an inch of the figure.
_NAME = 13
#: Inches from which a legend and a panel's words have room beside one another.
_WIDE = 5.0
#: Okabe and Ito, https://jfly.uni-koeln.de/color/.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")


def draw_spectrum(
    title: str, spectrum: Spectrum, path: Path, band: np.ndarray | None = None, width: float = PAGE
) -> None:
    """One spectrum, `width` inches wide. By the path's ending PNG, PDF or SVG. Raises OSError.

    band: (m,) bohr², one standard deviation to both sides.
    """
    # In a narrow figure the legend stands over the panel's own words.
    row = int(width < _WIDE)
    figure, panel = new_figure(title, width, rows=1 + row)
    spectrum_panel(panel, spectrum, width=width)
    if band is not None:
        section = spectrum.cross_section
        panel.fill_between(
            spectrum.energy,
            section - band,
            section + band,
            color=_COLOURS[1],
            alpha=0.25,
            linewidth=0,
            label="one standard deviation",
        )
        bottom, top = panel.get_ylim()
        low, high = float(np.nanmin(section - band)), float(np.nanmax(section + band))
        panel.set_ylim(min(bottom, 1.05 * low), max(top, 1.05 * high))
        legend_above(panel, row)
    save_figure(figure, path)


def draw_overlay(
    title: str, names: Sequence[str], spectra: Sequence[Spectrum], path: Path, width: float = PAGE
) -> None:
    """Spectra over one another, named in a legend above. Raises OSError."""
    figure, panel = new_figure(title, width, rows=len(names))
    most = int(_NAME * width)
    for k, (name, spectrum) in enumerate(zip(names, spectra, strict=True)):
        panel.plot(
            spectrum.energy,
            spectrum.cross_section,
            color=_COLOURS[k % len(_COLOURS)],
            linestyle="-" if k == 0 else "--",
            linewidth=0.9,
            label=name if len(name) <= most else "…" + name[1 - most :],
        )
    panel.set_xlabel("energy (eV)", fontsize=LETTERS)
    panel.set_ylabel("cross-section (bohr²)", fontsize=LETTERS)
    panel.set_xlim(0.0, max(spectrum.energy[-1] for spectrum in spectra))
    legend_above(panel)
    save_figure(figure, path)


def draw_emission(title: str, emission: Emission, path: Path) -> None:
    """Emitted light over the order of the harmonic, in decades. Raises OSError."""
    from matplotlib.ticker import MaxNLocator

    figure, panel = new_figure(title)
    shown = emission.intensity > 1e-16 * emission.intensity.max()
    panel.semilogy(
        emission.energy[shown] / emission.photon, emission.intensity[shown], color=_COLOURS[0], linewidth=0.9
    )
    panel.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    panel.set_xlabel("order of the harmonic", fontsize=LETTERS)
    panel.set_ylabel("|acceleration|² (au)", fontsize=LETTERS)
    save_figure(figure, path)
