"""The figure of a run, `<start>.png`, from its trajectory file."""

from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import read_contents
from ..spectra.signals import read_signals
from ..spectra.spectrum import DAMPING, HIGHEST, SpectrumError, absorption
from .plot import RunPicture, plot_run


def draw_run(trajectory: Path, picture: Path, title: str, allowed: float | None = None) -> None:
    """Write a run's figure as PNG; its trajectory must have a point.

    allowed: spread that fits the tolerance; None: not drawn. Raises TrajectoryError, OSError.
    """
    contents = read_contents(trajectory)
    series, control = contents.series, contents.control
    time = np.asarray(series["time"])
    kinds = [k.decode() for k in control.get("segment_kind", np.zeros(0))]
    starts = np.asarray(control.get("segment_step", np.zeros(0, int)))
    counts = np.asarray(control.get("segment_steps", np.zeros(0, int)))
    dt = float(np.asarray(contents.attributes["dt"]))
    event_kinds = np.array([k.decode() for k in control.get("event_kind", np.zeros(0))])
    event_times = np.asarray(control.get("event_time", np.zeros(0)))
    residuals = np.asarray(control.get("event_residual", np.zeros(0)))
    anchored = event_kinds == "anchor"
    spread = np.asarray(series["spread"])
    shown = spread > 0.0
    try:
        spectrum = absorption(read_signals(trajectory), DAMPING, HIGHEST)
    except SpectrumError:
        spectrum = None
    plot_run(
        RunPicture(
            title=title,
            time=time,
            dipole=np.asarray(series["dipole"]),
            segments=[
                (dt * s, dt * (s + n), kind == "surrogate")
                for s, n, kind in zip(starts, counts, kinds, strict=True)
            ],
            spread=np.stack([time[shown], spread[shown]], axis=1),
            residual=np.stack([event_times[anchored], residuals[anchored]], axis=1),
            allowed=allowed,
            anchors=event_times[anchored],
            audits=event_times[event_kinds == "audit"],
            rejections=event_times[event_kinds == "rejection"],
            spectrum=spectrum,
        ),
        picture,
    )
