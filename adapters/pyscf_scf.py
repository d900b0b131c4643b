"""PySCF's own SCF on a system, as a PySCF user would run it: default DIIS, default thresholds."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
from pyscf import dft

from .ground_state import Orbitals
from .molecule import molecule
from .quadrature import GRID_LEVEL
from .scf_run import ScfRun
from .system import System


def run_pyscf_scf(
    system: System, guess: np.ndarray | None, integrals: np.ndarray | None = None, max_iterations: int = 50
) -> ScfRun:
    """Converge RKS or UKS from a density (n_spin, n, n), or from PySCF's default guess.

    integrals: packed (μν|λσ) where they are known. An SCF that does not converge is returned as it is.
    """
    began = time.perf_counter()
    mean_field = _mean_field(system)
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


def _mean_field(system: System) -> Any:
    """PySCF's SCF object; its class is built at run time."""
    make = dft.UKS if system.open_shell else dft.RKS
    mean_field = make(molecule(system), xc=system.functional.pyscf)
    mean_field.grids.level = GRID_LEVEL[system.grid]
    if system.fitting_basis is None:
        return mean_field
    fitting = molecule(replace(system, basis=system.fitting_basis, ecp={}))._basis
    return mean_field.density_fit(auxbasis=fitting, only_dfj=True)
