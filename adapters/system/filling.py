"""How an SCF fills its orbitals where that is not one by one: NWChem's `smear`, `fon` and `occup`.

smear:  n_i = w/2 erfc(x_i),  x_i = (ε_i - μ)/σ,  and the free energy has  -TS = -σ w/(2 √π) Σ exp(-x_i²)

with w = 2 in a closed shell and 1 in an open one, where each spin keeps its own number of electrons.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Filling:
    """smear: σ, Hartree, 0 without.

    occupations: by spin, from the lowest orbital on, at every iteration; empty where σ tells them.
    """

    smear: float = 0.0
    occupations: tuple[tuple[float, ...], ...] = ()


def smearing_energy(occupations: np.ndarray, sigma: float) -> float:
    """-TS (Hartree) of occupations (n_spin, m)."""
    # Every deck is read by this module's types, before anything that takes long to import.
    from scipy.special import erfcinv

    full = 2.0 / len(occupations)
    x = erfcinv(np.clip(2.0 * occupations / full, 0.0, 2.0))
    return -sigma * full / (2.0 * np.sqrt(np.pi)) * float(np.exp(-(x**2)).sum())
