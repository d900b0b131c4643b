"""Harmonic generation: the light that a driven dipole sends out.

    S(ω) = |∫ w(t) d²μ/dt² e^{iωt} dt|²,      w(t) = sin²(πt / T)

summed over x, y and z; w is Hann's window over the run, so that what it ends with makes no side lobes.
The acceleration is the second difference of the dipole. Burnett, Reed, Cooper and Knight, Phys. Rev. A 45,
3347 (1992).
"""

from dataclasses import dataclass, replace

import numpy as np

from ...atomic.units import EV_PER_HARTREE
from .records import DipoleRecord
from .signals import signal_of
from .spectrum import Pulse, SpectrumError, uniform

#: Points of the transform for each one of the run: zeros behind it make the curve smooth.
_PADDING = 8
#: Points of time that a run needs.
_LEAST_POINTS = 32
#: Periods of the light that a run needs.
_LEAST_PERIODS = 2.0


@dataclass(frozen=True, eq=False)
class Emission:
    """What a run sends out.

    energy: (m,) eV, uniform from 0; intensity: (m,) S, au; photon: eV, of the light that drives.
    harmonics: (n,) ∫ S dω from half an order below to half an order above orders 1, 2, …, au.
    """

    energy: np.ndarray
    intensity: np.ndarray
    photon: float
    harmonics: np.ndarray


def emission(record: DipoleRecord, highest: float) -> Emission:
    """The emission of one run up to `highest` eV.

    Raises SpectrumError where the run is too short, or no light of one frequency drives it.
    """
    signal = signal_of(record, None, pulses=True)
    if not isinstance(signal.kick, Pulse):
        raise SpectrumError(f"{record.name}: driven by a kick; harmonics are those of a pulse")
    time, dipole = uniform(signal)
    if len(time) < _LEAST_POINTS or not np.isfinite(dipole).all():
        raise SpectrumError(f"{record.name}: {len(time)} points in time make no harmonics")
    step = float(time[1] - time[0])
    _, field = uniform(replace(signal, dipole=signal.kick.size[:, None]))
    acceleration = np.diff(dipole, 2, axis=0) / step**2
    window = np.sin(np.pi * (np.arange(len(acceleration)) + 1.0) / (len(acceleration) + 1.0)) ** 2
    size = _PADDING * len(time)
    sent = step * np.fft.rfft(window[:, None] * acceleration, size, axis=0)
    omega = 2.0 * np.pi * np.fft.rfftfreq(size, step)
    intensity = np.sum(np.abs(sent) ** 2, axis=1)
    photon = _photon(omega, np.abs(np.fft.rfft(field[:, 0], size)) ** 2, record.name)
    shown = omega <= highest / EV_PER_HARTREE
    # Beyond `highest` an order is not whole.
    orders = np.arange(1, int(omega[shown][-1] / photon - 0.5) + 1)
    spacing = float(omega[1])
    harmonics = [intensity[np.abs(omega - n * photon) <= photon / 2.0].sum() * spacing for n in orders]
    energy = omega[shown] * EV_PER_HARTREE
    return Emission(energy, intensity[shown], photon * EV_PER_HARTREE, np.array(harmonics))


def _photon(omega: np.ndarray, light: np.ndarray, name: str) -> float:
    """Frequency of the strongest light, au: the top of a parabola through its logarithm."""
    k = min(int(light.argmax()), len(light) - 2)
    photon = 0.0
    if k > 0:
        left, top, right = np.log(np.maximum(light[k - 1 : k + 2], 1e-300))
        photon = float(omega[k] + omega[1] * (left - right) / (2.0 * (left - 2.0 * top + right)))
    if photon < _LEAST_PERIODS * _PADDING * omega[1]:
        raise SpectrumError(f"{name}: the field has no frequency of its own, so there are no harmonics of it")
    return photon
