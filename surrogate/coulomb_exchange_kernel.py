"""Coulomb and exchange as matrices on packed pairs of basis functions."""

import numpy as np
from pyscf import ao2mo, gto

from .symmetric_pairs import pair_indices

# Rows of the exchange matrices gathered at once: bounds the index arrays to some 100 MB at 150 functions.
_BLOCK_ELEMENTS = 2**22


def repulsion_integrals(mol: gto.Mole, omega: float | None = None) -> np.ndarray:
    """(μν|λσ) over pairs μ ≥ ν, λ ≥ σ: (n_pair, n_pair), hartree.

    omega: None for 1/r; a positive value for the long-range part erf(ωr)/r, in 1/bohr.
    """
    if omega is None:
        integrals = mol.intor("int2e", aosym="s8")
    else:
        with mol.with_range_coulomb(omega):
            integrals = mol.intor("int2e", aosym="s8")
    return ao2mo.restore(4, integrals, mol.nao)


def coulomb_kernel(integrals: np.ndarray, n: int) -> np.ndarray:
    """J on packed symmetric matrices, (n_pair, n_pair), from `repulsion_integrals`."""
    weight = pair_indices(n)[2]
    return integrals * weight * weight[:, None]


def exchange_kernels(integrals: np.ndarray, n: int, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """K_μν = Σ (μλ|σν) P_λσ on packed symmetric and on packed antisymmetric matrices.

    Returns (n(n+1)/2, n(n+1)/2) and (n(n-1)/2, n(n-1)/2) of the given dtype. With a = (μλ|σν) and
    b = (μσ|λν), λ ≥ σ, a symmetric P gathers a + b, an antisymmetric one a − b.
    """
    row, column, weight = pair_indices(n)
    n_pair = len(row)
    pair = np.empty((n, n), np.intp)
    pair[row, column] = pair[column, row] = np.arange(n_pair)
    strict = np.flatnonzero(row != column)
    symmetric = np.empty((n_pair, n_pair), dtype)
    antisymmetric = np.empty((len(strict), len(strict)), dtype)
    step = max(1, _BLOCK_ELEMENTS // n_pair)
    done = 0
    for start in range(0, n_pair, step):
        mu, nu = row[start : start + step, None], column[start : start + step, None]
        a = integrals[pair[mu, row], pair[nu, column]]
        b = integrals[pair[mu, column], pair[nu, row]]
        symmetric[start : start + step] = 0.5 * (a + b) * weight * weight[start : start + step, None]
        difference = (a - b)[(mu != nu)[:, 0]][:, strict]
        antisymmetric[done : done + len(difference)] = difference
        done += len(difference)
    return symmetric, antisymmetric
