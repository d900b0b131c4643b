"""The potential of a nucleus of charge Z.

    point    V = −Z/r
    sphere   V = −Z (3 − r²/R²)/2R inside R, −Z/r outside
    fermi    ρ ∝ 1/(1 + exp((r − c)/a)), a = t/(4 ln 3),  c² = (5 r_rms² − 7π²a²)/3

The half-density radius c gives the root-mean-square radius up to terms in exp(−c/a).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .fermi import fermi
from .radius import edge, rms_radius

Array = NDArray[np.float64]
Nucleus = Literal["point", "sphere", "fermi"]


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
