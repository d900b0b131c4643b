"""The self-consistent cycle of one atom on a spectral mesh.

    V ↦ orbitals ↦ density ↦ V_H + v_xc,       stop when total energy and every eigenvalue stand still

    E = T + E_nuc + E_H + E_x + E_c,     T = Σ fε − ∫n V
      = Σ fε − E_H + E_xc − ∫n v_xc      at self-consistency

The potential is mixed by Anderson's method, its residual preconditioned with the response of the atom itself
(`response`): in effect Newton steps, which open d and f shells need.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..threads import at_most_one
from .configuration import Configuration, ground_configuration
from .eigenstates import RadialProblem, States, bound_states, in_order, refine
from .elements import SYMBOLS, atomic_number
from .energies import AtomEnergies, Iteration
from .errors import ConvergenceError, InputError
from .functionals import exchange_correlation
from .hartree import coulomb
from .mesh import Mesh, around_nucleus, inner_part, of_order, spectral_mesh
from .mixing import Anderson
from .model import Model, Orbital, check_model, orbitals_of
from .response import dielectric_solver, interaction_kernel, susceptibility
from .starting_potential import slater_potential
from .transfer import potential_on, vectors_on

Array = NDArray[np.float64]

# The response is built again, after as many steps, when one leaves more than this share of the residual.
_RESPONSE_LASTS, _REDUCED_TO = 3, 0.05
# At the end the step ahead, by the response, moves levels by a tolerance over _NEXT; the last, by _LAST.
_NEXT, _LAST = 30.0, 100.0
# Largest first-order move of a level in one step, as a share of its depth.
_TRUST = 1.0
# When no level moves by more than this share of its depth and 1 Ha, states are followed, not found again.
_SETTLED = 0.2
# Order of the polynomials from which on a rough solution with half of it comes first, and how rough, Hartree.
_FINE, _ROUGH = 16, 0.03
# Times 1/Z, bohr: where nothing is left of a bare nucleus's 1s.
_RANGE_1S = 20.0
# Least square of the overlap of two vectors that are one state.
_SAME = 0.99


@dataclass(frozen=True)
class Cycle:
    """How the self-consistent cycle runs.

    tolerance: on the change of the total energy and of each eigenvalue, Hartree.
    max_iterations: after which it gives up.
    require_bound: refuse an atom that does not keep its electrons; without it the wall at r_max keeps them.
    on_iteration: told of every iteration.
    """

    tolerance: float = 1e-9
    max_iterations: int = 80
    require_bound: bool = True
    on_iteration: Callable[[Iteration], None] | None = None


@dataclass(frozen=True, eq=False)
class CycleStart:
    """Where a cycle begins.

    potential: (n_spin, n) on the cycle's mesh.
    states: of the same orbitals, nearly right; None to diagonalise.
    precondition: residual ↦ step, of a similar atom; None to build one when it is needed.
    """

    potential: Array
    states: States | None = None
    precondition: Callable[[Array], Array] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """A converged atom.

    orbitals, states: the same order. potential, node_charges: (n_spin, n) on `mesh`; potential excludes −z/r.
    """

    z: float
    model: Model
    mesh: Mesh
    orbitals: tuple[Orbital, ...]
    states: States
    potential: Array
    node_charges: Array
    energies: AtomEnergies
    iterations: int

    @property
    def problem(self) -> RadialProblem:
        """The equations that it solves."""
        return RadialProblem(self.z, self.model, self.mesh, self.orbitals)

    def __repr__(self) -> str:
        element, total = SYMBOLS[int(self.z) - 1], self.energies.total
        return f"<Solution {element}: {total:.6f} Ha, {len(self.orbitals)} orbitals>"

    @property
    def radius(self) -> Array:
        """(n,) bohr."""
        return self.mesh.radius

    @property
    def levels(self) -> Array:
        """(S,) eigenvalues in the order of orbitals, Hartree."""
        return self.states.energies

    def outside(self) -> float:
        """Electrons beyond nine tenths of the mesh."""
        return float(self.node_charges[:, self.mesh.radius > 0.9 * self.mesh.r_max].sum())

    @property
    def density(self) -> Array:
        """(n_spin, n) electrons per bohr³ at mesh.radius."""
        return self.node_charges / (4 * np.pi * self.mesh.radius**2 * self.mesh.weight)

    @property
    def radial_functions(self) -> Array:
        """(S, n) P(r) = r R(r) at mesh.radius, positive at the outermost lobe."""
        values = self.states.vectors * self.mesh.inverse_root_weight
        outer = np.argmax(np.cumsum(self.states.vectors**2, axis=1) > 0.9, axis=1)
        return values * np.sign(values[np.arange(len(values)), outer])[:, None]


def solve_atom(
    element: str | int,
    charge: int = 0,
    configuration: Configuration | None = None,
    model: Model | None = None,
    mesh: Mesh | None = None,
    on_iteration: Callable[[Iteration], None] | None = None,
) -> Solution:
    """The self-consistent atom in its ground configuration, or in the given one.

    A configuration carries its own number of electrons; `charge` is then checked against it where it is not
    zero. Raises InputError for an atom, model or mesh that cannot be, ConvergenceError when the cycle fails.
    """
    model = model or Model()
    z = atomic_number(element)
    configuration = configuration or ground_configuration(z, charge)
    if charge and abs(configuration.electrons - (z - charge)) > 1e-9:
        raise InputError(f"{configuration} has {configuration.electrons:g} electrons, not {z - charge}")
    if not configuration.shells:
        raise InputError(f"{SYMBOLS[z - 1]} with charge {charge:+d} has no electrons")
    check_model(model)
    orbitals = orbitals_of(configuration, model)
    with at_most_one():
        return self_consistent(float(z), orbitals, model, mesh, cycle=Cycle(on_iteration=on_iteration))


def self_consistent(
    z: float,
    orbitals: tuple[Orbital, ...],
    model: Model,
    mesh: Mesh | None = None,
    start: CycleStart | None = None,
    cycle: Cycle | None = None,
) -> Solution:
    """Runs the cycle for fixed orbitals and occupations; orbitals with occupation 0 are solved for but not
    filled.

    start: None for the same atom on a coarser mesh, which begins with Slater's shells.
    Raises ConvergenceError when it does not converge or an occupied orbital is not bound, InputError when
    r_max is too small for the density or the mesh does not resolve the nucleus.
    """
    cycle = cycle or Cycle()
    mesh = mesh or mesh_of(z, model)
    _check_resolution(mesh, z, model)
    problem = RadialProblem(z, model, mesh, orbitals)
    solution = _iterated(problem, start or _coarse_start(problem, cycle), cycle)
    return _checked(solution) if cycle.require_bound else solution


def _coarse_start(problem: RadialProblem, cycle: Cycle) -> CycleStart:
    """From a rough solution with polynomials of half the order, or, where there is none, Slater's shells."""
    mesh, orbitals = problem.mesh, problem.orbitals
    if mesh.order >= _FINE:
        coarse = replace(problem, mesh=of_order(mesh, (mesh.order + 2) // 2))
        slater = CycleStart(slater_potential(coarse.mesh, problem.z, orbitals, problem.model))
        rough = Cycle(tolerance=_ROUGH, max_iterations=cycle.max_iterations)
        with suppress(ConvergenceError, np.linalg.LinAlgError):
            found = _iterated(coarse, slater, rough)
            vectors = vectors_on(mesh, coarse.mesh, found.states.vectors)
            states = States(found.levels, vectors, vectors**2)
            return CycleStart(potential_on(mesh, coarse.mesh, found.potential), states)
    return CycleStart(slater_potential(mesh, problem.z, orbitals, problem.model))


def _iterated(problem: RadialProblem, start: CycleStart, cycle: Cycle) -> Solution:
    """The cycle's fixed point, whatever it is."""
    z, model, mesh, orbitals = problem.z, problem.model, problem.mesh, problem.orbitals
    potential, states = start.potential, start.states
    mixer = Anderson(weight=np.sqrt(mesh.weight) * mesh.radius)
    precondition: Callable[[Array], Array] = start.precondition or np.copy
    response_at, size_before = (0 if start.precondition else -_RESPONSE_LASTS), 0.0
    old_energy, old_levels, shift, change, moved = np.inf, None, np.inf, np.inf, 0.0
    for number in range(cycle.max_iterations):
        states, followed = found_states(problem, potential, states if moved <= _SETTLED else None, old_levels)
        node_charges, energies, output = output_of(problem, states, potential)
        residual, levels = output - potential, states.energies
        step = precondition(residual)
        shift = np.inf if old_levels is None else float(np.abs(levels - old_levels).max())
        ahead = float(np.abs(_shifts(step, orbitals, states)).max())
        change = abs(energies.total - old_energy)
        size = float(np.abs(residual * node_charges).max())
        if cycle.on_iteration:
            cycle.on_iteration(Iteration(number, energies.total, change, shift, size))
        if not np.isfinite(energies.total):
            raise ConvergenceError("the self-consistent cycle diverged")
        if followed and max(change, _NEXT * ahead, shift / _LAST) < cycle.tolerance:
            found = (mesh, orbitals, states, potential, node_charges, energies, number + 1)
            return Solution(z, model, *found)
        old_energy, old_levels = energies.total, levels
        stalled = number - response_at >= _RESPONSE_LASTS and size > _REDUCED_TO * size_before
        size_before = size
        if stalled and model.interacting:
            chi = susceptibility(problem, states, potential, rough=True)
            precondition = dielectric_solver(chi, interaction_kernel(mesh, node_charges, model))
            mixer = Anderson(weight=mixer.weight)
            response_at = number
            step = precondition(residual)
        proposed = mixer.next(potential, residual, step)
        step = _limited(proposed - potential, orbitals, states)
        moved = float(np.max(np.abs(_shifts(step, orbitals, states)) / (1 + np.abs(levels))))
        potential = potential + step
    raise ConvergenceError(
        f"no self-consistency after {cycle.max_iterations} iterations: the energy still changes by "
        f"{change:.1e} Ha and an eigenvalue by {shift:.1e} Ha"
    )


def mesh_of(z: float, model: Model) -> Mesh:
    """The mesh that the model needs, its nucleus included."""
    return around_nucleus(spectral_mesh(z, model.relativity != "none"), model.nuclear_edge(z))


def _shifts(change: Array, orbitals: tuple[Orbital, ...], states: States) -> Array:
    """(S,) first-order changes of the levels."""
    return np.einsum("si,si->s", states.charges, change[[o.spin for o in orbitals]])


def _limited(change: Array, orbitals: tuple[Orbital, ...], states: States) -> Array:
    """The change, shortened so that to first order no orbital's level moves by more than _TRUST of its
    depth.
    """
    shifts = _shifts(change, orbitals, states)
    allowed = _TRUST * np.abs(states.energies) + 0.01
    filled = [o.occupation > 0 for o in orbitals]
    return change / max(1.0, float(np.max(np.abs(shifts) / allowed, initial=0.0, where=filled)))


def found_states(
    problem: RadialProblem, potential: Array, old: States | None, levels: Array | None
) -> tuple[States, bool]:
    """Followed from old ones where these are given and lead to the right ones, else diagonalised; and which.

    On a coarse mesh even the right ones have nodes too many: then the diagonalised ones decide.
    levels: energies to put into M.
    """
    of = (problem.mesh, problem.orbitals, potential, problem.z, problem.model)
    states = None if old is None else refine(*of, old)
    if states is not None and in_order(problem, states):
        return states, True
    found = bound_states(*of, levels)
    if states is not None and _same(states, found):
        return states, True
    return found, False


def _same(states: States, others: States) -> bool:
    """Whether the vectors are the same, but for signs and what is left of convergence."""
    products = np.einsum("si,si->s", states.vectors, others.vectors) ** 2
    norms = np.sum(states.vectors**2, axis=1) * np.sum(others.vectors**2, axis=1)
    return bool(np.all(products > _SAME * norms))


def output_of(problem: RadialProblem, states: States, potential: Array) -> tuple[Array, AtomEnergies, Array]:
    """Node charges of the states, their energies, and their Hartree and exchange-correlation potential."""
    mesh, model, z = problem.mesh, problem.model, problem.z
    occupations = np.array([o.occupation for o in problem.orbitals])
    spins = np.array([o.spin for o in problem.orbitals])
    in_spin = (spins == np.arange(len(potential))[:, None]) * occupations
    node_charges = in_spin @ states.charges
    total = node_charges.sum(axis=0)
    density = node_charges / (4 * np.pi * mesh.radius**2 * mesh.weight)
    e_x, e_c, v_xc = exchange_correlation(
        density, model.xc, model.use_exchange, model.use_correlation, model.exchange_light_speed
    )
    v_hartree = coulomb(mesh) @ total if model.use_hartree else np.zeros_like(total)
    eigenvalue_sum = float(occupations @ states.energies)
    nuclear = float(total @ model.nuclear_potential(z, mesh.radius))
    kinetic = eigenvalue_sum - nuclear - float(np.sum(node_charges * potential))
    hartree, exchange, correlation = (float(total @ v) for v in (0.5 * v_hartree, e_x, e_c))
    energies = AtomEnergies(
        total=kinetic + nuclear + hartree + exchange + correlation,
        kinetic=kinetic,
        nuclear=nuclear,
        hartree=hartree,
        exchange=exchange,
        correlation=correlation,
        eigenvalue_sum=eigenvalue_sum,
        xc_potential=float(np.sum(node_charges * v_xc)),
    )
    return node_charges, energies, v_xc + v_hartree


def field_of(mesh: Mesh, model: Model, node_charges: Array) -> Array:
    """(n_spin, n) Hartree and exchange-correlation potential, Hartree."""
    density = node_charges / (4 * np.pi * mesh.radius**2 * mesh.weight)
    potential = exchange_correlation(
        density, model.xc, model.use_exchange, model.use_correlation, model.exchange_light_speed
    )[2]
    return potential + coulomb(mesh) @ node_charges.sum(axis=0) if model.use_hartree else potential


def _checked(solution: Solution) -> Solution:
    for orbital, energy in zip(solution.orbitals, solution.states.energies, strict=True):
        if orbital.occupation > 0 and energy >= 0:
            raise ConvergenceError(
                f"{orbital.label} is not bound (eigenvalue {energy:+.4f} Ha): no such atom in this model"
            )
    mesh = solution.mesh
    outside = solution.outside()
    if outside > 1e-6:
        raise InputError(
            f"r_max = {mesh.r_max:g} bohr is too small: {outside:.1e} electrons lie beyond nine tenths of it"
        )
    return solution


@lru_cache(maxsize=512)
def _check_resolution(mesh: Mesh, z: float, model: Model) -> None:
    """Refuses a mesh on which the bare nucleus's 1s is wrong by more than 1e-6 of its energy."""
    relativistic = model.relativity != "none"
    if model.nucleus != "point":
        nearest = float(np.abs(mesh.element_radius[:, -1] / model.nuclear_edge(z) - 1).min())
        if nearest > 1e-9:
            raise InputError("the mesh has no element that ends with the nucleus: take mesh.around_nucleus")
        return
    if relativistic and z >= model.speed_of_light:
        raise InputError(
            f"a point nucleus of Z = {z:g} binds no 1s electron: Z must be below "
            f"{model.speed_of_light:.0f}; take nucleus sphere or fermi"
        )
    bare = Model(relativity=model.relativity, speed_of_light=model.speed_of_light)
    orbital = (Orbital(1, 0, 1.0, 2.0, j=0.5 if relativistic else None),)
    inner = inner_part(mesh, _RANGE_1S / z)
    nothing = np.zeros((1, len(inner.radius)))
    ratio = z / model.speed_of_light if relativistic else 0.0
    exact = -(z**2) / (1 + np.sqrt(1 - ratio**2))
    found = bound_states(inner, orbital, nothing, z, bare, np.array([exact])).energies[0]
    if not abs(found - exact) < 1e-6 * abs(exact):
        raise InputError(
            f"the mesh cannot resolve Z = {z:g}: hydrogenic 1s {found:.6g} Ha instead of {exact:.6g}; "
            "shorten the first element or raise the order"
        )
