"""What is tried where PySCF's SCF does not converge: open shells whose ground state is degenerate.

DIIS mixes holes of all orientations and follows none. So those orbitals are occupied that overlap most
with the ones before (A. T. B. Gilbert et al., J. Phys. Chem. A 112, 13164 (2008)), behind a level shift.
Where that fails too, orbitals are rotated by their Hessian (Newton's method), and what still turns by then is
let go sooner.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from pyscf import scf

#: Of empty orbitals while the occupation is locked, Hartree.
LEVEL_SHIFT = 0.3
#: Of the gradient. A quadrature grid has no axis: it turns a degenerate hole with 7e-7 Hartree (OH), so
#: slowly that the SCF would follow for hundreds of iterations. NWChem's SCF leaves 1e-4.
TURNING = 3e-6
#: The last way's: with grid `fine` oxygen's hole turns with 2e-6 Hartree, past 3e-6 for 150 iterations.
TURNING_FAST = 1e-5


def occupations_locked(mean_field: Any, coefficients: np.ndarray, occupations: np.ndarray) -> Any:
    """The SCF object, occupying what overlaps most with the occupied ones of these orbitals."""
    return scf.addons.mom_occ(mean_field, coefficients, occupations)


def fallbacks(mean_field: Any) -> Iterator[Any]:
    """SCF objects to go on with, each from where `mean_field` has stopped by then."""
    threshold = mean_field.conv_tol_grad
    locked = scf.addons.mom_occ(mean_field, mean_field.mo_coeff, mean_field.mo_occ)
    locked.level_shift, locked.conv_tol_grad = LEVEL_SHIFT, max(threshold, TURNING)
    yield locked
    locked.level_shift = 0.0
    second_order = mean_field.newton()
    second_order.conv_tol_grad = locked.conv_tol_grad
    yield second_order
    locked.level_shift, locked.conv_tol_grad = LEVEL_SHIFT, max(threshold, TURNING_FAST)
    yield locked
