"""The propagator's state between two steps, in the working basis."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class State:
    """Orbitals with occupations, and the Fock history that Magnus' extrapolation needs.

    step: steps made so far; time: au, accumulated by addition as NWChem does.
    orbitals Y: (n_spin, m, k) complex; occupations: (n_spin, k); P' = Y diag(occupations) Y^†.
    density: P', (n_spin, m, m), kept beside the orbitals (rk4 and euler carry P' alone: their Y is empty).
    fock: F'(t) with the field; fock_half: F'(t - dt/2).
    """

    step: int
    time: float
    orbitals: np.ndarray
    occupations: np.ndarray
    density: np.ndarray
    fock: np.ndarray
    fock_half: np.ndarray


def density_of(orbitals: np.ndarray, occupations: np.ndarray) -> np.ndarray:
    """P' = Y diag(occupations) Y^†, (n_spin, m, m)."""
    return (orbitals * occupations[:, None, :]) @ orbitals.conj().swapaxes(-1, -2)


def times_from(state: State, n_steps: int, dt: float) -> np.ndarray:
    """Of the points and the end, (n_steps + 1,), added up step by step as NWChem does."""
    return np.add.accumulate(np.array([state.time, *[dt] * n_steps]))


def natural_orbitals(density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Y and occupations of any Hermitian P'; orbitals that no spin occupies are left out."""
    occupations, orbitals = np.linalg.eigh(density)
    occupations, orbitals = occupations[:, ::-1], orbitals[:, :, ::-1]
    occupied = np.flatnonzero(np.abs(occupations).max(axis=0) > 1e-12)
    k = int(occupied.max()) + 1 if occupied.size else 1
    return np.ascontiguousarray(orbitals[:, :, :k]).astype(complex), occupations[:, :k].copy()
