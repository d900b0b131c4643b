"""The figure of a run, `<start>.png`, from its trajectory file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import read_contents
from ..spectra.lines import AbsorptionLine
from ..spectra.signals import read_signals
from ..spectra.spectrum import DAMPING, HIGHEST, SpectrumError, absorption
from .plot import PAGE, RunPicture, plot_run


def draw_run(
    trajectory: Path, picture: Path, lines: Sequence[AbsorptionLine] = (), width: float = PAGE
) -> None:
    """Write a run's figure, `width` inches wide, under its deck's title; its trajectory must have a point.

    lines: labelled in the spectrum. Raises TrajectoryError, OSError, SpectrumError: see `plot_run`.
    """
    contents = read_contents(trajectory)
    series, title = contents.series, str(contents.attributes.get("title") or trajectory.stem)
    try:
        spectrum = absorption(read_signals(trajectory), DAMPING, HIGHEST)
    except SpectrumError:
        spectrum = None
    shown = RunPicture(title, np.asarray(series["time"]), np.asarray(series["dipole"]), spectrum, lines)
    plot_run(shown, picture, width)
