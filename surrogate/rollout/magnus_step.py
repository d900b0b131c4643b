"""Nodes of one step of a batch of trajectories, as NWChem makes it with its default tolerances.

    F(t + dt/2) ≈ 2 F(t) - F(t - dt/2);   Y = exp(-i dt F(t + dt/2)) Y(t);   then CORRECTIONS times
    F(t + dt/2) ← ½ [F(t) + F[Y] + V(t + dt)];   Y ← exp(-i dt F(t + dt/2)) Y(t)

The exponential is Chebyshev's series (`driver/propagators/exponential.py` has the paper) on real matrices:
-i F acts on stacked real and imaginary parts as [[F_i, F_r], [-F_r, F_i]]. What is the same phase for all
orbitals is left out.
"""

from dataclasses import dataclass

import numpy as np
import scipy.special

from ...atomic.errors import BadInput
from .fock_matrix import dipole_of, field_matrix, fock_of
from .learned_rows import RowNames
from .molecule import RolloutMatrices
from .nodes import Nodes

#: NWChem tests for the first time behind the second, and in weak fields stops there.
CORRECTIONS = 2
#: Hartree by which F's spectrum may leave that of F0 on either side at full accuracy; further out it falls
#: off slowly.
MARGIN = 3.0
#: Terms of the series below this are left out; most terms.
SERIES, MOST_TERMS = 1e-15, 300


class TooLong(BadInput):
    """A time step too long for the basis. One line."""


@dataclass(frozen=True)
class StateNames:
    """Names of a state between two steps.

    orbitals: (batch, n_spin, k, 2m), real parts, then imaginary. fock, fock_half: F(t) with the field and
    F(t - dt/2), (batch, n_spin, 2, m, m), real and imaginary.
    """

    orbitals: str
    fock: str
    fock_half: str


def start(nodes: Nodes, molecule: RolloutMatrices, field: str) -> tuple[StateNames, str]:
    """The ground state in a field E(0), (batch, 3), and its dipole (batch, 3)."""
    n_spin, m, k = molecule.orbitals.shape
    rows = np.zeros((1, n_spin, k, 2 * m))
    rows[0, :, :, :m] = molecule.orbitals.swapaxes(1, 2)
    batch = nodes("Shape", field, start=0, end=1)
    shape = nodes("Concat", batch, nodes.whole(n_spin, k, 2 * m), axis=0)
    orbitals = nodes("Expand", nodes.constant(rows), shape)
    fock = np.zeros((1, n_spin, 2, m, m))
    fock[:, :, 0] = molecule.fock
    acting = nodes("Unsqueeze", field_matrix(nodes, molecule, field), nodes.whole(2))
    both = np.array([1.0, 0.0])[:, None, None]
    total = nodes("Add", nodes.constant(fock), nodes("Mul", acting, nodes.constant(both)))
    return StateNames(orbitals, total, total), dipole_of(nodes, molecule, orbitals)


def step(
    nodes: Nodes, molecule: RolloutMatrices, dt: float, state: StateNames, field: str
) -> tuple[StateNames, str]:
    """The state a step later, in a field E(t + dt), (batch, 3), and the dipole there (batch, 3)."""
    acting = field_matrix(nodes, molecule, field)
    orbitals = extrapolated(nodes, molecule, dt, state)
    later = state
    for _ in range(CORRECTIONS):
        later = corrected(nodes, molecule, dt, state, (orbitals, acting))
        orbitals = later.orbitals
    return later, dipole_of(nodes, molecule, orbitals)


def extrapolated(nodes: Nodes, molecule: RolloutMatrices, dt: float, state: StateNames) -> str:
    """Orbitals a step later, by F(t + dt/2) as it goes on from before."""
    half = nodes("Sub", nodes("Mul", state.fock, nodes.constant(2.0)), state.fock_half)
    return exponential(nodes, molecule, dt, half, state.orbitals)


def corrected(
    nodes: Nodes,
    molecule: RolloutMatrices,
    dt: float,
    state: StateNames,
    at_end: tuple[str, str],
    rows: RowNames | None = None,
) -> StateNames:
    """The state a step later by one correction. at_end: orbitals as known so far, and the field's matrix."""
    orbitals, acting = at_end
    real, imaginary = fock_of(nodes, molecule, orbitals, rows)
    fock = both_parts(nodes, nodes("Add", real, acting), imaginary)
    half = nodes("Mul", nodes("Add", state.fock, fock), nodes.constant(0.5))
    return StateNames(exponential(nodes, molecule, dt, half, state.orbitals), fock, half)


def exponential(nodes: Nodes, molecule: RolloutMatrices, dt: float, fock: str, orbitals: str) -> str:
    """exp(-i dt F) Y but for a common phase.

    By Clenshaw's recursion, in the form for T_n+1 = 2 A T_n + T_n-1: b_n = c_n Y + 2 A b_n+1 + b_n+2.
    """
    n_spin, m, _ = molecule.orbitals.shape
    centre, radius = spectrum(molecule)
    coefficients = series(radius * dt)
    shifted = np.zeros((1, 1, 2, m, m))
    shifted[0, 0, 0] = centre / radius * np.eye(m)
    scaled = nodes("Sub", nodes("Mul", fock, nodes.constant(1.0 / radius)), nodes.constant(shifted))
    once = generator(nodes, scaled)
    twice = nodes("Mul", once, nodes.constant(2.0))
    weights = nodes.constant(np.array(coefficients).reshape(1, 1, -1, 1, 1))
    weighted = nodes("Mul", nodes("Unsqueeze", orbitals, nodes.whole(2)), weights)
    parts = nodes.split(weighted, 2, *[1] * len(coefficients))
    later, now = parts[-1], nodes("Sum", parts[-2], nodes("MatMul", parts[-1], twice))
    for part in reversed(parts[1:-2]):
        later, now = now, nodes("Sum", part, nodes("MatMul", now, twice), later)
    result = nodes("Sum", parts[0], nodes("MatMul", now, once), later)
    return nodes.reshape(result, 0, n_spin, -1, 2 * m)


def spectrum(molecule: RolloutMatrices) -> tuple[float, float]:
    """Centre and half width of what F's eigenvalues may lie in, Hartree."""
    low, high = float(molecule.energies.min()) - MARGIN, float(molecule.energies.max()) + MARGIN
    return 0.5 * (low + high), 0.5 * (high - low)


def generator(nodes: Nodes, fock: str) -> str:
    """-i F of real and imaginary parts, (batch, n_spin, 2, m, m), for rows from the left."""
    real, imaginary = nodes.split(fock, 2, 1, 1)
    # Transposed: F_r is symmetric, F_i antisymmetric.
    minus_real, minus_imaginary = nodes("Neg", real), nodes("Neg", imaginary)
    upper = nodes("Concat", minus_imaginary, minus_real, axis=4)
    return nodes("Concat", upper, nodes("Concat", real, minus_imaginary, axis=4), axis=3)


def series(x: float) -> list[float]:
    """(2 - δ_n0) J_n(x), n = 0, 1, ... Raises TooLong."""
    values = 2.0 * scipy.special.jv(np.arange(MOST_TERMS + 1), x)
    values[0] *= 0.5
    # J_n falls for good from n = x on.
    n_terms = int(np.flatnonzero(np.abs(values) > SERIES).max()) + 1
    if n_terms >= MOST_TERMS:
        raise TooLong(
            f"dt times the spectrum's half width is {x:.0f}, and the graph's series ends at about "
            f"{MOST_TERMS - 50}; accepted: a smaller dt, or a basis without core functions so tight"
        )
    return values[: max(n_terms, 3)].tolist()


def both_parts(nodes: Nodes, real: str, imaginary: str | None) -> str:
    """(batch, n_spin, 2, m, m)."""
    if imaginary is None:
        imaginary = nodes("Mul", real, nodes.constant(0.0))
    axis = nodes.whole(2)
    return nodes("Concat", nodes("Unsqueeze", real, axis), nodes("Unsqueeze", imaginary, axis), axis=2)
