"""All excitations of linear-response TDDFT, and the dipole that they let a field induce.

    δμ(t) = 2 Σ_n d_n ∫ d_n · E(t') sin ω_n (t - t') dt'

The field of a time step is the mean of its ends, as the Magnus propagator takes it. Everything that is not
linear in the field is left out.
"""

import math
from typing import Any

import numpy as np
from pyscf import tdscf

from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.pyscf.mean_field import converged_mean_field
from ...atomic.errors import Failed
from ...surrogate.samples.resonances import LEAST_ENERGY, Excitations, excitations

#: More pairs of occupied and empty orbitals than this are refused: the matrices are (pairs, pairs).
MOST_PAIRS = 4000


class NoLinearResponse(Failed):
    """Excitations that cannot be had. One line."""


def all_excitations(engine: PySCFEngine, orbitals: Orbitals) -> Excitations:
    """Every excitation of the ground state that the dipole reaches (singlets of a closed shell).

    Raises NoLinearResponse for too large a molecule and for a ground state that is no minimum.
    """
    pairs = _pair_dipoles(engine, orbitals)
    if len(pairs) > MOST_PAIRS:
        raise NoLinearResponse(f"{len(pairs)} pairs of orbitals; accepted: up to {MOST_PAIRS}")
    mean_field = converged_mean_field(engine.system, engine.mol, orbitals)
    A, B = (_square(matrix) for matrix in tdscf.TDDFT(mean_field).get_ab())
    return solve_casida(A, B, pairs)


def solve_casida(A: np.ndarray, B: np.ndarray, pairs: np.ndarray) -> Excitations:
    """From A and B (p, p) and the pairs' dipole matrix elements (p, 3). Raises NoLinearResponse."""
    found = excitations(A - B, A + B, pairs)
    if not found.energies.min() > LEAST_ENERGY:
        raise NoLinearResponse("the ground state is no minimum: an excitation's energy is zero or imaginary")
    return found


def induced_dipole(driven: Excitations, field: np.ndarray, dt: float) -> np.ndarray:
    """δμ (n, 3) at the points where the field is given, (n, 3), dt apart; at rest at the first one."""
    omega = driven.energies
    turn = np.exp(-1j * omega * dt)
    # ∫ exp(-iω(dt - s)) ds over one step.
    push = (1.0 - turn) / (1j * omega)
    drive = 0.5 * (field[:-1] + field[1:]) @ driven.dipoles.T
    amplitudes = np.zeros((len(field), len(omega)), complex)
    for k in range(len(field) - 1):
        amplitudes[k + 1] = turn * amplitudes[k] + push * drive[k]
    return -2.0 * np.imag(amplitudes) @ driven.dipoles


def _pair_dipoles(engine: PySCFEngine, orbitals: Orbitals) -> np.ndarray:
    """⟨i|r|a⟩ of the pairs (i, a), spin by spin, (p, 3); √2 of it for a closed shell's singlets."""
    rows = []
    for coefficients, occupations in zip(orbitals.coefficients, orbitals.occupations, strict=True):
        occupied, empty = coefficients[:, occupations > 0.0], coefficients[:, occupations == 0.0]
        moments = np.einsum("mi,xmn,na->iax", occupied, engine.integrals.dipole, empty)
        rows.append(moments.reshape(-1, 3))
    return np.concatenate(rows) * (math.sqrt(2.0) if len(rows) == 1 else 1.0)


def _square(matrix: Any) -> np.ndarray:
    """PySCF's (o, v, o, v), or its αα, αβ, ββ blocks, as one (p, p)."""
    if not isinstance(matrix, tuple):
        o, v = matrix.shape[:2]
        return matrix.reshape(o * v, o * v)
    same, mixed, other = (b.reshape(b.shape[0] * b.shape[1], -1) for b in matrix)
    return np.block([[same, mixed], [mixed.T, other]])
