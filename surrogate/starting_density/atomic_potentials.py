"""The Fock matrix of superposed atomic potentials: what the density network corrects.

Lehtola, J. Chem. Theory Comput. 15, 1593 (2019); as Gaussian fits, analytic: Lehtola, Visscher, Engel,
J. Chem. Phys. 152, 144105 (2020). Potentials of neutral atoms leave nothing long-ranged to learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pyscf.gto import Mole

_FIT = "sapgraspsmall"


def atomic_potential_fock(mole: Mole) -> np.ndarray:
    """T + Σ atomic potentials, (n_basis, n_basis) Hartree; all-electron atoms only."""
    from pyscf.gto.basis import load
    from pyscf.scf import hf

    fits = {}
    for label, number in {(mole.atom_symbol(k), mole.atom_pure_symbol(k)) for k in range(mole.natm)}:
        (shell,) = load(_FIT, number)
        fits[label] = np.array(shell[1:], dtype=float)
    return hf.get_hcore(mole) + hf.make_sap(mole, fits)
