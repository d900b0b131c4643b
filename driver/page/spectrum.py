"""The spectrum that a report shows: absorption after a kick, else the Fourier transform of the dipole."""

from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.files.trajectory import Contents
from ...atomic.units import EV_PER_HARTREE
from ..spectra.signals import read_signals
from ..spectra.spectrum import (
    DAMPING,
    HIGHEST,
    RESOLUTION_EV,
    Peak,
    SpectrumError,
    absorption,
    fourier_sum,
    peaks,
)
from .data import encoded, is_kick

#: A run shorter than this many damping times gets a Padé approximant beside the Fourier sum …
SHORT = 6.0
#: … and, shorter than this, its lines from it.
VERY_SHORT = 3.0
#: Points up to which a Padé approximant is made: its time grows as their square.
MOST_PADE_POINTS = 10_000


def report_spectrum(trajectory: Path, contents: Contents) -> tuple[dict[str, Any], list[Peak], str] | None:
    """What the page draws, the strongest lines, and a sentence for the caption; None where nothing moves."""
    time, dipole = np.asarray(contents.series["time"]), np.asarray(contents.series["dipole"])
    if len(time) < 8 or not (np.isfinite(dipole).all() and np.ptp(dipole, axis=0).any()):
        return None
    if is_kick(contents):
        try:
            return _absorption(trajectory, float(time[-1] - time[0]), len(time))
        except SpectrumError:
            pass
    return _dipole_spectrum(time, dipole)


def _absorption(trajectory: Path, span: float, n_points: int) -> tuple[dict[str, Any], list[Peak], str]:
    signals = read_signals(trajectory)
    spectrum = absorption(signals, DAMPING, HIGHEST)
    curves = [_curve("Fourier sum", "c0", spectrum.cross_section)]
    lines = peaks(spectrum)
    (label,) = spectrum.polarisability
    caption = (
        f"Cross-section for light along {label}, from the dipole after the kick, damped with exp(−t/τ), "
        f"τ = {DAMPING:g} au. "
    )
    if span < SHORT * DAMPING and n_points <= MOST_PADE_POINTS:
        continued = absorption(signals, DAMPING, HIGHEST, pade=True)
        curves.append(_curve("Padé approximant", "c1 dashed", continued.cross_section))
        caption += f"The run is {span / DAMPING:.1f} τ long: the Padé approximant continues it. "
        if span < VERY_SHORT * DAMPING:
            lines = peaks(continued)
            caption += "The lines are its own. "
    return _drawn(curves, "bohr²", lines, log=False), lines, caption


def _dipole_spectrum(time: np.ndarray, dipole: np.ndarray) -> tuple[dict[str, Any], list[Peak], str]:
    """|∫ w(t) Δμ(t) e^{iωt} dt| with w Blackman's window, over all components."""
    from scipy.signal import find_peaks

    step = float(time[1] - time[0])
    highest = min(HIGHEST, np.pi / step * EV_PER_HARTREE)
    energy = RESOLUTION_EV * np.arange(round(highest / RESOLUTION_EV) + 1)
    signal = (dipole - dipole.mean(axis=0)) * np.blackman(len(time))[:, None]
    angle = RESOLUTION_EV / EV_PER_HARTREE * step
    size = step * np.linalg.norm([fourier_sum(column, angle, len(energy)) for column in signal.T], axis=0)
    at, _ = find_peaks(np.log10(size + 1e-12 * size.max()), prominence=0.5)
    strongest = sorted(at[np.argsort(size[at])[::-1][:8]])
    lines = [Peak(float(energy[k]), float(size[k]), 0.0) for k in strongest]
    caption = (
        "The field is no delta kick, so this is no absorption spectrum: it is the size of the dipole’s "
        "Fourier transform, with Blackman’s window over the run. "
    )
    return _drawn([_curve("dipole", "c0", size)], "au", lines, log=True), lines, caption


def _curve(label: str, swatch: str, values: np.ndarray) -> dict[str, Any]:
    return {"label": label, "swatch": swatch, "values": encoded(values)}


def _drawn(curves: list[dict[str, Any]], unit: str, lines: list[Peak], *, log: bool) -> dict[str, Any]:
    return {
        "step": RESOLUTION_EV,
        "log": log,
        "unit": unit,
        "curves": curves,
        "peaks": [{"energy": line.energy, "height": line.cross_section} for line in lines],
    }
