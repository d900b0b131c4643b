"""What each basis function is: its atom, angular momentum and contraction, in the order of all matrices."""

from dataclasses import dataclass

import numpy as np
from pyscf import gto


@dataclass(frozen=True, eq=False)
class BasisTable:
    """One row a function, (n,) and (n, k), k primitives in the longest contraction; others end in zeros.

    magnetic_quantum: -l … l, or the number of the component where functions are cartesian.
    exponents: 1/bohr². coefficients: of normalised primitives.
    """

    atom_index: np.ndarray
    angular_momentum: np.ndarray
    magnetic_quantum: np.ndarray
    exponents: np.ndarray
    coefficients: np.ndarray


def basis_table(mol: gto.Mole) -> BasisTable:
    """The table of a molecule, in PySCF's order."""
    shells = [
        (mol.bas_exp(shell), column)
        for shell in range(mol.nbas)
        for column in np.asarray(mol.bas_ctr_coeff(shell)).T
        for _ in _components(mol, shell)
    ]
    rows = np.array(
        [
            (mol.bas_atom(shell), mol.bas_angular(shell), m)
            for shell in range(mol.nbas)
            for _ in range(int(mol.bas_nctr(shell)))
            for m in _components(mol, shell)
        ],
        dtype=np.int32,
    )
    longest = max(len(exponents) for exponents, _ in shells)
    exponents, coefficients = np.zeros((2, len(shells), longest))
    for row, (exponent, coefficient) in enumerate(shells):
        exponents[row, : len(exponent)] = exponent
        coefficients[row, : len(coefficient)] = coefficient
    return BasisTable(rows[:, 0], rows[:, 1], rows[:, 2], exponents, coefficients)


def _components(mol: gto.Mole, shell: int) -> list[int]:
    degree = int(mol.bas_angular(shell))
    if mol.cart:
        return list(range((degree + 1) * (degree + 2) // 2))
    # PySCF orders p functions x, y, z.
    return [1, -1, 0] if degree == 1 else list(range(-degree, degree + 1))
