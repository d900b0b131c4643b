"""PySCF's own mean-field object of a system, for what PySCF computes itself."""

from typing import Any

from pyscf import dft, gto

from ..orbitals import Orbitals
from ..system import System
from .quadrature import GRID_LEVEL


def mean_field_of(system: System, mol: gto.Mole) -> Any:
    """RKS or UKS with the system's functional and grid. PySCF builds such classes at run time."""
    mean_field = (dft.UKS if system.open_shell else dft.RKS)(mol, xc=system.functional.pyscf)
    mean_field.grids.level = GRID_LEVEL[system.grid]
    return mean_field


def converged_mean_field(system: System, mol: gto.Mole, orbitals: Orbitals) -> Any:
    """The same, holding orbitals that are converged already."""
    mean_field = mean_field_of(system, mol)
    arrays = orbitals.coefficients, orbitals.energies, orbitals.occupations
    mean_field.mo_coeff, mean_field.mo_energy, mean_field.mo_occ = (
        arrays if system.open_shell else (array[0] for array in arrays)
    )
    mean_field.converged = True
    return mean_field
