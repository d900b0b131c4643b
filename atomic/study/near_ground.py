"""Many configurations of one element, each begun from the ground state and its linear response.

    δV = (1 − K X)⁻¹ K δq,     δq = Σ δf_i q_i

is the self-consistent potential to first order in the changed occupations. The same (1 − K X)⁻¹ turns
residuals into steps, so most configurations need no response of their own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..solver.configuration import Configuration, ground_configuration
from ..solver.eigenstates import States, bound_states
from ..solver.errors import ConvergenceError
from ..solver.mesh import Mesh, spectral_mesh
from ..solver.model import Model, Orbital, orbitals_of
from ..solver.response import dielectric_solver, interaction_kernel, susceptibility
from ..solver.scf import Cycle, CycleStart, Solution, field_of, self_consistent
from .charge_path import follow_charge
from .damped_newton import damped_newton

Array = NDArray[np.float64]
Place = tuple[int, int, int]

# Levels to 1e-5 Ha; energies, whose error is of second order, to 1e-8 Ha. What is bound is judged after.
_CYCLE = Cycle(tolerance=1e-5, max_iterations=25, require_bound=False)
# An orbital that the ground state holds no more firmly (Hartree) changes too much when it is filled.
_LOOSE = -0.04
# Electrons near the wall; fewer change the energy by less than 1e-5 Ha.
_AT_THE_WALL = 1e-3
# The box of the study, bohr.
_BOX = 80.0
# Polynomials of this order leave 1e-7 Ha of uranium's total and less in differences.
_ORDER = 13


@dataclass(frozen=True, eq=False)
class Ground:
    """An element's ground state, solved with every orbital that its other configurations need.

    places: (n, l, spin) ↦ index of the orbital.
    kernel: (n_spin, n, n_spin, n) of `interaction_kernel`.
    screened: δV_bare ↦ (1 − K X)⁻¹ δV_bare.
    """

    atom: Solution
    places: dict[Place, int]
    kernel: Array
    screened: Callable[[Array], Array]

    def start(self, orbitals: tuple[Orbital, ...]) -> CycleStart:
        """Where the cycle of other occupations begins.

        Electrons of loosely bound orbitals come last: they are found in the potential of the ion that the
        others make, and then their own field is added.
        """
        atom, mesh = self.atom, self.atom.mesh
        chosen = [self.places[o.n, o.l, o.spin] for o in orbitals]
        loose = [i for i, o in enumerate(orbitals) if self._loose(o)]
        change = np.array([-o.occupation for o in atom.orbitals])
        change[chosen] += [0.0 if i in loose else o.occupation for i, o in enumerate(orbitals)]
        moved = _by_spin(atom.orbitals, change, atom.states.charges, len(atom.potential))
        potential = atom.potential + self.screened(np.einsum("sitj,tj->si", self.kernel, moved))
        energies, vectors = atom.states.energies[chosen], atom.states.vectors[chosen]
        node_charges = atom.states.charges[chosen]
        if loose:
            added = tuple(orbitals[i] for i in loose)
            own = bound_states(mesh, added, potential, atom.z, atom.model, energies[loose])
            energies[loose], vectors[loose], node_charges[loose] = own.energies, own.vectors, own.charges
            filling = np.array([o.occupation for o in added])
            inside = np.maximum(atom.node_charges + moved, 0.0)
            with_them = inside + _by_spin(added, filling, own.charges, len(inside))
            potential = potential + field_of(mesh, atom.model, with_them) - field_of(mesh, atom.model, inside)
        return CycleStart(potential, States(energies, vectors, node_charges), self.screened)

    def _loose(self, orbital: Orbital) -> bool:
        """Whether it is filled, and empty and hardly bound here."""
        place = self.places[orbital.n, orbital.l, orbital.spin]
        empty = self.atom.orbitals[place].occupation == 0
        return bool(orbital.occupation > 0 and empty and self.atom.levels[place] > _LOOSE)


@dataclass(frozen=True)
class Found:
    """energy: Hartree, None where an electron is not bound; reason: then which, and how that is known."""

    energy: float | None
    reason: str


def study_mesh(z: int, model: Model) -> Mesh:
    """Coarser than a single atom's, and wider."""
    return spectral_mesh(float(z), model.relativity != "none", r_max=_BOX, order=_ORDER)


def ground_with(z: int, configurations: Iterable[Configuration], model: Model) -> Ground:
    """The neutral element in its ground configuration with all shells of `configurations`."""
    mesh = study_mesh(z, model)
    held = {(o.n, o.l, o.spin): o for o in orbitals_of(ground_configuration(z), model)}
    for configuration in configurations:
        for o in orbitals_of(configuration, model):
            held.setdefault((o.n, o.l, o.spin), replace(o, occupation=0.0))
    orbitals = tuple(held[key] for key in sorted(held))
    atom = self_consistent(float(z), orbitals, model, mesh, cycle=_CYCLE)
    chi = susceptibility(atom.problem, atom.states, atom.potential, rough=True)
    kernel = interaction_kernel(mesh, atom.node_charges, model)
    places = {(o.n, o.l, o.spin): i for i, o in enumerate(orbitals)}
    return Ground(atom, places, kernel, dielectric_solver(chi, kernel))


def near_ground(ground: Ground, orbitals: tuple[Orbital, ...]) -> Found:
    """The atom in other occupations, in a box of 80 bohr, which must not be what holds its electrons.

    A level below zero does not suffice: exchange lowers whatever fills a box, the less the wider it is.
    Raises ConvergenceError where no self-consistent potential is found.
    """
    atom = ground.atom
    try:
        found = _cycle(ground, orbitals)
    except ConvergenceError:
        problem = replace(atom.problem, orbitals=orbitals)
        try:
            found = damped_newton(problem, ground.start(orbitals))
        except ConvergenceError:
            found = follow_charge(problem, ground.start(orbitals))
    top, level = highest(found)
    if level >= 0:
        return Found(None, f"{top.label} is not bound: {level:+.4f} Ha in a box of {_BOX:g} bohr")
    outside = found.outside()
    if outside > _AT_THE_WALL:
        held = f"{outside:.1g} electrons lie beyond nine tenths of them"
        return Found(None, f"{top.label} is not bound within {_BOX:g} bohr: {held}")
    return Found(found.energies.total, "")


def _cycle(ground: Ground, orbitals: tuple[Orbital, ...]) -> Solution:
    atom = ground.atom
    return self_consistent(atom.z, orbitals, atom.model, atom.mesh, ground.start(orbitals), _CYCLE)


def _by_spin(orbitals: tuple[Orbital, ...], occupations: Array, charges: Array, n_spin: int) -> Array:
    """(n_spin, n) node charges."""
    spins = np.array([o.spin for o in orbitals])
    return (spins == np.arange(n_spin)[:, None]) * occupations @ charges


def highest(atom: Solution) -> tuple[Orbital, float]:
    """The occupied orbital whose level is highest, and the level, Hartree."""
    occupied = [i for i, o in enumerate(atom.orbitals) if o.occupation > 0]
    top = max(occupied, key=lambda i: atom.levels[i])
    return atom.orbitals[top], float(atom.levels[top])
