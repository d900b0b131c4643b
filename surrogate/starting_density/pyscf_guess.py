"""PySCF's own initial guesses, for comparison and as the standard that any other has to beat."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pyscf import dft

from ...adapters.pyscf.initial_guess import initial_guess
from ...adapters.pyscf.molecule import molecule
from ...adapters.system import System
from .predictor import NotApplicable

#: `sap` is PySCF's `vsap`, the superposition of tabulated atomic potentials on a grid.
PySCFGuess = Literal["minao", "atom", "huckel", "sap"]
#: The guess that any other has to beat: PySCF's default.
STANDARD: PySCFGuess = "minao"


@dataclass(frozen=True)
class PySCFStart:
    """One of PySCF's guesses."""

    name: PySCFGuess

    def predict(self, system: System) -> np.ndarray:
        """Density (n_spin, n, n); of `minao` and `atom` not idempotent, nor of the right charge for ions."""
        if self.name == "sap" and system.ecp:
            raise NotApplicable("sap: knows atoms with all their electrons only, no ECP")
        mol = molecule(system)
        make = dft.UKS if system.open_shell else dft.RKS
        mean_field = make(mol, xc=system.functional.pyscf)
        mean_field.grids.level = 0
        key = "vsap" if self.name == "sap" else self.name
        return initial_guess(mean_field, key, system.n_spin)
