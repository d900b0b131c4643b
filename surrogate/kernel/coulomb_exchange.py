"""Coulomb and exchange as matrices on packed pairs of orthonormal orbitals."""

import numpy as np
from pyscf import ao2mo, gto, lib

from ..matrices.symmetric_pairs import pair_indices


def repulsion_integrals(
    mol: gto.Mole, basis: np.ndarray, omega: float | None = None, packed: np.ndarray | None = None
) -> np.ndarray:
    """(pq|rs) over pairs p ≥ q, r ≥ s of orbitals: (n_pair, n_pair), hartree.

    basis: orbitals (n, m) in AO coefficients.
    omega: None for 1/r; a positive value for the long-range part erf(ωr)/r, in 1/bohr.
    packed: the 8-fold packed AO integrals where the caller has them.
    """
    integrals = packed
    if integrals is None:
        with mol.with_range_coulomb(omega):
            integrals = mol.intor("int2e", aosym="s8")
    return ao2mo.restore(4, ao2mo.incore.full(integrals, basis), basis.shape[1])


def coulomb_kernel(integrals: np.ndarray, m: int) -> np.ndarray:
    """J on packed symmetric matrices, (n_pair, n_pair), from `repulsion_integrals`."""
    weight = pair_indices(m)[2]
    kernel = integrals * weight
    kernel *= weight[:, None]
    return kernel


def exchange_kernels(integrals: np.ndarray, m: int, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """K_pq = Σ (pr|sq) P_rs on packed symmetric and on packed antisymmetric matrices.

    Returns (m(m+1)/2, m(m+1)/2) and (m(m-1)/2, m(m-1)/2). With a = (pr|sq) and b = (ps|rq), a symmetric P
    gathers a + b over r ≥ s (halved on the diagonal), an antisymmetric one a − b over r > s.
    """
    row, column, weight = pair_indices(m)
    pair = np.empty((m, m), np.intp)
    pair[row, column] = pair[column, row] = np.arange(len(row))
    strict = np.flatnonzero(row != column)
    symmetric = np.empty((len(row), len(row)), dtype)
    antisymmetric = np.empty((len(strict), len(strict)), dtype)
    for p in range(m):
        # (r, s, q) to (q, r, s) for q ≤ p: the rows of pairs pq.
        a = lib.unpack_tril(integrals[pair[p]])[:, :, : p + 1].transpose(2, 0, 1)
        b = a.transpose(0, 2, 1)
        weights = 0.5 * weight * weight[pair[p, : p + 1], None]
        symmetric[pair[p, : p + 1]] = lib.pack_tril(a + b) * weights
        if p:
            start = p * (p - 1) // 2
            antisymmetric[start : start + p] = lib.pack_tril((a - b)[:p])[:, strict]
    return symmetric, antisymmetric
