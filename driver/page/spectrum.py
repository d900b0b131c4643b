"""The spectrum that a page shows: absorption after kicks, else the Fourier transform of the dipole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.files.trajectory import Contents
from ...atomic.units import EV_PER_HARTREE, SPEED_OF_LIGHT
from ..spectra.kicked_runs import lines_of_run, read_kicked_runs
from ..spectra.line_fit import LEAST_ERROR
from ..spectra.lines import AbsorptionLine, KickedRun
from ..spectra.realization import common_frequencies
from ..spectra.spectrum import (
    DAMPING,
    HIGHEST,
    RESOLUTION_EV,
    Peak,
    Spectrum,
    SpectrumError,
    absorption,
    fourier_sum,
)
from .data import encoded, is_kick
from .lines import DARK, Root, kick_axes, line_rows, seen_by
from .words import strongest_line

#: A run shorter than this many damping times gets a Padé approximant beside the Fourier sum.
SHORT = 6.0
#: Points up to which a Padé approximant is made: its time grows as their square.
MOST_PADE_POINTS = 10_000
#: Beside a line of a windowed transform its window makes maxima of up to 1.3e-3 of it: Blackman's, -58 dB.
SIDE_LOBES = 2e-3
#: A field below this share of its largest is over; the dipole needs so many points after it; so many lines
#: are labelled at most.
OVER, LEAST_FREE, MOST_FREE = 1e-3, 40, 8


@dataclass(frozen=True, eq=False)
class ShownSpectrum:
    """drawn: what the page's script draws; caption, table: HTML; runs, lines: after kicks."""

    drawn: dict[str, Any]
    caption: str
    table: str
    runs: Sequence[KickedRun] = ()
    lines: Sequence[AbsorptionLine] = ()


def report_spectrum(trajectory: Path, contents: Contents, roots: Sequence[Root] = ()) -> ShownSpectrum | None:
    """Of one run, with the roots of `task tddft`; None where nothing moves."""
    time, dipole = np.asarray(contents.series["time"]), np.asarray(contents.series["dipole"])
    if len(time) < 8 or not (np.isfinite(dipole).all() and np.ptp(dipole, axis=0).any()):
        return None
    if is_kick(contents):
        try:
            runs = read_kicked_runs(trajectory)
            return kick_spectrum(runs, _lines(trajectory, runs), seen_by(roots, runs))
        except SpectrumError:
            pass
    field = np.abs(np.asarray(contents.series["field"])).max(axis=1)
    return _dipole_spectrum(time, dipole, free_lines(time, dipole, field))


def kick_spectrum(
    runs: Sequence[KickedRun], lines: Sequence[AbsorptionLine], roots: Sequence[Root]
) -> ShownSpectrum:
    """Absorption after kicks, its fitted lines, and roots of `task tddft` as sticks. Raises SpectrumError."""
    signals = [run.signal for run in runs]
    span = min(float(signal.time[-1] - signal.time[0]) for signal in signals)
    spectrum = absorption(signals, DAMPING, HIGHEST)
    curves = [_curve("Fourier sum", "c0", spectrum.cross_section)]
    axes = kick_axes(runs)
    light = "averaged over all directions of light" if len(runs) == 3 else f"for light along {axes}"
    caption = (
        f"Cross-section {light}, from the dipole after kicks along {axes}, damped with exp(−t/τ), "
        f"τ = {DAMPING:g} au. "
    )
    if lines:
        caption += "Energies stand at the fitted lines. "
    if span < SHORT * DAMPING and max(len(signal.time) for signal in signals) <= MOST_PADE_POINTS:
        continued = absorption(signals, DAMPING, HIGHEST, pade=True)
        curves.append(_curve("Padé approximant", "c1 dashed", continued.cross_section))
        caption += f"The signal is {span / DAMPING:.1f} τ long: the Padé approximant continues it. "
    sticks = [root for root in roots if root.energy < HIGHEST and root.strength > DARK]
    if sticks:
        caption += "Sticks: <code>task tddft</code>, as high as a line of that strength would be. "
    shown = [
        {"energy": line.energy, "height": _height(spectrum, line.energy), "strength": line.strength}
        for line in lines
    ]
    drawn = _drawn(curves, "bohr²", shown, log=False)
    # An isolated line of strength f is 2πτf/c high.
    drawn["sticks"] = [
        {"energy": root.energy, "height": 2.0 * math.pi * DAMPING * root.strength / SPEED_OF_LIGHT}
        for root in sticks
    ]
    return ShownSpectrum(drawn, caption, line_rows(lines, runs, roots), runs, lines)


def _lines(trajectory: Path, runs: list[KickedRun]) -> tuple[AbsorptionLine, ...]:
    try:
        return lines_of_run(trajectory, runs)
    except SpectrumError:
        return ()


def _height(spectrum: Spectrum, energy: float) -> float:
    return float(np.interp(energy, spectrum.energy, spectrum.cross_section))


def free_lines(time: np.ndarray, dipole: np.ndarray, field: np.ndarray) -> list[float]:
    """Energies, eV, at which the dipole (T, 3) swings by itself once the field (T,) is over, ascending.

    Frequencies of undamped sines (`realization`); none where the field is not over, or too late.
    """
    acting = np.flatnonzero(field > OVER * field.max())
    after = np.arange(int(acting[-1]) + 1 if acting.size else 0, len(time))
    step = float(time[1] - time[0])
    stride = max(int(math.pi / (2.0 * HIGHEST / EV_PER_HARTREE * step)), 1)
    rows = after[::stride]
    if len(rows) < LEAST_FREE:
        return []
    samples = dipole[rows] - dipole[rows].mean(axis=0)
    size = float(np.linalg.norm(samples))
    omega = common_frequencies(samples[:, :, None], stride * step, LEAST_ERROR * size) if size > 0.0 else []
    angles = np.outer(time[rows] - time[rows[0]], omega)
    waves = np.hstack([np.ones((len(rows), 1)), np.cos(angles), np.sin(angles)])
    cosines, sines = np.split(np.linalg.lstsq(waves, dipole[rows], rcond=None)[0][1:], 2)
    amplitude = np.sqrt(np.sum(cosines**2 + sines**2, axis=1))
    clear = amplitude > SIDE_LOBES * amplitude.max(initial=0.0)
    found = np.asarray(omega)[clear][np.argsort(-amplitude[clear])[:MOST_FREE]]
    return sorted(float(e) for e in found * EV_PER_HARTREE if e < HIGHEST)


def _dipole_spectrum(time: np.ndarray, dipole: np.ndarray, lines: Sequence[float]) -> ShownSpectrum:
    """|∫ w(t) Δμ(t) e^{iωt} dt| with w Blackman's window, over all components.

    lines: energies, eV, to label; the clear maxima where there are none.
    """
    step = float(time[1] - time[0])
    highest = min(HIGHEST, np.pi / step * EV_PER_HARTREE)
    energy = RESOLUTION_EV * np.arange(round(highest / RESOLUTION_EV) + 1)
    signal = (dipole - dipole.mean(axis=0)) * np.blackman(len(time))[:, None]
    angle = RESOLUTION_EV / EV_PER_HARTREE * step
    size = step * np.linalg.norm([fourier_sum(column, angle, len(energy)) for column in signal.T], axis=0)
    found = [Peak(one, float(np.interp(one, energy, size)), 0.0) for one in lines] or [
        Peak(float(energy[k]), float(size[k]), 0.0) for k in clear_maxima(size)
    ]
    caption = (
        "The field is no delta kick, so this is no absorption spectrum: it is the size of the dipole’s "
        "Fourier transform, with Blackman’s window over the run. "
    )
    if lines:
        caption += "Energies are those at which the dipole swings by itself once the field is over. "
    shown = [
        {"energy": line.energy, "height": line.cross_section, "strength": line.cross_section}
        for line in found
    ]
    drawn = _drawn([_curve("dipole", "c0", size)], "au", shown, log=True)
    return ShownSpectrum(drawn, caption + strongest_line(found), "")


def clear_maxima(size: np.ndarray) -> np.ndarray:
    """Indices of at most eight maxima of (m,) the window's side lobes cannot have made, ascending."""
    from scipy.signal import find_peaks

    at, _ = find_peaks(np.log10(size + 1e-12 * size.max()), prominence=0.5)
    at = at[size[at] > SIDE_LOBES * size.max()]
    return np.sort(at[np.argsort(size[at])[::-1][:8]])


def _curve(label: str, swatch: str, values: np.ndarray) -> dict[str, Any]:
    return {"label": label, "swatch": swatch, "values": encoded(values)}


def _drawn(
    curves: list[dict[str, Any]], unit: str, shown: list[dict[str, float]], *, log: bool
) -> dict[str, Any]:
    return {"step": RESOLUTION_EV, "log": log, "unit": unit, "curves": curves, "peaks": shown, "sticks": []}
