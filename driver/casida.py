"""All excitations of linear-response TDDFT, and the dipole that they let a field induce.

    (A - B)^½ (A + B) (A - B)^½ Z = ω² Z,      d_n = Σ_ia r_ia [(A - B)^½ Z_n]_ia / ω_n^½
    δμ(t) = 2 Σ_n d_n ∫ d_n · E(t') sin ω_n (t - t') dt'

Casida, in Recent Advances in Density Functional Methods I, 155 (1995). The field of a time step is the mean
of its ends, as the Magnus propagator takes it. Everything that is not linear in the field is left out.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyscf import dft, tdscf

from ..adapters.ground_state import Orbitals
from ..adapters.pyscf_engine import PySCFEngine
from ..adapters.quadrature import GRID_LEVEL

#: More pairs of occupied and empty orbitals than this are refused: the matrices are (pairs, pairs).
MOST_PAIRS = 4000


class NoLinearResponse(Exception):
    """Excitations that cannot be had. One line."""


@dataclass(frozen=True, eq=False)
class Excitations:
    """energies: (r,) Hartree; dipoles: (r, 3) transition moments, au, of both spins."""

    energies: np.ndarray
    dipoles: np.ndarray

    @property
    def strengths(self) -> np.ndarray:
        """Oscillator strengths ⅔ ω |d|², (r,)."""
        return 2.0 / 3.0 * self.energies * np.sum(self.dipoles**2, axis=1)


def all_excitations(engine: PySCFEngine, orbitals: Orbitals) -> Excitations:
    """Every excitation of the ground state that the dipole reaches (singlets of a closed shell).

    Raises NoLinearResponse for too large a molecule and for a ground state that is no minimum.
    """
    open_shell = engine.system.open_shell
    pairs = _pair_dipoles(engine, orbitals)
    if len(pairs) > MOST_PAIRS:
        raise NoLinearResponse(f"{len(pairs)} pairs of orbitals; accepted: up to {MOST_PAIRS}")
    mean_field: Any = (dft.UKS if open_shell else dft.RKS)(engine.mol, xc=engine.system.functional.pyscf)
    mean_field.grids.level = GRID_LEVEL[engine.system.grid]
    mean_field.mo_coeff = orbitals.coefficients if open_shell else orbitals.coefficients[0]
    mean_field.mo_energy = orbitals.energies if open_shell else orbitals.energies[0]
    mean_field.mo_occ = orbitals.occupations if open_shell else orbitals.occupations[0]
    mean_field.converged = True
    A, B = (_square(matrix) for matrix in tdscf.TDDFT(mean_field).get_ab())
    return solve_casida(A, B, pairs)


def solve_casida(A: np.ndarray, B: np.ndarray, pairs: np.ndarray) -> Excitations:
    """From A and B (p, p) and the pairs' dipole matrix elements (p, 3). Raises NoLinearResponse."""
    sizes, vectors = np.linalg.eigh(A - B)
    if not sizes.min() > 0.0:
        raise NoLinearResponse("the ground state is no minimum: A - B has an eigenvalue that is not positive")
    root = (vectors * np.sqrt(sizes)) @ vectors.T
    squares, Z = np.linalg.eigh(root @ (A + B) @ root)
    if not squares.min() > 0.0:
        raise NoLinearResponse("the ground state is no minimum: an excitation's energy is imaginary")
    energies = np.sqrt(squares)
    return Excitations(energies, (root @ Z / np.sqrt(energies)).T @ pairs)


def induced_dipole(excitations: Excitations, field: np.ndarray, dt: float) -> np.ndarray:
    """δμ (n, 3) at the points where the field is given, (n, 3), dt apart; at rest at the first one."""
    omega = excitations.energies
    turn = np.exp(-1j * omega * dt)
    # ∫ exp(-iω(dt - s)) ds over one step.
    push = (1.0 - turn) / (1j * omega)
    drive = 0.5 * (field[:-1] + field[1:]) @ excitations.dipoles.T
    amplitudes = np.zeros((len(field), len(omega)), complex)
    for k in range(len(field) - 1):
        amplitudes[k + 1] = turn * amplitudes[k] + push * drive[k]
    return -2.0 * np.imag(amplitudes) @ excitations.dipoles


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
