"""Superposition of atomic densities and of atomic potentials: where a molecule starts.

    n(r) = Σ_A n_A(|r − R_A|)                                    superposition of atomic densities
    V(r) = Σ_A [−Z_A/|r − R_A| + V_H,A + v_xc,A]                 superposition of atomic potentials

The potentials go to zero far away faster than any charge's, so V is a good first effective potential by
itself: Lehtola, J. Chem. Theory Comput. 15, 1593 (2019). Both are plain numbers at points; the caller
projects them on its basis and grid.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .solver.errors import InputError
from .solver.mesh import Mesh, lobatto
from .solver.model import Model
from .solver.scf import Solution, solve_atom

Array = NDArray[np.float64]


def superposed_density(
    charges: ArrayLike, positions: ArrayLike, points: ArrayLike, model: Model | None = None
) -> Array:
    """Electron density (n_spin, n) in bohr⁻³ of the neutral, spherical atoms put side by side.

    charges: (A,) atomic numbers. positions: (A, 3), points: (n, 3), bohr. model: LDA by default; with spin,
    every atom's majority spin is up. Raises InputError for arrays that do not fit together.
    """
    return _superposed(charges, positions, points, model or Model(), _density_at)


def superposed_potential(
    charges: ArrayLike, positions: ArrayLike, points: ArrayLike, model: Model | None = None
) -> Array:
    """Effective potential (n_spin, n) in Hartree, nuclei included, of the neutral atoms put side by side.

    Arguments as for `superposed_density`. At a nucleus it is −inf.
    """
    return _superposed(charges, positions, points, model or Model(), _potential_at)


def radial_table(z: int, radii: ArrayLike, model: Model | None = None) -> tuple[Array, Array]:
    """n (n_spin, n) and the full potential (n_spin, n) of one neutral atom at given radii (bohr)."""
    atom = _atom(z, model or Model())
    r = np.asarray(radii, dtype=float)
    return _density_at(atom, r), _potential_at(atom, r)


def evaluate(mesh: Mesh, values: Array, r: Array, at_end: float = 0.0) -> Array:
    """Values at any radii of a function given at the mesh nodes (n,), by each element's polynomial in s =
    r^(1/m).

    Below the first node the function is continued by that element's polynomial through the other nodes; at
    r_max and beyond it is `at_end`.
    """
    s_nodes = mesh.element_radius ** (1 / mesh.power)
    s = np.asarray(r, dtype=float) ** (1 / mesh.power)
    element = np.clip(np.searchsorted(s_nodes[:, 0], s, side="right") - 1, 0, len(s_nodes) - 1)
    padded = np.concatenate([[0.0], values, [at_end]])
    p = mesh.order
    local = padded[element[:, None] * p + np.arange(p + 1)]
    low, high = s_nodes[element, 0], s_nodes[element, -1]
    x = 2 * (s - low) / (high - low) - 1
    nodes, weights = _barycentric(p)
    inner_nodes, inner_weights = _barycentric(p, skip_first=True)
    result = _interpolate(nodes, weights, local, x)
    first = element == 0
    if first.any():
        result[first] = _interpolate(inner_nodes, inner_weights, local[first, 1:], x[first])
    return np.where(s > s_nodes[-1, -1], at_end, result)


def _superposed(
    charges: ArrayLike,
    positions: ArrayLike,
    points: ArrayLike,
    model: Model,
    of_atom: Callable[[Solution, Array], Array],
) -> Array:
    z = np.atleast_1d(np.asarray(charges, dtype=int))
    centres, where = np.asarray(positions, dtype=float), np.asarray(points, dtype=float)
    if z.ndim != 1 or centres.shape != (len(z), 3) or where.ndim != 2 or where.shape[1] != 3:
        raise InputError(
            f"charges (A,), positions (A, 3) and points (n, 3) are needed, "
            f"not {z.shape}, {centres.shape}, {where.shape}"
        )
    total = np.zeros((2 if model.spin else 1, len(where)))
    for number, centre in zip(z, centres, strict=True):
        total += of_atom(_atom(int(number), model), np.linalg.norm(where - centre, axis=1))
    return total


def _density_at(atom: Solution, r: Array) -> Array:
    # At a point nucleus a relativistic density is infinite, and no polynomial follows it; r²n is smooth.
    power = 2 if atom.mesh.power > 1 else 0
    at = np.maximum(r, atom.mesh.radius[0]) if power else np.asarray(r, dtype=float)
    weighted = [evaluate(atom.mesh, n * atom.mesh.radius**power, at) for n in atom.density]
    return np.stack([np.maximum(one, 0.0) / at**power for one in weighted])


def _potential_at(atom: Solution, r: Array) -> Array:
    """−Z/r plus the electrons' potential; nothing beyond r_max, where a neutral atom is not felt."""
    at_end = float(atom.node_charges.sum()) / atom.mesh.r_max
    screened = np.stack([evaluate(atom.mesh, v, r, at_end) for v in atom.potential])
    with np.errstate(divide="ignore"):
        return np.where(r > atom.mesh.r_max, 0.0, screened - atom.z / r)


@lru_cache(maxsize=256)
def _atom(z: int, model: Model) -> Solution:
    return solve_atom(z, model=model)


@lru_cache(maxsize=32)
def _barycentric(order: int, skip_first: bool = False) -> tuple[Array, Array]:
    x = lobatto(order)[0][1 if skip_first else 0 :].astype(np.float64)
    gap = x[:, None] - x[None, :] + np.eye(len(x))
    return x, 1 / np.prod(gap, axis=1)


def _interpolate(nodes: Array, weights: Array, values: Array, x: Array) -> Array:
    """Barycentric Lagrange interpolation, one row of values for each x."""
    distance = x[:, None] - nodes
    hit = np.abs(distance) < 1e-14
    factors = weights / np.where(hit, 1.0, distance)
    result = np.einsum("ij,ij->i", factors, values) / factors.sum(axis=1)
    rows, columns = np.nonzero(hit)
    result[rows] = values[rows, columns]
    return result
