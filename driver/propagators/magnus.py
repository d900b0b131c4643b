"""Second-order Magnus with the mid-point Fock matrix found self-consistently, step by step as NWChem does it.

    F(t + dt/2) ≈ 2 F(t) - F(t - dt/2),  then
    F(t + dt/2) ← ½ [F(t) + F[P(t + dt)] + V(t + dt)]  until P stops changing,
    Y(t + dt) = exp(-i dt F(t + dt/2)) Y(t)

The change is that of NWChem's norm of P', its largest element in the canonical basis, from the second
correction on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...atomic.errors import Failed
from .exponential import WEAK, interaction_phases, propagate, propagate_weakly
from .state import State, density_of

#: NWChem gives up after as many corrections.
MOST_CORRECTIONS = 200

FockOf = Callable[[np.ndarray], np.ndarray]


class NoFixedPoint(Failed):
    """The mid-point Fock matrix did not become self-consistent."""


@dataclass(frozen=True, eq=False)
class StepRules:
    """What every Magnus step of a run shares.

    external(t): the field's matrix in the working basis, (n_spin, m, m), or None where no field acts.
    exponential(F, Y): exp(-i dt F) Y. norm(Y, occupations): one number a spin, compared with `tolerance`.
    begins(number): told of every step, by the number of the point that it starts from.
    """

    dt: float
    tolerance: float
    external: Callable[[float], np.ndarray | None]
    exponential: Callable[[np.ndarray, np.ndarray], np.ndarray]
    norm: Callable[[np.ndarray, np.ndarray], np.ndarray]
    begins: Callable[[int], None] = lambda _: None


def magnus_step(state: State, fock_of: FockOf, rules: StepRules) -> tuple[State, list[np.ndarray]]:
    """One step; also the changes of the norm at corrections 2, 3, ..., for NWChem's convergence lines.

    fock_of: field-free F' of a P'. Raises NoFixedPoint after 200 corrections.
    """
    later = state.time + rules.dt
    field = rules.external(later)
    half = 2.0 * state.fock - state.fock_half
    orbitals = rules.exponential(half, state.orbitals)
    density = density_of(orbitals, state.occupations)
    changes: list[np.ndarray] = []
    last_norm = None
    rules.begins(state.step)
    for _ in range(MOST_CORRECTIONS):
        fock = fock_of(density)
        if field is not None:
            fock = fock + field
        half = 0.5 * (state.fock + fock)
        orbitals = rules.exponential(half, state.orbitals)
        density = density_of(orbitals, state.occupations)
        norm = rules.norm(orbitals, state.occupations)
        if last_norm is not None:
            changes.append(np.abs(norm - last_norm))
            if changes[-1].max() <= rules.tolerance:
                return State(state.step + 1, later, orbitals, state.occupations, density, fock, half), changes
        last_norm = norm
    raise NoFixedPoint(
        f"the Magnus step at t = {state.time:.5f} au did not become self-consistent "
        f"in {MOST_CORRECTIONS} corrections; a smaller dt is needed"
    )


def make_exponential(energies: np.ndarray, dt: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """exp(-i dt F) Y: interaction picture about diag(energies) where that is exact enough, else Chebyshev."""
    phases = interaction_phases(energies, dt)
    n = energies.shape[1]

    def exponential(fock: np.ndarray, orbitals: np.ndarray) -> np.ndarray:
        perturbation = fock.copy()
        perturbation.reshape(len(fock), -1)[:, :: n + 1] -= energies
        flat = perturbation.reshape(-1)
        if dt * dt * np.vdot(flat, flat).real < WEAK:
            return propagate_weakly(perturbation, orbitals, phases)
        return propagate(fock, orbitals, dt)

    return exponential


def canonical_norm(to_canonical: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """NWChem's norm of P': one number a spin, its largest |element| in the canonical basis.

    to_canonical: T (n_spin, m, m) real, from the working basis. P = T Y n Y^† T^† has no negative
    eigenvalue, so that its largest element stands on the diagonal: max_i Σ_k n_k |(T Y)_ik|².
    """

    def norm(orbitals: np.ndarray, occupations: np.ndarray) -> np.ndarray:
        n_spin, m, k = orbitals.shape
        # Real and imaginary parts as neighbouring columns: a real product, half the work of a complex one.
        parts = to_canonical @ np.ascontiguousarray(orbitals).view(np.float64)
        squares = np.square(parts, out=parts).reshape(n_spin, m, k, 2).sum(axis=3)
        return (squares @ occupations[:, :, None]).max(axis=(1, 2))

    return norm
