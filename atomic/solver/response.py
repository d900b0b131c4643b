"""Linear response of a spherical atom: how density, potential and orbital energies follow a change.

    X(i, j) = Σ_n 2 f_n c_n(i) [Σ_{m≠n} c_m(i) c_m(j) / (ε_n − ε_m)] c_n(j)     of independent electrons
    K = coulomb + f_xc                     the kernel of Hartree and exchange-correlation potential
    δV = (1 − K X)⁻¹ δV_bare               the self-consistent change of potential

in node charges, block-diagonal in spin for X. The first line also makes a Newton step of the self-consistent
cycle, the last gives ∂ε_i/∂f_j, the curvature of the energy in the occupations (Janak, Phys. Rev. B 18, 7165
(1978)).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve

from .eigenstates import RadialProblem, States, element_blocks
from .elimination import eliminate
from .functionals import exchange_correlation
from .hartree import coulomb
from .mesh import Mesh
from .model import Model

Array = NDArray[np.float64]

# Kernels are evaluated no lower than this density (bohr⁻³); below it no orbital responds measurably.
_THIN = 1e-14
# How far from ε the resolvent is taken, as a share of |ε| or of 1 Ha; the singular part is projected out. The
# mean over both sides is wrong by (share/gap)², one side by share/gap; a smaller share loses more digits.
_NEARBY, _ONE_SIDE = 1e-5, 1e-7


def susceptibility(problem: RadialProblem, states: States, potential: Array, *, rough: bool = False) -> Array:
    """X, (n_spin, n, n), negative definite. For Dirac orbitals the small component's part is left out.

    rough: half the work, close enough to steer the self-consistent cycle.
    """
    held = [i for i, o in enumerate(problem.orbitals) if o.occupation > 0]
    chosen = replace(problem, orbitals=tuple(problem.orbitals[i] for i in held))
    energies = states.energies[held]
    vectors = states.vectors[held] / np.linalg.norm(states.vectors[held], axis=1, keepdims=True)
    blocks = element_blocks(chosen, energies, potential)
    nearby = (_ONE_SIDE if rough else _NEARBY) * np.maximum(1.0, np.abs(energies))
    sides = (1.0,) if rough else (1.0, -1.0)
    found = np.mean(
        [_shifted_response(chosen, blocks, energies + s * nearby, vectors) for s in sides], axis=0
    )
    # Rounding, enlarged by the inverse of the share, is not symmetric.
    return found if rough else 0.5 * (found + np.swapaxes(found, 1, 2))


def _shifted_response(problem: RadialProblem, blocks: Array, shifts: Array, vectors: Array) -> Array:
    """X with (ε − H)⁻¹ of other states taken at `shifts` instead of ε: −Q (H − shift)⁻¹ Q, Q = 1 − c cᵀ.

    The inverse is W T Wᵀ + blocks (`elimination`), so X is one product of tall matrices for each spin.
    """
    eliminated = eliminate(blocks, shifts)
    follow, inner = eliminated.response_factors()
    count, elements, size, _ = eliminated.edges.shape
    own = np.zeros((count, elements, size + 1))
    own.reshape(count, -1)[:, :-1] = vectors
    applied = np.zeros_like(own)
    applied[..., :-1] = np.einsum("seij,sej->sei", eliminated.inverse, own[..., :-1])
    through = follow @ (inner @ (np.swapaxes(follow, 1, 2) @ vectors[..., None]))
    moved = applied.reshape(count, -1)[:, :-1] + through[..., 0]
    moved -= 0.5 * np.sum(vectors * moved, axis=1, keepdims=True) * vectors
    factors = np.array([2 * o.occupation for o in problem.orbitals])
    spins = np.array([o.spin for o in problem.orbitals])
    n_spin = 2 if problem.model.spin else 1
    n = vectors.shape[1]
    response = np.empty((n_spin, n, n))
    for spin in range(n_spin):
        of = spins == spin
        c, f = vectors[of], factors[of]
        tall = c[:, :, None] * follow[of]
        left = np.swapaxes(tall @ (inner[of] * f[:, None, None]), 0, 1).reshape(n, -1)
        square, across = c * c, c * moved[of]
        block = left @ np.swapaxes(tall, 0, 1).reshape(n, -1).T
        correction = (f[:, None] * across).T @ square
        response[spin] = correction + correction.T - block
        local = np.einsum(
            "s,sei,seij,sej->eij", f, own[of][..., :-1], eliminated.inverse[of], own[of][..., :-1]
        )
        for e in range(elements):
            window = slice(e * (size + 1), e * (size + 1) + size)
            response[spin, window, window] -= local[e]
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
