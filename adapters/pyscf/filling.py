"""PySCF's SCF with orbitals filled as NWChem's `smear`, `fon` and `occup` fill them."""

from typing import Any

import numpy as np
from pyscf import scf

from ..system.filling import Filling


def filled(mean_field: Any, filling: Filling) -> Any:
    """The SCF object that fills so. PySCF's Gaussian smearing is NWChem's."""
    if not filling.occupations:
        return scf.addons.smearing(mean_field, filling.smear, method="gauss", fix_spin=True)
    # Of the smeared SCF it has the gradient, between any two orbitals; its occupations are replaced.
    fixed: Any = scf.addons.smearing(mean_field, 1.0, method="gauss")
    fixed.get_occ = lambda energies=None, coefficients=None: _fixed(np.asarray(energies), filling)
    return fixed


def _fixed(energies: np.ndarray, filling: Filling) -> np.ndarray:
    """Occupations, of the shape of energies: (m,) or (2, m)."""
    occupations = np.zeros_like(energies)
    rows = np.atleast_2d(occupations), np.atleast_2d(energies)
    for row, values, given in zip(*rows, filling.occupations, strict=True):
        row[np.argsort(values, kind="stable")[: len(given)]] = given
    return occupations
