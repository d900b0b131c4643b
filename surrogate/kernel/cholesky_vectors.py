"""Cholesky vectors of the repulsion integrals, where these do not fit the memory.

    (μν|λσ) = Σ_Q L_Q,μν L_Q,λσ

to a tolerance on the diagonal, and so on every element. Shell pairs whose diagonal is largest come first,
some hundred columns at once (Koch, Sánchez de Merás, Pedersen, J. Chem. Phys. 118 (2003) 9481).
"""

import numpy as np
from pyscf import gto
from scipy.linalg import get_lapack_funcs, solve_triangular

#: Largest element that is left out, Hartree: many pairs, and diffuse functions, magnify it. With 1e-6 A of
#: formic acid in 6-311G(2df,2pd) is up to 5e-6 off, with this 6e-7, of a quarter more vectors.
TOLERANCE = 1e-7
#: Vectors a function, about.
VECTORS = 10
#: Columns at once; pivots are taken among them down to this share of the largest.
_COLUMNS, _SPAN = 300, 1e-2
#: Two shells, and which pairs of functions μ ≥ ν they have.
_ShellPair = tuple[int, int, np.ndarray]


def cholesky_vectors(
    mol: gto.Mole, omega: float | None = None, tolerance: float = TOLERANCE
) -> list[np.ndarray]:
    """L in parts, (some, n (n + 1) / 2) each, on pairs μ ≥ ν.

    omega: None for 1/r; a positive value for erf(ωr)/r, in 1/bohr.
    tolerance: the largest element that is left out, Hartree.
    """
    with mol.with_range_coulomb(omega):
        shells = _shell_pairs(mol)
        left = _diagonal(mol, shells)
        found: list[np.ndarray] = []
        while (largest := float(left.max())) > tolerance:
            least = max(_SPAN * largest, tolerance)
            chosen = _chosen(shells, left, least)
            own = np.concatenate([pairs[left[pairs] >= least] for _, _, pairs in chosen])
            columns = np.concatenate([_columns(mol, pair, left, least) for pair in chosen])
            for part in found:
                columns -= part[:, own].T @ part
            new, pivots = _factored(columns, own, least)
            left -= np.einsum("qp,qp->p", new, new)
            left[pivots] = 0.0
            found.append(new)
    return found


def _shell_pairs(mol: gto.Mole) -> list[_ShellPair]:
    starts = mol.ao_loc_nr()
    found = []
    for k in range(mol.nbas):
        for j in range(k + 1):
            row, column = np.meshgrid(
                np.arange(starts[k], starts[k + 1]), np.arange(starts[j], starts[j + 1]), indexing="ij"
            )
            kept = row >= column
            found.append((k, j, row[kept] * (row[kept] + 1) // 2 + column[kept]))
    return found


def _diagonal(mol: gto.Mole, shells: list[_ShellPair]) -> np.ndarray:
    """(μν|μν), (n (n + 1) / 2,)."""
    found = np.empty(mol.nao * (mol.nao + 1) // 2)
    for k, j, pairs in shells:
        four = mol.intor("int2e", shls_slice=(k, k + 1, j, j + 1, k, k + 1, j, j + 1))
        square = np.einsum("abab->ab", four)
        found[pairs] = square[_kept(k == j, square.shape)]
    return found


def _chosen(shells: list[_ShellPair], left: np.ndarray, least: float) -> list[_ShellPair]:
    """Those with the largest elements, as many as make `_COLUMNS` columns."""
    most = np.array([left[pairs].max() for _, _, pairs in shells])
    found, count = [], 0
    for number in np.argsort(-most).tolist():
        if most[number] < least or count >= _COLUMNS:
            break
        found.append(shells[number])
        count += int(np.count_nonzero(left[shells[number][2]] >= least))
    return found


def _columns(mol: gto.Mole, pair: _ShellPair, left: np.ndarray, least: float) -> np.ndarray:
    """Integrals of all pairs with those of two shells that are large enough, (some, n (n + 1) / 2)."""
    k, j, pairs = pair
    part = (0, mol.nbas, 0, mol.nbas, k, k + 1, j, j + 1)
    integrals = mol.intor("int2e", aosym="s2ij", shls_slice=part)
    own = integrals.reshape(len(integrals), *integrals.shape[-2:])[:, _kept(k == j, integrals.shape[-2:])]
    return np.ascontiguousarray(own.T[left[pairs] >= least])


def _kept(same: bool, shape: tuple[int, ...]) -> np.ndarray:
    """Which elements of a shell pair are pairs of functions μ ≥ ν."""
    return np.tri(*shape, dtype=bool) if same else np.ones(shape, bool)


def _factored(columns: np.ndarray, own: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """New vectors of columns (c, p) at places (c,), pivots above `least` alone, and the places of these."""
    (pstrf,) = get_lapack_funcs(("pstrf",), (columns,))
    factor, order, rank, _ = pstrf(columns[:, own], tol=least, lower=1)
    kept = order[:rank] - 1
    lower = np.tril(factor[:rank, :rank])
    return solve_triangular(lower, columns[kept], lower=True, overwrite_b=True), own[kept]
