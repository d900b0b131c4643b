"""The reference's Magnus step to first order, between empty and occupied orbitals.

With η_ai = P'_ai / n, counted from where it rests, its gaps ω and V = n (A Re η + i B Im η),

    M(η, F) = e η + g F,   e = exp(-iω dt),   g = -i exp(-iω dt / 2) dt sinc(ω dt / 2)

(`propagate_weakly` to first order). A step predicts η from 2 F(t) - F(t - dt/2) and corrects it twice,

    F₁ = V(η₁),   F(t + dt/2) = ½ (F + F₁),   η₁ ← M(η, F(t + dt/2))

since the norm's change, of second order in η, is below NWChem's tolerance by then.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Corrections of a step.
CORRECTIONS = 2


@dataclass(frozen=True, eq=False)
class Phases:
    """How pairs turn by themselves. gaps: (d,) ω, Hartree. dt: au."""

    gaps: np.ndarray
    dt: float

    @property
    def turn(self) -> np.ndarray:
        """e, (d,)."""
        return np.exp(-1j * self.gaps * self.dt)

    @property
    def push(self) -> np.ndarray:
        """g, (d,)."""
        half = 0.5 * self.gaps * self.dt
        return -1j * self.dt * np.exp(-1j * half) * np.sinc(half / np.pi)


@dataclass(frozen=True, eq=False)
class PairMap:
    """A step of d pairs. real, imaginary: n A and n B, (d, d) symmetric, Hartree; None: B is zero."""

    phases: Phases
    real: np.ndarray
    imaginary: np.ndarray | None

    def response(self, eta: np.ndarray) -> np.ndarray:
        """V of η (..., d)."""
        response = (np.real(eta) @ self.real).astype(complex)
        if self.imaginary is not None:
            response += 1j * (np.imag(eta) @ self.imaginary)
        return response


@dataclass(frozen=True, eq=False)
class PairState:
    """η, F(t) and F(t - dt/2) of one point, (d,) complex each; F without its value at rest."""

    eta: np.ndarray
    fock: np.ndarray
    fock_half: np.ndarray


def scheme_step(
    state: PairState, phases: Phases, response: Callable[[np.ndarray], np.ndarray]
) -> tuple[PairState, np.ndarray]:
    """The point after one step, and η after the last correction but one; response: V of η (d,)."""
    free, push = phases.turn * state.eta, phases.push
    after = free + push * (2.0 * state.fock - state.fock_half)
    before, fock, half = after, state.fock, state.fock_half
    for _ in range(CORRECTIONS):
        before = after
        fock = response(after)
        half = 0.5 * (state.fock + fock)
        after = free + push * half
    return PairState(after, fock, half), before
