"""The potential of a nucleus of charge Z.

    point    V = −Z/r
    sphere   V = −Z (3 − r²/R²)/2R inside R, −Z/r outside
    fermi    ρ ∝ 1/(1 + exp((r − c)/a)), a = t/(4 ln 3),  c² = (5 r_rms² − 7π²a²)/3

The half-density radius c gives the root-mean-square radius up to terms in exp(−c/a).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .radius import BOHR_PER_FM, THICKNESS_FM, edge, rms_radius

Array = NDArray[np.float64]
Nucleus = Literal["point", "sphere", "fermi"]

_WIDTH = THICKNESS_FM / (4 * np.log(3)) * BOHR_PER_FM
# Panels of one width a each, to where the density has fallen by exp(−40).
_TAIL = 40


def nuclear_potential(nucleus: Nucleus, z: float, mass_number: float, radius: Array) -> Array:
    """Potential energy of an electron, Hartree, at radii above 0 (bohr), in their shape."""
    if nucleus == "sphere":
        return uniform_sphere(z, edge(mass_number), radius)
    if nucleus == "fermi":
        return fermi(z, rms_radius(mass_number), radius)
    return -z / radius


def uniform_sphere(z: float, sphere: float, radius: Array) -> Array:
    """Of a charge spread evenly within `sphere`, bohr."""
    inside = -z / (2 * sphere) * (3 - (radius / sphere) ** 2)
    return np.where(radius < sphere, inside, -z / radius)


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
