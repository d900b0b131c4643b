"""The figure of a run, `<start>.png`."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import Contents
from ..spectra.lines import AbsorptionLine
from ..spectra.spectrum import DAMPING, HIGHEST, Signal, SpectrumError, absorption
from .plot import PAGE, RunPicture, plot_run


def draw_run(
    contents: Contents,
    name: str,
    kicked: Sequence[Signal],
    picture: Path,
    lines: Sequence[AbsorptionLine] = (),
    width: float = PAGE,
) -> None:
    """Write a run's figure, `width` inches wide, under its deck's title, else `name`; it must have a point.

    contents: of its trajectory file. kicked: its dipole after a kick; empty where there was none.
    lines: labelled in the spectrum. Raises OSError, SpectrumError: see `plot_run`.
    """
    series, title = contents.series, str(contents.attributes.get("title") or name)
    spectrum = None
    with contextlib.suppress(SpectrumError):
        spectrum = absorption(kicked, DAMPING, HIGHEST) if kicked else None
    shown = RunPicture(title, np.asarray(series["time"]), np.asarray(series["dipole"]), spectrum, lines)
    plot_run(shown, picture, width)
