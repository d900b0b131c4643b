"""Newton's method with a line search, for shells that are compact or extended according to what they hold.

An f electron that is bound when extended and unbound when compact makes the cycle jump between the two.
Levels of one channel never cross, so the map from potential to potential is continuous, and its fixed point
lies between: Newton steps, each shortened until the residual falls, arrive there.
"""

import numpy as np
from numpy.typing import NDArray

from ..solver.eigenstates import RadialProblem, States, bound_states, refine
from ..solver.errors import ConvergenceError
from ..solver.response import dielectric_solver, interaction_kernel, susceptibility
from ..solver.scf import CycleStart, Solution, found_states, output_of

Array = NDArray[np.float64]

_STEPS, _SHORTEST = 40, 2e-3


def damped_newton(problem: RadialProblem, start: CycleStart, tolerance: float = 1e-5) -> Solution:
    """The self-consistent atom, bound or not, its levels to `tolerance` Hartree. Raises ConvergenceError."""
    weight = np.sqrt(problem.mesh.weight) * problem.mesh.radius
    potential = start.potential
    states = bound_states(problem.mesh, problem.orbitals, potential, problem.z, problem.model)
    spins = [o.spin for o in problem.orbitals]
    size = np.inf
    for number in range(_STEPS):
        node_charges, energies, output = output_of(problem, states, potential)
        residual = output - potential
        size = float(np.linalg.norm(residual * weight))
        chi = susceptibility(problem, states, potential, rough=True)
        kernel = interaction_kernel(problem.mesh, node_charges, problem.model)
        step = dielectric_solver(chi, kernel)(residual)
        if np.abs(np.einsum("si,si->s", states.charges, step[spins])).max() < tolerance:
            found = (problem.mesh, problem.orbitals, states, potential, node_charges, energies, number + 1)
            return Solution(problem.z, problem.model, *found)
        share = 1.0
        while True:
            tried = potential + share * step
            found_there = _states(problem, tried, states)
            new = float(np.linalg.norm((output_of(problem, found_there, tried)[2] - tried) * weight))
            if new < (1 - 0.1 * share) * size:
                break
            share *= 0.5
            if share < _SHORTEST:
                raise ConvergenceError(f"no Newton step lowers the residual, {size:.1e}")
        potential, states = tried, found_there
    raise ConvergenceError(f"no self-consistency after {_STEPS} Newton steps: the residual is {size:.1e}")


def _states(problem: RadialProblem, potential: Array, old: States) -> States:
    """To the last digit, so that the residual is that of the potential."""
    states, _ = found_states(problem, potential, old, old.energies)
    return refine(problem.mesh, problem.orbitals, potential, problem.z, problem.model, states)
