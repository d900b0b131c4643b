"""Spectra beside one another: their lines, what they differ by, and the mean and band of an ensemble."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .spectrum import Peak, Signal, Spectrum, SpectrumError, absorption, direction_label

#: Lines nearer than this, eV, are the same line.
SAME_LINE_EV = 0.4


@dataclass(frozen=True)
class LinePair:
    """A line of the first spectrum, and the nearest one of another; None where there is none near."""

    first: Peak
    other: Peak | None


def line_pairs(first: Spectrum, other: Spectrum) -> list[LinePair]:
    """Every line of the first with its own of the other; each of the other's serves once."""
    left = list(other.peaks)
    pairs = []
    for line in first.peaks:
        near = min(left, key=lambda one: abs(one.energy - line.energy), default=None)
        if near is None or abs(near.energy - line.energy) > SAME_LINE_EV:
            pairs.append(LinePair(line, None))
        else:
            left.remove(near)
            pairs.append(LinePair(line, near))
    return pairs


def relative_error(first: Spectrum, other: Spectrum) -> float:
    """RMSE(S - S_first) / (max S_first - min S_first) over the energies that both have."""
    n = min(len(first.energy), len(other.energy))
    one, two = first.cross_section[:n], other.cross_section[:n]
    both = np.isfinite(one) & np.isfinite(two)
    span = float(np.ptp(one[both]))
    return float(np.sqrt(np.mean((two[both] - one[both]) ** 2))) / span


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Members' spectra.

    mean: the spectrum of mean polarisabilities. band: (m,) bohr², standard deviation of the cross-section
    among members. members: how many.
    """

    mean: Spectrum
    band: np.ndarray
    members: int


def ensemble(signals: Sequence[Signal], tau: float, highest: float, sigma: float, *, pade: bool) -> Ensemble:
    """Runs of many geometries: those kicked alike are members, in order.

    Raises SpectrumError where the kicks do not make whole members, or make fewer than two.
    """
    by_direction: dict[str, list[Signal]] = {}
    for signal in signals:
        by_direction.setdefault(direction_label(signal.kick.direction), []).append(signal)
    counts = {label: len(of_it) for label, of_it in by_direction.items()}
    n = max(counts.values(), default=0)
    if n < 2 or set(counts.values()) != {n}:
        told = ", ".join(f"{count} along {label}" for label, count in counts.items()) or "no run"
        raise SpectrumError(f"an ensemble needs two members or more, each kicked alike; there are {told}")
    members = [
        absorption([of_it[k] for of_it in by_direction.values()], tau, highest, pade=pade, sigma=sigma)
        for k in range(n)
    ]
    m = min(len(member.energy) for member in members)
    sections = np.array([member.cross_section[:m] for member in members])
    mean = {
        label: np.mean([member.polarisability[label][:m] for member in members], axis=0)
        for label in by_direction
    }
    first = members[0]
    return Ensemble(Spectrum(first.energy[:m], mean, tau, sigma), sections.std(axis=0, ddof=1), n)
