"""Linear response of a spherical atom: how density, potential and orbital energies follow a change.

    X(i, j) = Σ_n 2 f_n c_n(i) [Σ_{m≠n} c_m(i) c_m(j) / (ε_n − ε_m)] c_n(j)     of independent electrons
    K = coulomb + f_xc                     the kernel of Hartree and exchange-correlation potential
    δV = (1 − K X)⁻¹ δV_bare               the self-consistent change of potential

in node charges, block-diagonal in spin for X. The first line also makes a Newton step of the self-consistent
cycle, the last gives ∂ε_i/∂f_j, the curvature of the energy in the occupations (Janak, Phys. Rev. B 18, 7165
(1978)).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, lu_factor, lu_solve

from .eigenstates import RadialProblem, States, channel_matrices
from .functionals import exchange_correlation
from .hartree import coulomb
from .mesh import Mesh
from .model import Model

Array = NDArray[np.float64]

# Kernels are evaluated no lower than this density (bohr⁻³); below it no orbital responds measurably.
_THIN = 1e-14


def susceptibility(
    problem: RadialProblem, states: States, potential: Array, *, shared: bool = False
) -> Array:
    """X, (n_spin, n, n), negative definite. For Dirac orbitals the small component's part is left out.

    shared: one diagonalisation for each channel of a relativistic equation instead of one for each orbital;
    close enough to steer the self-consistent cycle.
    """
    orbitals, n = problem.orbitals, len(problem.mesh.radius)
    response = np.zeros((len(potential), n, n))
    occupied = [i for i, o in enumerate(orbitals) if o.occupation > 0]
    for members, matrix in channel_matrices(problem, states.energies, potential, shared=shared):
        filled = [i for i in members if i in occupied]
        if not filled:
            continue
        levels, vectors = eigh(matrix, overwrite_a=True, check_finite=False)
        for i in filled:
            orbital = orbitals[i]
            k = orbital.n - orbital.l - 1
            gap = levels[k] - levels
            gap[k] = np.inf
            own = vectors[:, k]
            resolvent = (vectors / gap) @ vectors.T
            response[orbital.spin] += 2 * orbital.occupation * own[:, None] * resolvent * own
    return response


def interaction_kernel(mesh: Mesh, node_charges: Array, model: Model) -> Array:
    """K, (n_spin, n, n_spin, n): δV at nodes for δ(node charges).

    f_xc is the central difference of the potential, so every functional has one (relative error 1e-9).
    """
    n_spin, n = node_charges.shape
    kernel = np.zeros((n_spin, n, n_spin, n))
    if model.use_hartree:
        kernel += coulomb(mesh)[None, :, None, :]
    volume = 4 * np.pi * mesh.radius**2 * mesh.weight
    density = np.maximum(node_charges / volume, _THIN)
    nodes = np.arange(n)
    for spin in range(n_spin):
        step = np.zeros_like(density)
        step[spin] = 1e-5 * density[spin]
        above, below = (_xc_potential(density + s * step, model) for s in (1, -1))
        kernel[:, nodes, spin, nodes] += ((above - below) / (2 * step[spin]) / volume).T.reshape(n, n_spin).T
    return kernel


def dielectric_solver(chi: Array, kernel: Array) -> Callable[[Array], Array]:
    """The map δV_bare ↦ (1 − K X)⁻¹ δV_bare, both (n_spin, n)."""
    n_spin, n = chi.shape[:2]
    screening = np.concatenate([kernel[:, :, s, :].reshape(-1, n) @ chi[s] for s in range(n_spin)], axis=1)
    factors = lu_factor(np.eye(n_spin * n) - screening, overwrite_a=True, check_finite=False)
    return lambda change: lu_solve(factors, change.ravel(), check_finite=False).reshape(n_spin, n)


def occupation_jacobian(
    problem: RadialProblem, states: States, potential: Array, node_charges: Array
) -> Array:
    """∂ε_i/∂f_j at self-consistency, (S, S), Hartree:
    symmetric, the second derivative of E in the occupations.
    """
    orbitals = problem.orbitals
    chi = susceptibility(problem, states, potential)
    kernel = interaction_kernel(problem.mesh, node_charges, problem.model)
    solve = dielectric_solver(chi, kernel)
    spin_of = [o.spin for o in orbitals]
    jacobian = np.empty((len(orbitals), len(orbitals)))
    for j, orbital in enumerate(orbitals):
        change = solve(kernel[:, :, orbital.spin, :] @ states.charges[j])
        jacobian[:, j] = np.einsum("si,si->s", states.charges, change[spin_of])
    return jacobian


def _xc_potential(density: Array, model: Model) -> Array:
    return exchange_correlation(
        density, model.xc, model.use_exchange, model.use_correlation, model.exchange_light_speed
    )[2]
