"""How far a trajectory and its spectrum are from the reference's.

    trajectory error = RMS(μ - μ_ref) / RMS(μ_ref - μ_ref(0))
    spectrum nRMSE   = RMSE(S - S_ref) / (max S_ref - min S_ref),   0-40 eV, τ = 50 au
    overlap          = ∫ S S_ref / (∫ S² ∫ S_ref²)^½

S is the absorption spectrum after a delta kick. Where the field lasts there is none: then S is ω |μ(ω)|, μ(ω)
the damped Fourier transform of the dipole from the end of the field on, over all axes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...atomic.units import EV_PER_HARTREE
from ..estimate.statement import STILL
from ..spectra.spectrum import (
    RESOLUTION_EV,
    Kick,
    Signal,
    Spectrum,
    absorption,
    delta_kick,
    fourier_sum,
    peaks,
)

#: Highest energy (eV) and damping (au) of the spectra compared.
HIGHEST, DAMPING = 40.0, 50.0
#: A field that lasts is over where it stays below this share of its largest value.
FIELD_OVER = 1e-6
#: Strongest lines whose positions are compared.
N_PEAKS = 3


@dataclass(frozen=True, eq=False)
class Truth:
    """The reference's signal. time: (n,) au, uniform; dipole: (n, 3); kick: None where the field lasts.

    free_from: first point from which on no field acts any more.
    """

    time: np.ndarray
    dipole: np.ndarray
    kick: Kick | None
    free_from: int


@dataclass(frozen=True)
class Score:
    """How far off.

    peaks: strongest lines, eV; peak_shift: largest distance of one of the reference's from the nearest, eV.
    """

    trajectory_error: float
    spectrum_nrmse: float
    overlap: float
    peaks: tuple[float, ...]
    peak_shift: float


def make_truth(time: np.ndarray, dipole: np.ndarray, field: np.ndarray, *, magnus: bool) -> Truth:
    """From time (n,), dipole (n, 3) and applied field (n, 3); magnus: whether a step takes mean fields."""
    size = np.abs(field).max(axis=1)
    acting = np.flatnonzero(size > FIELD_OVER * size.max()) if size.any() else np.zeros(0, int)
    free_from = int(acting[-1]) + 1 if acting.size else 0
    dt = float(time[1] - time[0])
    kick = delta_kick(field, time, dt, magnus=magnus) if acting.size == 1 else None
    return Truth(time, dipole, kick, free_from)


def trajectory_error(dipole: np.ndarray, reference: np.ndarray) -> float:
    """RMS(μ - μ_ref) / RMS(μ_ref - μ_ref(0)) of (n, 3) dipoles; infinite where μ is not finite.

    A motion by rounding alone counts as `STILL`, as in the error stated.
    """
    signal = 3.0 * float(np.mean((reference - reference[0]) ** 2))
    off = 3.0 * float(np.mean((dipole - reference) ** 2))
    return math.sqrt(off / max(signal, STILL**2)) if math.isfinite(off) else math.inf


def spectrum_of(truth: Truth, dipole: np.ndarray, *, pade: bool = False) -> Spectrum | None:
    """Spectrum of the dipole (k, 3) at the truth's first k points; None where there is none to be made.

    pade: continued by a Padé approximant, as `hybrid-spectrum --pade`.
    """
    time = truth.time[: len(dipole)]
    if not np.isfinite(dipole).all() or len(dipole) - truth.free_from < 8:
        return None
    if truth.kick is not None:
        # Along the kick alone: the polarisability that a single kick gives.
        return absorption([Signal("run", time, dipole, truth.kick)], DAMPING, HIGHEST, pade=pade)
    free = dipole[truth.free_from :]
    elapsed = time[truth.free_from :] - time[truth.free_from]
    step = float(elapsed[1])
    highest = min(HIGHEST, math.pi / step * EV_PER_HARTREE)
    energy = RESOLUTION_EV * np.arange(round(highest / RESOLUTION_EV) + 1)
    damped = (free - free.mean(axis=0)) * np.exp(-elapsed / DAMPING)[:, None]
    angle = RESOLUTION_EV / EV_PER_HARTREE * step
    parts = [step * fourier_sum(damped[:, axis], angle, len(energy)) for axis in range(3)]
    modulus = np.sqrt(np.sum(np.abs(parts) ** 2, axis=0))
    # `Spectrum.cross_section` multiplies by the energy; what it gives here is ω |μ(ω)|.
    return Spectrum(energy, {"free": 1j * modulus}, DAMPING)


def spectrum_distance(spectrum: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """nRMSE and overlap of two cross-sections (m,)."""
    span = float(reference.max() - reference.min())
    nrmse = float(np.sqrt(np.mean((spectrum - reference) ** 2))) / span if span > 0.0 else math.inf
    norms = float(np.linalg.norm(spectrum) * np.linalg.norm(reference))
    return nrmse, float(spectrum @ reference) / norms if norms > 0.0 else 0.0


def strongest_peaks(spectrum: Spectrum) -> tuple[float, ...]:
    """Energies (eV) of the strongest lines, strongest first."""
    found = sorted(peaks(spectrum), key=lambda peak: -peak.cross_section)
    return tuple(peak.energy for peak in found[:N_PEAKS])


def score(truth: Truth, dipole: np.ndarray, spectrum: Spectrum | None = None) -> Score:
    """Of a dipole (n, 3) at the truth's points; spectrum: where it is not simply that dipole's."""
    error = trajectory_error(dipole, truth.dipole)
    return replace(score_spectrum(truth, spectrum or spectrum_of(truth, dipole)), trajectory_error=error)


def score_spectrum(truth: Truth, spectrum: Spectrum | None) -> Score:
    """Of a spectrum alone: the trajectory error is NaN."""
    reference = spectrum_of(truth, truth.dipole)
    if spectrum is None or reference is None:
        return Score(math.nan, math.nan, math.nan, (), math.nan)
    nrmse, overlap = spectrum_distance(spectrum.cross_section, reference.cross_section)
    lines = [peak.energy for peak in peaks(spectrum, most=50)]
    return Score(
        math.nan,
        nrmse,
        overlap,
        strongest_peaks(spectrum),
        largest_shift(strongest_peaks(reference), lines),
    )


def largest_shift(lines: Sequence[float], others: Sequence[float]) -> float:
    """Largest distance, eV, of one of `lines` from the nearest of `others`."""
    if not lines or not others:
        return math.nan
    return max(min(abs(line - other) for other in others) for line in lines)
