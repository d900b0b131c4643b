"""Electronic circular dichroism: rotatory strengths from the magnetic dipole after kicks along x, y and z.

A kick along j of impulse κ turns every state by exp(-iκ r_j), so that with μ = -r and m = -L/2

    Σ_j m_j^(j)(t) = 2κ g(ω) Σ_n R_n cos ω_n(t − t₀),      R_n = Im ⟨0|μ|n⟩·⟨n|m|0⟩

Frequencies are those of the absorption lines' fit; R_n follows by linear least squares. The trace is that of
the tensor m_i^(j), so kicks may lie along any three independent directions. In a finite basis R_n depends on
the origin, here that of the coordinates, but for molecules without a transition dipole.
Yabana and Bertsch, Phys. Rev. A 60, 1271 (1999); Varsano et al., Phys. Chem. Chem. Phys. 11, 4481 (2009).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...atomic.units import EV_PER_HARTREE
from .band import Band, band
from .line_fit import SAME, common_points
from .lines import KickedRun, absorption_lines, fit_runs
from .spectrum import SpectrumError, kick_of

#: esu² cm² × 1e-40 in an atomic unit of μ·m: (e a₀)(eħ/mₑ), CODATA 2022.
CGS = 471.4436


@dataclass(frozen=True)
class RotatoryLine:
    """A line of the circular dichroism.

    energy: eV; strength: oscillator strength; rotatory: R, 1e-40 esu² cm²; uncertainty: the most that what
    the lines leave of the signal can change R.
    """

    energy: float
    strength: float
    rotatory: float
    uncertainty: float


def rotatory_lines(runs: Sequence[KickedRun], highest: float) -> list[RotatoryLine]:
    """The absorption lines up to `highest` eV with their rotatory strengths, ascending.

    Raises SpectrumError where kicks do not span space, or a run has no magnetic dipole.
    """
    signals = [run.signal for run in runs]
    directions = np.stack([kick_of(signal).direction for signal in signals])
    if np.linalg.matrix_rank(directions, 1e-3) < 3:
        raise SpectrumError("circular dichroism needs kicks along x, y and z: three runs")
    moments = []
    for signal in signals:
        if signal.magnetic is None:
            raise SpectrumError(
                f"{signal.name}: no magnetic dipole; a run's .h5 file has it, a log with `print magnetic`"
            )
        moments.append(replace(signal, dipole=signal.magnetic))
    edge = highest / EV_PER_HARTREE
    fit = fit_runs(runs, edge)
    points, raw = common_points(moments)
    window = band(points, kick_of(signals[0]).centre, edge)
    # (T,): the trace of the tensor that takes a kick to the moment.
    trace = np.einsum("txj,jx->t", raw, np.linalg.pinv(directions.T))
    width = SAME * np.pi / fit.span
    omega = fit.omega[np.append(True, np.diff(fit.omega) > width)] if len(fit.omega) else fit.omega
    kicks = np.mean([kick_of(signal).window(omega) for signal in signals], axis=0)
    found, reach = _cosines(window, trace, omega)
    factor = 2.0 * kicks * window.gain(omega)
    lines = []
    for line in absorption_lines(runs, highest):
        n = int(np.abs(omega * EV_PER_HARTREE - line.energy).argmin())
        size = CGS / factor[n]
        lines.append(RotatoryLine(line.energy, line.strength, found[n] * size, abs(reach[n] * size)))
    return lines


def _cosines(window: Band, trace: np.ndarray, omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes (r,) of cosines in a signal (T,), and the most that the rest can change them."""
    samples = window.filtered(trace[:, None], odd=False)[:, 0]
    design = np.cos(np.outer(window.since, omega))
    inverse = np.linalg.pinv(design)
    found = inverse @ samples
    left = np.linalg.norm(samples - design @ found)
    return found, np.linalg.norm(inverse, axis=1) * left
