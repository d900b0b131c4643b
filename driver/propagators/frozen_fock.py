"""Euler and Runge-Kutta steps as NWChem takes them: F' is frozen over the step.

dP'/dt = -i [F'(t), P'],   P'(t + dt) = Σ_{n ≤ order} (-i dt)^n / n!  [F', [F', ... P']]
(order 1: Euler; order 4: what classical RK4 gives for a constant F')
"""

from collections.abc import Callable

import numpy as np

from .magnus import FockOf
from .state import State


def frozen_fock_step(
    state: State,
    fock_of: FockOf,
    external: Callable[[float], np.ndarray | None],
    dt: float,
    order: int,
) -> State:
    """One step of `order` 1 (euler) or 4 (rk4); the next F' is built at its end."""
    term = state.density
    density = state.density
    for n in range(1, order + 1):
        product = state.fock @ term
        # An absorbing potential makes F' non-Hermitian: the bracket is F P - P F^†.
        term = (-1j * dt / n) * (product - product.conj().swapaxes(-1, -2))
        density = density + term
    later = state.time + dt
    fock = fock_of(density)
    field = external(later)
    if field is not None:
        fock = fock + field
    return State(state.step + 1, later, state.orbitals, state.occupations, density, fock, fock)
