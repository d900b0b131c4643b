"""PySCF's own SCF on a system, as a PySCF user would run it: default DIIS, default thresholds."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from ..orbitals import Orbitals
from ..scf_run import ScfRun
from ..system import System
from .mean_field import mean_field_of
from .molecule import molecule


def run_pyscf_scf(
    system: System, guess: np.ndarray | None, integrals: np.ndarray | None = None, max_iterations: int = 50
) -> ScfRun:
    """Converge RKS or UKS from a density (n_spin, n, n), or from PySCF's default guess.

    integrals: packed (μν|λσ) where they are known. An SCF that does not converge is returned as it is.
    """
    began = time.perf_counter()
    mean_field = _fitted(system)
    mean_field.max_cycle = max_iterations
    mean_field._eri = integrals
    energies: list[float] = []
    mean_field.callback = lambda variables: energies.append(float(variables["e_tot"]))
    mean_field.kernel(dm0=None if guess is None else (guess if system.open_shell else guess[0]))
    shape = (system.n_spin, system.n_basis, -1)
    orbitals = Orbitals(
        np.asarray(mean_field.mo_coeff).reshape(shape),
        np.asarray(mean_field.mo_energy).reshape(system.n_spin, -1),
        np.asarray(mean_field.mo_occ, dtype=float).reshape(system.n_spin, -1),
        float(mean_field.e_tot),
        len(energies),
    )
    seconds = time.perf_counter() - began
    return ScfRun(tuple(energies), bool(mean_field.converged), seconds, orbitals, mean_field.conv_tol)


def _fitted(system: System) -> Any:
    """PySCF's SCF object, with the Coulomb fit that the system asks for."""
    mean_field = mean_field_of(system, molecule(system))
    if system.fitting_basis is None:
        return mean_field
    fitting = molecule(replace(system, basis=system.fitting_basis, ecp={}))._basis
    return mean_field.density_fit(auxbasis=fitting, only_dfj=True)
