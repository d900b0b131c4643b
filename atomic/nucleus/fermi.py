"""Fermi's two-parameter charge distribution, ρ ∝ 1/(1 + exp((r − c)/a)), and its potential."""

import numpy as np
from numpy.typing import NDArray

from .radius import BOHR_PER_FM, THICKNESS_FM

Array = NDArray[np.float64]

_WIDTH = THICKNESS_FM / (4 * np.log(3)) * BOHR_PER_FM
# Panels of one width a each, to where the density has fallen by exp(−40).
_TAIL = 40


def fermi(z: float, rms: float, radius: Array, width: float = _WIDTH) -> Array:
    """Of Fermi's two-parameter distribution with this root-mean-square radius and width a, bohr.

    A nucleus too small for the width (c² < 0: hydrogen, helium) has c = 0.
    """
    c = np.sqrt(max(0.0, (5 * rms**2 - 7 * (np.pi * width) ** 2) / 3))
    end = c + _TAIL * width
    panels = np.linspace(0.0, end, int(np.ceil(end / width)) + 1)
    within = np.minimum(np.asarray(radius, dtype=float), end)
    enclosed, charge = _cumulative(within, panels, c, width, 2)
    inward, total = _cumulative(within, panels, c, width, 1)
    return -z / charge * (enclosed / np.asarray(radius) + total - inward)


def _cumulative(radius: Array, panels: Array, c: float, width: float, power: int) -> tuple[Array, float]:
    """∫_0^r s^power/(1 + exp((s − c)/a)) ds at each radius, and to the last panel's end."""
    x, w = np.polynomial.legendre.leggauss(16)

    def integral(low: Array, high: Array) -> Array:
        half = 0.5 * (high - low)[..., None]
        s = low[..., None] + half * (1 + x)
        return (half * w * s**power / (1 + np.exp((s - c) / width))).sum(axis=-1)

    whole = np.concatenate([[0.0], np.cumsum(integral(panels[:-1], panels[1:]))])
    index = np.clip(np.searchsorted(panels, radius, side="right") - 1, 0, len(panels) - 2)
    return whole[index] + integral(panels[index], radius), float(whole[-1])
