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

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_lapack_funcs

from .errors import ConvergenceError
from .mesh import Mesh, assemble, charges, on_elements, spread
from .model import Model, Orbital

Array = NDArray[np.float64]

_gbsv, _syevr = get_lapack_funcs(("gbsv", "syevr"), dtype=np.float64)


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
    The relativistic energies are converged only as `start` converges; call again, or `refine`, with the
    result.
    """
    relativistic = model.relativity != "none"
    operator = _operator(mesh, orbitals, potential, z, model)
    problem = RadialProblem(z, model, mesh, orbitals)
    energies = np.zeros(len(orbitals)) if start is None else start
    if relativistic and start is None:
        c = model.speed_of_light
        energies = np.array([-(z**2) / (2 * o.n**2) / np.sqrt(1 + (z / c) ** 2) for o in orbitals])
    vectors = np.empty((len(orbitals), len(mesh.radius)))
    while True:
        for members, matrix in channel_matrices(problem, energies, potential):
            numbers = np.array([orbitals[i].n - orbitals[i].l for i in members])
            vectors[members] = _lowest(matrix, numbers.min(), numbers.max())[:, numbers - numbers.min()].T
        states = operator.finish(vectors, energies)
        moved = float(np.abs(states.energies - energies).max())
        # M feels an energy only against 2c².
        if not relativistic or moved < 0.02 * model.speed_of_light**2:
            return states
        energies = states.energies


def refine(
    mesh: Mesh, orbitals: tuple[Orbital, ...], potential: Array, z: float, model: Model, states: States
) -> States:
    """States in a slightly different potential: one Rayleigh quotient iteration from the old ones, cubic in
    the change.

    Cheaper than diagonalising, and free of its rounding error.
    """
    operator = _operator(mesh, orbitals, potential, z, model)
    energies = operator.finish(states.vectors, states.energies).energies
    bandwidth, dense, banded = mesh.band
    vectors = np.empty_like(states.vectors)
    for members, matrix in channel_matrices(RadialProblem(z, model, mesh, orbitals), energies, potential):
        flat = matrix.ravel()[dense]
        for i in members:
            band = np.zeros((len(mesh.radius), 3 * bandwidth + 1))
            band.ravel()[banded] = flat
            band[:, 2 * bandwidth] -= energies[i]
            *_, solved, info = _gbsv(bandwidth, bandwidth, band.T, states.vectors[i], overwrite_ab=1)
            if info < 0:
                raise ConvergenceError(f"the radial inverse iteration failed (LAPACK dgbsv, info {info})")
            vectors[i] = solved / np.linalg.norm(solved)
    return operator.finish(vectors, energies)


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
        kappa = np.array([o.kappa for o in orbitals], dtype=float)
        barrier = np.array([o.l * (o.l + 1) if o.j is None else 0 for o in orbitals], dtype=float)
        padded = np.zeros((len(potential), len(mesh.radius) + 2))
        padded[:, 1:-1] = potential
        padded[:, 0], padded[:, -1] = potential[:, 0], potential[:, -1]
        # At the origin every weight below vanishes with a positive power of r once P(0) = 0 is used.
        self.inside = mesh.element_radius > 0
        r = np.where(self.inside, mesh.element_radius, 1.0)
        spin_of = [o.spin for o in orbitals]
        self.potential = spread(mesh, padded)[spin_of] + model.nuclear_potential(z, r)
        self.kappa_term = kappa[:, None, None] * np.where(self.inside, mesh.stretch / r, 0.0)
        self.barrier = barrier[:, None, None] * np.where(self.inside, 1 / r**2, 0.0)
        self.stretched = np.where(self.inside, mesh.stretch, 1.0)

    def mass(self, energies: Array) -> Array:
        """M at the element nodes, (S, E, p+1)."""
        return 1 + (energies[:, None, None] - self.potential) / (2 * self.c**2)

    def matrices(self, energies: Array) -> Array:
        """(S, n, n) of all orbitals, with ε fixed inside M."""
        mesh = self.mesh
        mass = self.mass(energies)
        kinetic = np.where(self.inside, mesh.element_weight / (2 * mass * self.stretched), 0.0)
        local = mesh.element_weight * mesh.stretch * (self.potential + self.barrier / (2 * mass))
        gradient = mesh.derivative + self.kappa_term[..., None] * np.eye(mesh.order + 1)
        blocks = np.swapaxes(gradient, -1, -2) * kinetic[..., None, :] @ gradient
        np.einsum("...ii->...i", blocks)[...] += np.where(self.inside, local, 0.0)
        return assemble(mesh, blocks)

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
    return np.einsum("eki,sei->sek", mesh.derivative, values, optimize=True)


def _lowest(matrix: Array, first: int, last: int) -> Array:
    """Eigenvectors (n, last−first+1) number first to last, from 1; overwrites `matrix`.

    The lower triangle: LAPACK then reduces from the nucleus outwards, large entries first, which keeps the
    relative accuracy of this graded matrix.
    """
    _, vectors, found, _, info = _syevr(matrix.T, range="I", il=first, iu=last, lower=1, overwrite_a=1)
    if info or found != last - first + 1:
        raise ConvergenceError(f"the radial eigenvalue problem failed (LAPACK dsyevr, info {info})")
    return vectors[:, :found]
