"""Bound states of the radial equations in a given potential, on a spectral mesh.

One weak form serves the three equations, with M(r) = 1 + (ε − V)/2c² and P the (large) radial component:

    ∫ (P' + κP/r)(v' + κv/r)/2M dr + ∫ [V + λ/(2M r²)] P v dr = ε ∫ P v dr      for every v

    Schrödinger           M = 1, κ = 0, λ = l(l+1)
    scalar-relativistic   κ = −1, λ = l(l+1): Koelling and Harmon, J. Phys. C 10, 3107 (1977), P normalised
    Dirac                 λ = 0, the orbital's κ; Q = (P' + κP/r)/(2Mc), eliminated without approximation

With M the problem depends on ε. For fixed ε inside M it is an ordinary symmetric one whose k-th eigenvalue
falls as ε rises, so there are no spurious states, and a Newton step on the Rayleigh quotient updates ε.

The diagonalisation carries an absolute rounding error of 1e-16 times the largest eigenvalue (1e9 Ha and more
for heavy atoms); the Rayleigh quotient of its vectors, formed from derivatives, is correct to the square of
that.
"""
# ruff: noqa: E741 (l is the angular momentum)

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_lapack_funcs

from .elimination import solve_shifted
from .errors import ConvergenceError
from .mesh import Mesh, assemble, charges, on_basis, on_elements, spread
from .model import Model, Orbital

Array = NDArray[np.float64]

(_syevr,) = get_lapack_funcs(("syevr",), dtype=np.float64)
# Lobes of P below this share of the largest are not counted.
_LOBE = 1e-6


@dataclass(frozen=True, eq=False)
class States:
    """Solutions for S orbitals in a given order.

    energies: (S,) Hartree. vectors: (S, n) basis vectors of P. charges: (S, n) node charges, each summing to
    1.
    small: (S, E, p+1) the Dirac small component Q on the elements, None for the other equations.
    """

    energies: Array
    vectors: Array
    charges: Array
    small: Array | None = None


def bound_states(
    mesh: Mesh,
    orbitals: tuple[Orbital, ...],
    potential: Array,
    z: float,
    model: Model,
    start: Array | None = None,
) -> States:
    """Every orbital's state in the local potential −z/r + potential, by diagonalisation: number n − l of its
    channel.

    potential: (n_spin, n) at the mesh nodes. start: (S,) energies to put into M, None for a hydrogenic guess.
    The relativistic states of a channel are diagonalised with one M, then refined with their own: twice, or
    once where energies are given, which is enough for a cycle to go on.
    """
    relativistic = model.relativity != "none"
    operator = _operator(mesh, orbitals, potential, z, model)
    energies = np.zeros(len(orbitals)) if start is None else start
    if relativistic and start is None:
        c = model.speed_of_light
        energies = np.array([-(z**2) / (2 * o.n**2) / np.sqrt(1 + (z / c) ** 2) for o in orbitals])
    vectors = np.empty((len(orbitals), len(mesh.radius)))
    problem = RadialProblem(z, model, mesh, orbitals)
    for members, matrix in channel_matrices(problem, energies, potential, shared=True):
        numbers = np.array([orbitals[i].n - orbitals[i].l for i in members])
        vectors[members] = _lowest(matrix, numbers.min(), numbers.max())[:, numbers - numbers.min()].T
    states = operator.finish(vectors, energies)
    for _ in range((2 if start is None else 1) if relativistic else 0):
        states = refine(mesh, orbitals, potential, z, model, states)
    return states


def refine(
    mesh: Mesh, orbitals: tuple[Orbital, ...], potential: Array, z: float, model: Model, states: States
) -> States:
    """States in a slightly different potential: one Rayleigh quotient iteration from the old ones, cubic in
    the change.

    Cheaper than diagonalising, and free of its rounding error. `in_order` tells whether it kept the states.
    """
    operator = _operator(mesh, orbitals, potential, z, model)
    energies = operator.finish(states.vectors, states.energies).energies
    blocks = operator.blocks(energies)
    try:
        vectors = solve_shifted(blocks, energies, states.vectors)
    except np.linalg.LinAlgError:  # An energy that is exact to the last digit.
        vectors = solve_shifted(blocks, energies - 1e-12 * (1 + np.abs(energies)), states.vectors)
    norms = np.sqrt(np.einsum("si,si->s", vectors, vectors))
    return operator.finish(vectors / norms[:, None], energies)


def in_order(problem: "RadialProblem", states: States) -> bool:
    """Whether each orbital's P has n − l − 1 nodes, as its channel's eigenvector of that number has."""
    values = states.vectors * problem.mesh.inverse_root_weight
    lobes = np.abs(values) > _LOBE * np.abs(values).max(axis=1, keepdims=True)
    last = np.maximum.accumulate(np.where(lobes, np.arange(values.shape[1]), 0), axis=1)
    signs = np.take_along_axis(values > 0, last, axis=1)
    started = np.maximum.accumulate(lobes, axis=1)[:, :-1]
    nodes = ((signs[:, 1:] != signs[:, :-1]) & started).sum(axis=1)
    return bool(np.all(nodes == [o.n - o.l - 1 for o in problem.orbitals]))


@dataclass(frozen=True, eq=False)
class RadialProblem:
    """The equations of one atom, but for its potential.

    z: nuclear charge.
    model: equation and functional.
    mesh: nodes.
    orbitals: those solved for.
    """

    z: float
    model: Model
    mesh: Mesh
    orbitals: tuple[Orbital, ...]


def channel_matrices(
    problem: RadialProblem, energies: Array, potential: Array, *, shared: bool = False
) -> Iterator[tuple[list[int], Array]]:
    """Symmetric matrices (n, n) and the orbitals (indices) that are eigenvectors of each, at these energies
    in M.

    Schrödinger: one for each spin and l. Otherwise one for each orbital, or, when `shared`, one for each
    spin, l and
    j with the highest of its energies in M: an approximation for the deeper orbitals.
    """
    z, model, mesh, orbitals = problem.z, problem.model, problem.mesh, problem.orbitals
    channels: dict[tuple[int, int, float], list[int]] = {}
    for i, o in enumerate(orbitals):
        channels.setdefault((o.spin, o.l, o.j or 0.0), []).append(i)
    if model.relativity == "none":
        nuclear = model.nuclear_potential(z, mesh.radius)
        for (spin, l, _), members in channels.items():
            matrix = mesh.kinetic.copy()
            barrier = l * (l + 1) / (2 * mesh.radius**2)
            np.einsum("ii->i", matrix)[:] += potential[spin] + nuclear + barrier
            yield members, matrix
        return
    groups = list(channels.values()) if shared else [[i] for i in range(len(orbitals))]
    chosen = [max(members, key=lambda i: energies[i]) for members in groups]
    operator = _operator(mesh, tuple(orbitals[i] for i in chosen), potential, z, model)
    assert isinstance(operator, _LargeComponent)
    yield from zip(groups, operator.matrices(energies[chosen]), strict=True)


def element_blocks(problem: RadialProblem, energies: Array, potential: Array) -> Array:
    """(S, E, p+1, p+1) of the orbitals, as `elimination` takes them, with these energies in M."""
    of = (problem.mesh, problem.orbitals, potential, problem.z, problem.model)
    return _operator(*of).blocks(energies)


class _Schroedinger:
    """−½ d²/dr² + l(l+1)/2r² + V."""

    def __init__(
        self, mesh: Mesh, orbitals: tuple[Orbital, ...], potential: Array, z: float, model: Model
    ) -> None:
        self.mesh = mesh
        barrier = np.array([0.5 * o.l * (o.l + 1) for o in orbitals])
        self.local = (
            potential[[o.spin for o in orbitals]]
            + model.nuclear_potential(z, mesh.radius)
            + barrier[:, None] / mesh.radius**2
        )

    def blocks(self, _: Array) -> Array:
        """(S, E, p+1, p+1) as `solve_shifted` takes them."""
        mesh = self.mesh
        count, (elements, nodes) = len(self.local), mesh.element_radius.shape
        blocks = np.repeat(mesh.kinetic_elements[None], count, axis=0)
        local = np.zeros((count, elements, nodes - 1))
        local.reshape(count, -1)[:, 1:] = self.local
        np.einsum("seii->sei", blocks)[..., :-1] += local
        return blocks

    def finish(self, vectors: Array, energies: Array) -> States:
        """Rayleigh quotients of normalised vectors."""
        mesh, weights = self.mesh, vectors**2
        slopes = _slopes(mesh, on_elements(mesh, vectors))
        kinetic = 0.5 * np.einsum("sek,ek->s", slopes**2, mesh.element_weight / mesh.stretch)
        return States(kinetic + np.einsum("si,si->s", weights, self.local), vectors, weights)


def _operator(
    mesh: Mesh, orbitals: tuple[Orbital, ...], potential: Array, z: float, model: Model
) -> "_Schroedinger | _LargeComponent":
    if model.relativity == "none":
        return _Schroedinger(mesh, orbitals, potential, z, model)
    return _LargeComponent(mesh, orbitals, potential, z, model)


class _LargeComponent:
    """The ε-dependent operator of all orbitals, element by element."""

    def __init__(
        self, mesh: Mesh, orbitals: tuple[Orbital, ...], potential: Array, z: float, model: Model
    ) -> None:
        self.mesh, self.c, self.dirac = mesh, model.speed_of_light, model.relativity == "dirac"
        self.kappa = np.array([o.kappa for o in orbitals], dtype=float)
        barrier = np.array([o.l * (o.l + 1) if o.j is None else 0 for o in orbitals], dtype=float)
        padded = np.zeros((len(potential), len(mesh.radius) + 2))
        padded[:, 1:-1] = potential
        padded[:, 0], padded[:, -1] = potential[:, 0], potential[:, -1]
        # At the origin every weight below vanishes with a positive power of r once P(0) = 0 is used.
        self.inside = mesh.element_radius > 0
        r = np.where(self.inside, mesh.element_radius, 1.0)
        spin_of = [o.spin for o in orbitals]
        self.potential = spread(mesh, padded)[spin_of] + model.nuclear_potential(z, r)
        self.kappa_term = self.kappa[:, None, None] * np.where(self.inside, mesh.stretch / r, 0.0)
        self.barrier = barrier[:, None, None] * np.where(self.inside, 1 / r**2, 0.0)
        self.stretched = np.where(self.inside, mesh.stretch, 1.0)

    def mass(self, energies: Array) -> Array:
        """M at the element nodes, (S, E, p+1)."""
        return 1 + (energies[:, None, None] - self.potential) / (2 * self.c**2)

    def matrices(self, energies: Array) -> Array:
        """(S, n, n) of all orbitals, with ε fixed inside M."""
        return assemble(self.mesh, self._elements(energies))

    def blocks(self, energies: Array) -> Array:
        """(S, E, p+1, p+1) as `solve_shifted` takes them, with ε fixed inside M."""
        return on_basis(self.mesh, self._elements(energies))

    def _elements(self, energies: Array) -> Array:
        mesh = self.mesh
        mass = self.mass(energies)
        kinetic = np.where(self.inside, mesh.element_weight / (2 * mass * self.stretched), 0.0)
        local = mesh.element_weight * mesh.stretch * (self.potential + self.barrier / (2 * mass))
        blocks = np.empty((*kinetic.shape, mesh.order + 1))
        for kappa in np.unique(self.kappa):
            own = self.kappa == kappa
            squares = _gradient_squares(mesh, float(kappa))
            found = np.swapaxes(kinetic[own], 0, 1) @ squares
            blocks[own] = np.swapaxes(found, 0, 1).reshape(-1, *blocks.shape[1:])
        np.einsum("...ii->...i", blocks)[...] += np.where(self.inside, local, 0.0)
        return blocks

    def finish(self, vectors: Array, energies: Array) -> States:
        """Rayleigh quotients, densities and, for Dirac, small components; normalised."""
        mesh = self.mesh
        values = on_elements(mesh, vectors)
        gradients = _slopes(mesh, values) + self.kappa_term * values  # stretch · (P' + κP/r)
        energies, mass = self.rayleigh(energies, values, gradients)
        if not self.dirac:
            return States(energies, vectors, vectors**2)
        small = np.where(self.inside, gradients / (2 * self.c * mass * self.stretched), 0.0)
        density = vectors**2 + charges(mesh, small**2 * (mesh.element_weight * mesh.stretch))
        norm = density.sum(axis=1)
        root = np.sqrt(norm)
        return States(energies, vectors / root[:, None], density / norm[:, None], small / root[:, None, None])

    def rayleigh(self, energies: Array, values: Array, gradients: Array) -> tuple[Array, Array]:
        """Root ε of the quotient for fixed P, and M there. Newton from above or below:
        the function is monotonic.
        """
        mesh = self.mesh
        dr = np.where(self.inside, mesh.element_weight * mesh.stretch, 0.0)
        kinetic = np.where(self.inside, gradients / self.stretched, 0.0) ** 2 + self.barrier * values**2
        norm = np.einsum("sek,ek->s", values**2, dr)
        external = np.einsum("sek,sek,ek->s", values**2, self.potential, dr)
        for _ in range(30):
            mass = self.mass(energies)
            density = kinetic * dr / (2 * mass)
            value = density.sum(axis=(1, 2)) + external - energies * norm
            slope = -(density / mass).sum(axis=(1, 2)) / (2 * self.c**2) - norm
            step = value / slope
            energies = energies - step
            if np.all(np.abs(step) < 1e-14 * (1 + np.abs(energies))):
                break
        return energies, self.mass(energies)


def _slopes(mesh: Mesh, values: Array) -> Array:
    """(S, E, p+1) d/ds of functions given on the elements."""
    return np.swapaxes(np.swapaxes(values, 0, 1) @ np.swapaxes(mesh.derivative, 1, 2), 0, 1)


@lru_cache(maxsize=64)
def _gradient_squares(mesh: Mesh, kappa: float) -> Array:
    """(E, p+1, (p+1)²) [e, k, ij] products of d/ds + stretch κ/r of the polynomials i and j at node k."""
    inside = mesh.element_radius > 0
    over_r = np.where(inside, mesh.stretch / np.where(inside, mesh.element_radius, 1.0), 0.0)
    gradient = mesh.derivative + kappa * over_r[..., None] * np.eye(mesh.order + 1)
    return (gradient[..., :, None] * gradient[..., None, :]).reshape(*inside.shape, -1)


def _lowest(matrix: Array, first: int, last: int) -> Array:
    """Eigenvectors (n, last−first+1) number first to last, from 1; overwrites `matrix`.

    The lower triangle: LAPACK then reduces from the nucleus outwards, large entries first, which keeps the
    relative accuracy of this graded matrix.
    """
    _, vectors, found, _, info = _syevr(matrix.T, range="I", il=first, iu=last, lower=1, overwrite_a=1)
    if info or found != last - first + 1:
        raise ConvergenceError(f"the radial eigenvalue problem failed (LAPACK dsyevr, info {info})")
    return vectors[:, :found]
