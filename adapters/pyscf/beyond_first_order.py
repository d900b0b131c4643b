"""What the exchange-correlation functional adds beyond its first order about a density P0.

    δV = V[P0 + δP] - V[P0] - f_xc[P0] δρ,   δE = E[P0 + δP] - E[P0] - Tr V[P0] δP - ½ δρ f_xc[P0] δρ

Nothing here is the difference of two matrices: all of it is formed at the points, from what changes there.
In a density's far tail f_xc is so large that the first order says nothing: there the whole change is taken,

    δV = V[P0 + δP] - V[P0],   δE = E[P0 + δP] - E[P0] - Tr V[P0] δP
"""

from dataclasses import dataclass, replace

import numpy as np

from .quadrature import Quadrature, density_change, energy_and_potential, kernel_at, potential_matrix

#: Points of several densities that are evaluated at once.
_POINTS = 20000


@dataclass(frozen=True, eq=False)
class BeyondFirstOrder:
    """A quadrature and the functional at P0 on it.

    rho, potential: ρ0 and v0, (n_spin, n_variables, n_grid).
    energy: energy density a volume, (n_grid,).
    kernel: f_xc, (n_spin, n_variables, n_spin, n_variables, n_grid); None: the whole change is meant.
    """

    quadrature: Quadrature
    rho: np.ndarray
    energy: np.ndarray
    potential: np.ndarray
    kernel: np.ndarray | None


def beyond_first_order(
    quadrature: Quadrature, density: np.ndarray, *, whole: bool = False
) -> BeyondFirstOrder:
    """At a real P0, (n_spin, n, n), AO basis; whole: the first order is left in."""
    rho = density_change(quadrature, density)
    energy, potential = energy_and_potential(quadrature.xc, rho)
    kernel = None if whole else kernel_at(quadrature.xc, rho)
    return BeyondFirstOrder(quadrature, rho, energy, potential, kernel)


def potential_beyond(part: BeyondFirstOrder, moved: np.ndarray) -> np.ndarray:
    """δv at the points, (n_spin, n_variables, n_grid), for δρ there, of that shape."""
    potential = energy_and_potential(part.quadrature.xc, part.rho + moved)[1]
    potential -= part.potential
    if part.kernel is not None:
        potential -= _first_order(part.kernel, moved)
    return potential


def matrix_beyond(part: BeyondFirstOrder, change: np.ndarray) -> np.ndarray:
    """δV for a real symmetric δP, both (n_spin, n, n), AO basis, Hartree.

    Cost: 4 n_spin n² n_grid single-precision flops and libxc at every point.
    """
    potential = potential_beyond(part, density_change(part.quadrature, change))
    potential *= part.quadrature.weights
    return potential_matrix(part.quadrature, potential)


def matrices_beyond(part: BeyondFirstOrder, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`matrix_beyond` without the first order, and with it."""
    moved = density_change(part.quadrature, change)
    whole = potential_beyond(replace(part, kernel=None), moved)
    beyond = whole if part.kernel is None else whole - _first_order(part.kernel, moved)
    weights = part.quadrature.weights
    without, with_it = (potential_matrix(part.quadrature, v * weights) for v in (beyond, whole))
    return without, with_it


def energies_beyond(part: BeyondFirstOrder, changes: np.ndarray) -> np.ndarray:
    """δE (k,), Hartree, for k real symmetric δP, (k, n_spin, n, n), AO basis."""
    weights = part.quadrature.weights
    at_once = max(1, _POINTS // weights.size)
    found = [_some_energies(part, changes[k : k + at_once]) for k in range(0, len(changes), at_once)]
    return np.concatenate(found) @ weights if found else np.zeros(0)


def _first_order(kernel: np.ndarray, moved: np.ndarray) -> np.ndarray:
    return np.einsum("stuvg,uvg->stg", kernel, moved)


def _some_energies(part: BeyondFirstOrder, changes: np.ndarray) -> np.ndarray:
    """Energy density beyond second order at the points, (k, n_grid)."""
    k, (n_spin, n_variables, n_grid) = len(changes), part.rho.shape
    moved = density_change(part.quadrature, changes.reshape(k * n_spin, *changes.shape[2:]))
    moved = moved.reshape(k, n_spin, n_variables, n_grid)
    rho = (part.rho + moved).transpose(1, 2, 0, 3).reshape(n_spin, n_variables, k * n_grid)
    energy = energy_and_potential(part.quadrature.xc, rho)[0].reshape(k, n_grid)
    energy -= part.energy + np.einsum("stg,kstg->kg", part.potential, moved)
    if part.kernel is not None:
        energy -= 0.5 * np.einsum("kstg,stuvg,kuvg->kg", moved, part.kernel, moved, optimize=True)
    return energy
