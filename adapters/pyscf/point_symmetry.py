"""The point group of a molecule, as far as it keeps orbitals apart: D2h and its subgroups.

Every irrep of these groups is one-dimensional, and numbered such that the product of two is their bitwise
exclusive or (PySCF's numbering). What is symmetric under the whole group, the ground state's Fock matrix or
its response, does not connect different irreps.
"""

import numpy as np
from pyscf import gto, symm
from pyscf.lib.exceptions import PointGroupSymmetryError

from ..working_basis import SymmetryOrbitals

#: PySCF's names of groups without a number: they hold these of D2h's subgroups.
_LINEAR_OR_ATOM = {"SO3": "D2h", "Dooh": "D2h", "Coov": "C2v"}


def symmetry_orbitals(mol: gto.Mole) -> SymmetryOrbitals:
    """Symmetry-adapted combinations of the atomic orbitals; one irrep for all where there is no symmetry.

    Atoms count as equivalent within PySCF's tolerance, 1e-5 bohr.
    """
    group, origin, axes = symm.detect_symm(mol._atom, mol._basis)
    subgroup, axes = symm.geom.as_subgroup(group, axes, _LINEAR_OR_ATOM.get(group))
    try:
        combinations, irreps = symm.symm_adapted_basis(mol, subgroup, origin, axes)
    except PointGroupSymmetryError:
        # Found within the tolerance, but not every atom's image is there within it.
        combinations, irreps = symm.symm_adapted_basis(mol, "C1", origin, axes)
    numbers = np.repeat(np.asarray(irreps), [part.shape[1] for part in combinations])
    return SymmetryOrbitals(np.hstack(combinations), numbers)
