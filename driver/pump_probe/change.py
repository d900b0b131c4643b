"""The map of a pump and its probes: S(ω, τ) = (4πω/3c) Im δμ(ω)/E(ω), and its change, ΔS = S - S₀.

δμ: of pump and probe together without that of the pump alone. S₀: of the same probe without a pump.
Both are of light along the probe, and count time from where the probe begins (`spectra.spectrum`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...adapters.system.real_time import applied_field
from ..spectra.records import DipoleRecord
from ..spectra.signals import signal_of
from ..spectra.spectrum import absorption
from .plan import PumpPlan
from .trajectories import Probed

#: Of the energies of a spectrum, every so many are kept: 0.05 eV, a tenth of a line's width and less.
EVERY = 5


@dataclass(frozen=True, eq=False)
class PumpProbeMap:
    """d delays and m energies.

    delays: (d,) au. energy: (m,) eV.
    absorption: (d, m) S(ω, τ), bohr².
    without_pump: (m,) S₀(ω), bohr².
    error: (d,) stated error of each δμ, relative; change_error: (d,) of δμ less that without a pump.
    time: (k,) au from where the probe begins. signal: (d, k, 3) δμ, au; signal_without_pump: (k, 3).
    """

    delays: np.ndarray
    energy: np.ndarray
    absorption: np.ndarray
    without_pump: np.ndarray
    error: np.ndarray
    change_error: np.ndarray
    time: np.ndarray
    signal: np.ndarray
    signal_without_pump: np.ndarray

    @property
    def change(self) -> np.ndarray:
        """(d, m) ΔS(ω, τ), bohr²."""
        return self.absorption - self.without_pump


def make_map(
    plan: PumpPlan, alone: Probed, probes: Sequence[Probed], tau: float, highest: float
) -> PumpProbeMap:
    """The map, damped with tau (au), up to `highest` eV. Raises SpectrumError."""
    empty = np.zeros(0)
    found = PumpProbeMap(
        plan.delays,
        empty,
        empty,
        empty,
        np.array([one.error for one in probes]),
        np.array([_change_error(one, alone) for one in probes]),
        plan.task.real_time.dt * np.arange(plan.n_window + 1),
        np.array([one.signal for one in probes]),
        alone.signal,
    )
    return with_spectra(found, plan, tau, highest)


def with_spectra(found: PumpProbeMap, plan: PumpPlan, tau: float, highest: float) -> PumpProbeMap:
    """The map of the same signals, damped with tau (au), up to `highest` eV. Raises SpectrumError."""
    dt, time = plan.task.real_time.dt, found.time
    field = np.array([applied_field(plan.alone.real_time, t) for t in time])

    def section(signal: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        record = DipoleRecord(name, "", "", time, signal, field, None, dt, True, None)
        spectrum = absorption([signal_of(record, None, pulses=True)], tau, highest)
        return spectrum.energy[::EVERY], spectrum.cross_section[::EVERY]

    energy, without = section(found.signal_without_pump, "probe without a pump")
    sections = [
        section(signal, f"delay {delay:g}")[1]
        for delay, signal in zip(found.delays, found.signal, strict=True)
    ]
    return replace(found, energy=energy, absorption=np.array(sections), without_pump=without)


def _change_error(one: Probed, alone: Probed) -> float:
    """Stated error of what the pump has changed: that two errors cancel, no shadow can promise."""
    size = float(np.linalg.norm(one.signal - alone.signal))
    if not size:
        return np.inf
    first, second = (each.error * float(np.linalg.norm(each.signal)) for each in (one, alone))
    return float(np.hypot(first, second)) / size
