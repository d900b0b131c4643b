"""An atom followed from one of higher nuclear charge, past folds where Newton's method has no way down.

    G(V, z) = V_out[V; z] − V = 0,     ∂V/∂z = (1 − K X)⁻¹ K X (−1/r)     (X, K: `response`)

A compact f electron that its nucleus does not quite bind goes to the walls of the box while the charge falls.
On this way the curve of solutions turns back and forth, and between two turns the residual has minima that
are no solutions. The curve itself is smooth: it is followed by its arc length (Keller, in Applications of
Bifurcation Theory, ed. Rabinowitz, 1977, p. 359). V_out is continuous in V and bounded in a box, so that by
Schauder's theorem every charge has a solution; the curve leads to it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..solver.eigenstates import RadialProblem, States, refine
from ..solver.errors import ConvergenceError
from ..solver.response import dielectric_solver, interaction_kernel, susceptibility
from ..solver.scf import Cycle, CycleStart, Solution, found_states, output_of, self_consistent

Array = NDArray[np.float64]

# The charge that the curve starts from is so much higher, and counts so much in its length.
_HIGHER, _CHARGE_SCALE = 1.0, 10.0
# First, longest and shortest step along the curve; how many are tried, and Newton steps in each.
_FIRST, _LONGEST, _SHORTEST, _STEPS, _CORRECTIONS = 3.0, 12.0, 1e-5, 300, 8
# Refinements of the states in each potential at most.
_REFINEMENTS = 6
# The last correction is no longer than this, a first one than twice its step and this.
_INEXACT = 0.05
# Levels are right to this share of their depth and 1 Ha on the way, to so many Hartree at its end.
_ON_THE_WAY, _AT_THE_END = 1e-3, 1e-5
_CYCLE = Cycle(tolerance=1e-5, max_iterations=40, require_bound=False)


@dataclass(frozen=True, eq=False)
class _Point:
    """A potential and a nuclear charge as one vector, and what Newton's method needs there.

    place: (n_spin n + 1,) potential times √w r, charge times _CHARGE_SCALE.
    newton: step to the solution at this charge. along: change of place with the charge.
    """

    place: Array
    solution: Solution
    newton: Array
    along: Array

    def shifts(self, step: Array) -> Array:
        """(S,) first-order changes of the levels, Hartree."""
        states, spins = self.solution.states, [o.spin for o in self.solution.orbitals]
        return np.einsum("si,si->s", states.charges, _potential(self.solution.problem, step)[spins])


def follow_charge(problem: RadialProblem, start: CycleStart) -> Solution:
    """The self-consistent atom, bound or not, at the end of the curve from a nuclear charge higher by one.

    problem: its nucleus is a point or has a given mass number. start: for the cycle there.
    Raises ConvergenceError where the curve cannot be followed.
    """
    mesh, model, wanted = problem.mesh, problem.model, problem.z
    first = self_consistent(wanted + _HIGHER, problem.orbitals, model, mesh, start, _CYCLE)
    place = np.append(first.potential * _weight(problem), (wanted + _HIGHER) * _CHARGE_SCALE)
    point = _linearised(problem, place, first.states)
    direction, length = -point.along / np.linalg.norm(point.along), _FIRST
    for _ in range(_STEPS):
        left = wanted * _CHARGE_SCALE - point.place[-1]
        last = direction[-1] < 0 and left >= length * direction[-1]
        step = left / direction[-1] if last else length
        found, corrections = _corrected(problem, point, step * direction, last)
        if found is None:
            length = 0.5 * step
            if length < _SHORTEST:
                break
            continue
        if last:
            return found.solution
        tangent = found.along / np.linalg.norm(found.along)
        direction, point = tangent * np.sign(tangent @ direction), found
        length = min(step * (1.4 if corrections < 3 else 0.7 if corrections > 4 else 1.0), _LONGEST)
    raise ConvergenceError(f"the curve from Z = {wanted + _HIGHER:g} was lost at {point.solution.z:.4f}")


def _corrected(problem: RadialProblem, old: _Point, step: Array, last: bool) -> tuple[_Point | None, int]:
    """The solution on the plane through the end of `step` and normal to it, or, at the last, at its charge.

    Also the number of corrections; None where they do not shrink, or begin longer than the step.
    """
    place, states = old.place + step, old.solution.states
    size = 2 * float(np.linalg.norm(step)) + _INEXACT
    for number in range(_CORRECTIONS):
        try:
            point = _linearised(problem, place, states)
        except (ConvergenceError, np.linalg.LinAlgError):
            break
        change = point.newton
        if not last:
            change = change - (step @ point.newton) / (step @ point.along) * point.along
        if not np.linalg.norm(change) < size:
            break
        size, states = float(np.linalg.norm(change)), point.solution.states
        depth = 1.0 if last else 1 + np.abs(states.energies)
        shift = np.max(np.abs(point.shifts(change)) / depth)
        if size < _INEXACT and shift < (_AT_THE_END if last else _ON_THE_WAY):
            return point, number
        place = place + change
    return None, _CORRECTIONS


def _linearised(problem: RadialProblem, place: Array, states: States) -> _Point:
    mesh, model = problem.mesh, problem.model
    at = replace(problem, z=float(place[-1]) / _CHARGE_SCALE)
    potential, weight = _potential(problem, place), _weight(problem)
    states = _settled(at, potential, states)
    node_charges, energies, output = output_of(at, states, potential)
    chi = susceptibility(at, states, potential, rough=True)
    kernel = interaction_kernel(mesh, node_charges, model)
    solve = dielectric_solver(chi, kernel)
    by_charge = solve(np.einsum("sitj,tj->si", kernel, chi @ (-1 / mesh.radius)))
    return _Point(
        place,
        Solution(at.z, model, mesh, at.orbitals, states, potential, node_charges, energies, 0),
        np.append(solve(output - potential) * weight, 0.0),
        np.append(by_charge * weight, _CHARGE_SCALE),
    )


def _settled(problem: RadialProblem, potential: Array, old: States) -> States:
    """The states to the last digit, which takes longer where a compact and an extended one have one level."""
    states, _ = found_states(problem, potential, old, old.energies)
    for _ in range(_REFINEMENTS):
        before = states.energies
        states = refine(problem.mesh, problem.orbitals, potential, problem.z, problem.model, states)
        if np.all(np.abs(states.energies - before) < 1e-9 * (1 + np.abs(before))):
            break
    return states


def _weight(problem: RadialProblem) -> Array:
    return np.sqrt(problem.mesh.weight) * problem.mesh.radius


def _potential(problem: RadialProblem, place: Array) -> Array:
    return place[:-1].reshape(-1, len(problem.mesh.radius)) / _weight(problem)
