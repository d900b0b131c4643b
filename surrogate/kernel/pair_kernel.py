"""The response kernel between empty and occupied orbitals: all that acts on weak motion to first order.

With x_bj = δP'_bj, b and a empty, j and i occupied, n = 2 and c' = c / 2 closed shell, n = 1 and c' = c open,

    ΔF'_ai = Σ A Re x + i B Im x
    A = 2 (ai|bj) + 2 f_xc - c' [(ab|ij) + (aj|bi)],    B = -c' [(ab|ij) - (aj|bi)]

(Casida, in Recent Advances in Density Functional Methods, 1995: his A ± B less the gaps, over n).
c: share of exact exchange, of 1/r and of erf(ωr)/r. The matrices hold (N_ov)² elements where a kernel of
all pairs holds (m²/2)², and fall apart into irreps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyscf import ao2mo, lib

from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.working_basis import WorkingBasis
from ..matrices.occupied_empty import OccupiedEmpty
from .exchange_correlation import KernelGrid, has_xc_kernel, quadrature_cells, xc_factors

#: PySCF's grid level, and what `KernelGrid` leaves out: less than in a first guess, which is learned beside.
GRID_LEVEL, PIVOT, EIGENVALUE = 3, 1e-12, 1e-7
#: Pairs of orbitals of one irrep, or of a molecule without, up to which the matrices are made.
MOST_PAIRS = 600


@dataclass(frozen=True, eq=False)
class PairBlock:
    """The pairs of one irrep.

    index: (d,) which of the pairs of `OccupiedEmpty` they are.
    real, imaginary: A and B, (d, d), symmetric, Hartree; imaginary is None without exact exchange.
    coulomb: 2 (ai|bj), (d, d), the part of A that energies need apart.
    """

    index: np.ndarray
    real: np.ndarray
    imaginary: np.ndarray | None
    coulomb: np.ndarray


def pair_kernel(
    engine: PySCFEngine, basis: WorkingBasis, pairs: OccupiedEmpty, irreps: np.ndarray, memory: float
) -> tuple[PairBlock, ...] | None:
    """The kernel at the density that `pairs` are about, a block an irrep.

    irreps: of the orbitals, (n_spin, m), all 0 where P₀ has no symmetry. memory: bytes, for building.
    None for functionals of the kinetic-energy density, density-fitted Coulomb, integrals that are not held,
    and what takes more memory.
    """
    xc, integrals = engine.system.functional.pyscf, engine.two_electron
    if integrals.packed is None or integrals.fitting is not None or not has_xc_kernel(xc):
        return None
    blocks = pairs_by_irrep(pairs, irreps)
    # Integrals over all pairs, exchange's two forms, and the factors of f_xc.
    if max(map(len, blocks)) > MOST_PAIRS or 40.0 * pairs.n_pairs**2 > memory:
        return None
    coulomb = 2.0 * _coulomb(engine, basis, pairs)
    real = [coulomb[np.ix_(block, block)] for block in blocks]
    direct = [part.copy() for part in real]
    imaginary: list[np.ndarray | None] = [None] * len(blocks)
    if engine.exact_exchange:
        plain, crossed = _exchange(engine, basis, pairs, coulomb)
        for k, block in enumerate(blocks):
            square = np.ix_(block, block)
            real[k] += plain[square] + crossed[square]
            imaginary[k] = plain[square] - crossed[square]
    if not engine.linear:
        _add_xc(engine, basis, pairs, blocks, real)
    parts = zip(blocks, real, imaginary, direct, strict=True)
    return tuple(PairBlock(*part) for part in parts)


def pairs_by_irrep(pairs: OccupiedEmpty, irreps: np.ndarray) -> list[np.ndarray]:
    """Which pairs belong to each irrep that has some; irreps: of the orbitals, (n_spin, m)."""
    spin, a, i = _orbitals(pairs)
    products = irreps[spin, a] ^ irreps[spin, i]
    return [np.flatnonzero(products == k) for k in np.unique(products)]


def _orbitals(pairs: OccupiedEmpty) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spin, empty and occupied orbital of every pair, (d,) each."""
    m = pairs.shape[-1]
    spin, rest = np.divmod(pairs.index, m * m)
    return (spin, *np.divmod(rest, m))


def _by_spin(basis: WorkingBasis, pairs: OccupiedEmpty) -> list[tuple[np.ndarray, np.ndarray, slice]]:
    """Coefficients of the empty and of the occupied orbitals of each spin, and where its pairs stand."""
    spin, a, i = _orbitals(pairs)
    found = []
    for s in np.unique(spin):
        own = np.flatnonzero(spin == s)
        coefficients = basis.coefficients[s]
        empty, occupied = (coefficients[:, np.unique(part[own])] for part in (a, i))
        found.append((empty, occupied, slice(int(own[0]), int(own[-1]) + 1)))
    return found


def _coulomb(engine: PySCFEngine, basis: WorkingBasis, pairs: OccupiedEmpty) -> np.ndarray:
    """(ai|bj), (d, d)."""
    packed = engine.two_electron.packed
    matrix = np.empty((pairs.n_pairs, pairs.n_pairs))
    spins = _by_spin(basis, pairs)
    for empty, occupied, rows in spins:
        for other, filled, columns in spins:
            if columns.start < rows.start:
                matrix[rows, columns] = matrix[columns, rows].T
                continue
            four = (empty, occupied, other, filled)
            matrix[rows, columns] = ao2mo.incore.general(packed, four, compact=False)
    return matrix


def _exchange(
    engine: PySCFEngine, basis: WorkingBasis, pairs: OccupiedEmpty, coulomb: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """-c' (ab|ij) and -c' (aj|bi), (d, d) each; coulomb: 2 (ai|bj)."""
    share = -0.5 if pairs.shape[0] == 1 else -1.0
    plain, crossed = np.zeros((2, pairs.n_pairs, pairs.n_pairs))
    integrals = engine.two_electron
    for empty, occupied, own in _by_spin(basis, pairs):
        v, o = empty.shape[1], occupied.shape[1]
        for part, packed in ((engine.hybrid, integrals.packed), (engine.long_range, integrals.long_range)):
            if not part or packed is None:
                continue
            between = ao2mo.incore.general(packed, (empty, empty, occupied, occupied))
            full = lib.unpack_tril(lib.unpack_tril(between, axis=-1).reshape(len(between), -1), axis=0)
            plain[own, own] += share * part * _rearranged(full.reshape(v, v, o, o), (0, 2, 1, 3))
            if packed is integrals.packed:
                direct = 0.5 * coulomb[own, own]
            else:
                direct = ao2mo.incore.general(packed, (empty, occupied) * 2, compact=False)
            crossed[own, own] += share * part * _rearranged(direct.reshape(v, o, v, o), (0, 3, 2, 1))
    return plain, crossed


def _rearranged(integrals: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """(v, o, v, o) in another order of its indices, as a matrix."""
    turned = integrals.transpose(order)
    return turned.reshape(turned.shape[0] * turned.shape[1], -1)


def _add_xc(
    engine: PySCFEngine,
    basis: WorkingBasis,
    pairs: OccupiedEmpty,
    blocks: Sequence[np.ndarray],
    real: Sequence[np.ndarray],
) -> None:
    """Add 2 f_xc to every block of A."""
    spin, a, i = _orbitals(pairs)
    n_spin = pairs.shape[0]
    # Orbitals of every spin, in those of the first.
    turns = [basis.dual[0] @ coefficients for coefficients in basis.coefficients]

    def products(points: np.ndarray) -> Sequence[np.ndarray]:
        found = []
        for s in range(n_spin):
            own = spin == s
            values = points @ turns[s]
            found.append(values[:, a[own]] * values[:, i[own]])
        return found

    xc = engine.system.functional.pyscf
    density = basis.density_out(np.array([np.diag(row) for row in _filling(pairs)]))
    grid = KernelGrid(quadrature_cells(engine.mol, GRID_LEVEL), PIVOT, EIGENVALUE)
    for plus, minus in xc_factors(engine.mol, density, xc, basis.coefficients[0], products, grid):
        for block, matrix in zip(blocks, real, strict=True):
            for factor, sign in ((plus[:, block], 2.0), (minus[:, block], -2.0)):
                matrix += sign * (factor.T @ factor)


def _filling(pairs: OccupiedEmpty) -> np.ndarray:
    """Electrons in each orbital, (n_spin, m)."""
    spin, _, i = _orbitals(pairs)
    numbers = np.zeros(pairs.shape[:2])
    numbers[spin, i] = pairs.filling
    return numbers
