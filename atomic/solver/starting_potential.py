"""A first potential from the configuration alone: Slater's shells, each with its effective charge.

    P(r)² ∝ r^(2n*) exp(−2 (Z − s) r / n*)

with the screening constants s and effective quantum numbers n* of Slater, Phys. Rev. 36, 57 (1930). It
depends on the configuration, as open d and f shells need; the cycle that starts from it needs about half the
steps of a Thomas-Fermi start.
"""
# ruff: noqa: E741 (l is the angular momentum)

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from .functionals import exchange_correlation
from .hartree import coulomb
from .mesh import Mesh
from .model import Model, Orbital

Array = NDArray[np.float64]

_EFFECTIVE_N = {1: 1.0, 2: 2.0, 3: 3.0, 4: 3.7, 5: 4.0, 6: 4.2}


def slater_potential(mesh: Mesh, z: float, orbitals: tuple[Orbital, ...], model: Model) -> Array:
    """Hartree and exchange-correlation potential (n_spin, n) of the superposed Slater shells."""
    shells: dict[tuple[int, int], float] = {}
    for o in orbitals:
        shells[o.n, o.l] = shells.get((o.n, o.l), 0.0) + o.occupation
    n_star = np.array([_EFFECTIVE_N.get(o.n, 4.4) for o in orbitals])[:, None]
    charges = np.array([max(z - _screening(o.n, o.l, shells), 0.5) for o in orbitals])
    exponent = 2 * charges[:, None] / n_star
    power = 2 * n_star + 1
    log_norm = power * np.log(exponent) - gammaln(power)
    squares = np.exp(log_norm + 2 * n_star * np.log(mesh.radius) - exponent * mesh.radius)
    spins = np.arange(2 if model.spin else 1)[:, None] == [o.spin for o in orbitals]
    node_charges = spins * np.array([o.occupation for o in orbitals]) @ squares * mesh.weight
    density = node_charges / (4 * np.pi * mesh.radius**2 * mesh.weight)
    potential = exchange_correlation(
        density, model.xc, model.use_exchange, model.use_correlation, model.exchange_light_speed
    )[2]
    return potential + coulomb(mesh) @ node_charges.sum(axis=0) if model.use_hartree else potential


def _screening(n: int, l: int, shells: dict[tuple[int, int], float]) -> float:
    """Slater's s for one electron in shell (n, l); s and p of one n form a group, d and f stand alone."""
    own = (n, l if l > 1 else 0)
    total = 0.0
    for (m, k), occupation in shells.items():
        group = (m, k if k > 1 else 0)
        if group == own:
            others = occupation - (1.0 if (m, k) == (n, l) else 0.0)
            total += (0.30 if n == 1 else 0.35) * max(others, 0.0)
        elif group < own:
            total += occupation * (0.85 if l < 2 and m == n - 1 else 1.0)
    return total
