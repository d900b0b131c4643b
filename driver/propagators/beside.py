"""A propagation close beside another that is known: a Fock matrix and an exponential a step.

    F_½ = ½ [F(t) + F(t + dt)] + ½ [ΔF(t) + ΔF(t + dt)],    ΔF(t) = F[P(t) + δ(t)] - F(t)

F, P: of the known steps. δ, how far apart the densities are, is carried on in the interaction picture about
diag(ε), where it changes slowly: δ(t + dt) ≈ φ∘(2 δ(t) - φ∘δ(t - dt)), φ_pq = exp(-i dt (ε_p - ε_q)). So
ΔF(t + dt) needs no correction, and what the known steps leave open between two corrections stays out of δ.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .state import State, density_of


@dataclass(frozen=True, eq=False)
class StepsBeside:
    """k Magnus steps.

    start, end: states. densities: after each step, (k, n_spin, m, m). focks: F' there, the field included.
    asked: P' that it was built for, that of the last correction but one.
    """

    start: State
    end: State
    densities: np.ndarray
    focks: np.ndarray
    asked: np.ndarray


def turns_of(energies: np.ndarray, dt: float) -> np.ndarray:
    """φ (n_spin, m, m) of ε (n_spin, m)."""
    phases = np.exp(-1j * dt * energies)
    return phases[:, :, None] * phases.conj()[:, None, :]


def steps_beside(
    known: StepsBeside,
    state: State,
    fock_of: Callable[[np.ndarray, int], np.ndarray],
    exponential: Callable[[np.ndarray, np.ndarray], np.ndarray],
    turns: np.ndarray,
) -> tuple[np.ndarray, State]:
    """P' after each step, (k, n_spin, m, m), and the end, from a state at the known steps' start.

    fock_of: F', the field included, of a P' after step k = 0, 1, ...
    """
    orbitals, occupations = state.orbitals, state.occupations
    fock, apart, change = known.start.fock, state.density - known.start.density, state.fock - known.start.fock
    before: np.ndarray | None = None
    half, found = state.fock_half, np.empty_like(known.densities)
    steps = zip(known.densities, known.focks, known.asked, strict=True)
    for k, (density, following, asked) in enumerate(steps):
        turned = turns * apart
        ahead = turned if before is None else 2.0 * turned - turns * before
        middle, moved = 0.5 * (fock + following + change), orbitals
        # Ahead of the first step nothing tells how δ changes.
        for _ in range(2 if before is None else 1):
            change = fock_of(asked + ahead, k) - following
            half = middle + 0.5 * change
            moved = exponential(half, orbitals)
            found[k] = density_of(moved, occupations)
            ahead = found[k] - density
        orbitals, fock, apart, before = moved, following, ahead, turned
    end, fock = known.end, known.end.fock + change
    return found, State(end.step, end.time, orbitals, occupations, found[-1], fock, half)
