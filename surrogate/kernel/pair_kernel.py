"""The response kernel between empty and occupied orbitals: all that acts on weak motion to first order.

With x_bj = δP'_bj, b and a empty, j and i occupied, n = 2 and c' = c / 2 closed shell, n = 1 and c' = c open,

    ΔF'_ai = Σ A Re x + i B Im x
    A = 2 (ai|bj) + 2 f_xc - c' [(ab|ij) + (aj|bi)],    B = -c' [(ab|ij) - (aj|bi)]

(Casida, in Recent Advances in Density Functional Methods, 1995: his A ± B less the gaps, over n).
c: share of exact exchange, of 1/r and of erf(ωr)/r. The matrices fall apart into irreps, and are made for
those that a field moves. A holds d² elements an irrep where a kernel of all pairs holds (m²/2)².
"""

from dataclasses import dataclass, replace

import numpy as np

from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.pyscf.quadrature import Quadrature
from ...adapters.pyscf.two_electron import TwoElectron
from ...adapters.working_basis import WorkingBasis
from ..matrices.occupied_empty import OccupiedEmpty
from .cholesky_vectors import VECTORS, cholesky_vectors
from .factored_repulsion import add_factored
from .pair_integrals import Rectangle, RepulsionMatrices, add_repulsion
from .pair_interpolation import FROM_PAIRS, add_interpolated
from .pair_quadrature import PairedOrbitals, add_exchange_correlation

#: Matrices (d, d) of a block held at once: with their modes, in double precision; without, in single.
_HELD, _HELD_SINGLE = 16, 4
#: Share of the memory for half-transformed integrals.
HALF_TRANSFORMED = 1.0 / 8.0
#: Rows at once.
_ROWS = 512
#: A field moves an irrep by less than this share of all that it moves: not at all.
_UNMOVED = 1e-9


@dataclass(frozen=True, eq=False)
class PairBlock:
    """The pairs of one irrep.

    index: (d,) which of the pairs of `OccupiedEmpty` they are.
    real, imaginary: A and B, (d, d), symmetric, Hartree; imaginary is None without exact exchange.
        In single precision they cost 2e-7 of the response, and have no modes.
    coulomb: 2 (ai|bj), (d, d), the part of A that energies need apart.
    """

    index: np.ndarray
    real: np.ndarray
    imaginary: np.ndarray | None
    coulomb: np.ndarray


@dataclass(frozen=True)
class Means:
    """What a kernel may take. memory: bytes, for building. single: whether its precision is."""

    memory: float
    single: bool = False


def pair_kernel(
    engine: PySCFEngine,
    basis: WorkingBasis,
    pairs: OccupiedEmpty,
    irreps: np.ndarray,
    indices: list[np.ndarray],
    means: Means,
) -> tuple[PairBlock, ...] | None:
    """The kernel at the density that `pairs` are about, a block for each of `indices` (see `moved_blocks`).

    irreps: of the orbitals, (n_spin, m), all 0 where P0 has no symmetry.
    None where it takes more memory.
    """
    largest = max(map(len, indices))
    held = HALF_TRANSFORMED * means.memory
    matrices = 4.0 * _HELD_SINGLE if means.single else 8.0 * _HELD
    if matrices * largest**2 + _transformed_bytes(engine, pairs, irreps, held) > means.memory:
        return None
    rectangles = [_rectangles(basis, pairs, index, irreps) for index in indices]
    blocks = _without_xc(engine, rectangles, (indices, np.float32 if means.single else np.float64), held)
    if engine.quadrature is not None and engine.kernel is not None:
        paired = [_paired(basis, pairs, index) for index in indices]
        add = add_interpolated if _is_interpolated(engine.quadrature, indices) else add_exchange_correlation
        add(engine.quadrature, engine.kernel, paired, [block.real for block in blocks])
    for block in blocks:
        for matrix in (block.real, block.imaginary, block.coulomb):
            if matrix is not None:
                _make_symmetric(matrix)
    return tuple(blocks)


def _transformed_bytes(engine: PySCFEngine, pairs: OccupiedEmpty, irreps: np.ndarray, held: float) -> float:
    """Of integrals on their way; held: bytes of half-transformed ones."""
    n = engine.mol.nao
    if _from_vectors(engine.two_electron):
        return 8.0 * VECTORS * n * (n * (n + 1) // 2)
    # Half-transformed integrals of all empty orbitals with the occupied ones of one irrep.
    return min(8.0 * pairs.n_pairs / len(np.unique(irreps)) * n**2 / 2, held)


def _from_vectors(integrals: TwoElectron) -> bool:
    """Whether vectors of three indices stand in for integrals that are not held."""
    coulomb = integrals.packed is None and integrals.fitting is None
    exchange = integrals.operator.present and integrals.packed is None and integrals.mixed is None
    return coulomb or exchange


def _make_symmetric(matrix: np.ndarray) -> None:
    """The mean of a matrix and its transpose in its place, some rows at a time."""
    for first in range(0, len(matrix), _ROWS):
        some = slice(first, first + _ROWS)
        mean = 0.5 * (matrix[some, first:] + matrix[first:, some].T)
        matrix[some, first:], matrix[first:, some] = mean, mean.T


def _is_interpolated(quadrature: Quadrature, indices: list[np.ndarray]) -> bool:
    """Whether products are interpolated: what depends on τ cannot be."""
    return quadrature.kind != "MGGA" and sum(len(index) ** 2 for index in indices) >= FROM_PAIRS**2


def moved_blocks(pairs: OccupiedEmpty, irreps: np.ndarray, pushes: np.ndarray) -> list[np.ndarray]:
    """Which pairs belong to each irrep of pairs that fields move, and to the first, which second order moves.

    irreps: of the orbitals, (n_spin, m), all 0 where P0 has no symmetry. pushes: (k, d), of the fields.
    """
    largest = float(np.linalg.norm(pushes, axis=0).max(initial=0.0))
    found = []
    for number, index in pairs_by_irrep(pairs, irreps).items():
        own = float(np.abs(pushes[:, index]).max(initial=0.0))
        if number == 0 or own > _UNMOVED * largest:
            found.append(index)
    return found


def pairs_by_irrep(pairs: OccupiedEmpty, irreps: np.ndarray) -> dict[int, np.ndarray]:
    """Which pairs belong to each irrep that has some; irreps: of the orbitals, (n_spin, m)."""
    spin, a, i = _orbitals(pairs)
    products = irreps[spin, a] ^ irreps[spin, i]
    return {int(k): np.flatnonzero(products == k) for k in np.unique(products)}


def _without_xc(
    engine: PySCFEngine,
    rectangles: list[list[Rectangle]],
    asked: tuple[list[np.ndarray], type],
    held: float,
) -> list[PairBlock]:
    """Coulomb and exact exchange of the blocks; asked: pairs, precision; held: bytes of half-transformed
    integrals."""
    indices, precision = asked
    integrals, exact = engine.two_electron, engine.exact_exchange
    # -c' / c.
    share = -0.5 if engine.system.n_spin == 1 else -1.0
    coulomb, real, imaginary = ([np.zeros((len(i),) * 2, precision) for i in indices] for _ in range(3))
    if exact and integrals.fitting is None and not integrals.operator.attenuated:
        # One reading for both.
        both = RepulsionMatrices(coulomb, real, imaginary, share * integrals.operator.full)
        _add_coulomb(integrals, rectangles, both, held)
    else:
        _add_coulomb(integrals, rectangles, RepulsionMatrices(coulomb, [], [], 0.0), held)
        if exact:
            _add_exchange(integrals, rectangles, RepulsionMatrices([], real, imaginary, share), held)
    for own, a in zip(coulomb, real, strict=True):
        own *= 2.0
        a += own
    parts = zip(indices, real, imaginary, coulomb, strict=True)
    return [PairBlock(index, a, b if exact else None, own) for index, a, b, own in parts]


def _add_coulomb(
    integrals: TwoElectron, rectangles: list[list[Rectangle]], sums: RepulsionMatrices, held: float
) -> None:
    """As the engine has it: of its fitting functions, of its integrals, or of vectors."""
    if integrals.fitting is not None:
        add_factored(map(np.asarray, integrals.fitting.loop()), rectangles, sums)
    elif integrals.packed is not None:
        add_repulsion(integrals.packed, rectangles, sums, held)
    else:
        add_factored(cholesky_vectors(integrals.mol), rectangles, sums)


def _add_exchange(
    integrals: TwoElectron, rectangles: list[list[Rectangle]], sums: RepulsionMatrices, held: float
) -> None:
    """Of the operator; sums.share: what its exchange counts."""
    operator = integrals.operator
    if integrals.mixed is not None:
        add_repulsion(integrals.mixed, rectangles, sums, held)
    elif integrals.packed is not None:
        add_repulsion(integrals.packed, rectangles, replace(sums, share=sums.share * operator.full), held)
    else:
        for share, omega in ((operator.full, None), (operator.attenuated, operator.omega)):
            if share:
                own = replace(sums, share=sums.share * share)
                add_factored(cholesky_vectors(integrals.mol, omega), rectangles, own)


def _orbitals(pairs: OccupiedEmpty) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spin, empty and occupied orbital of every pair, (d,) each."""
    m = pairs.shape[-1]
    spin, rest = np.divmod(pairs.index, m * m)
    return (spin, *np.divmod(rest, m))


def _rectangles(
    basis: WorkingBasis, pairs: OccupiedEmpty, index: np.ndarray, irreps: np.ndarray
) -> list[Rectangle]:
    """A block as rectangles."""
    m = pairs.shape[-1]
    spin, a, i = (part[index] for part in _orbitals(pairs))
    places = np.full((pairs.shape[0], m, m), -1)
    places[spin, a, i] = np.arange(len(index))
    found = []
    for s in range(pairs.shape[0]):
        c, own = basis.coefficients[s], spin == s
        for irrep in np.unique(irreps[s, i[own]]):
            some = own & (irreps[s, i] == irrep)
            empty, occupied = np.unique(a[some]), np.unique(i[some])
            of_empty = int(irreps[s, empty[0]])
            square = places[s][np.ix_(empty, occupied)]
            found.append(Rectangle(s, c[:, empty], c[:, occupied], of_empty, int(irrep), square))
    return found


def _paired(basis: WorkingBasis, pairs: OccupiedEmpty, index: np.ndarray) -> list[PairedOrbitals]:
    spin, a, i = (part[index] for part in _orbitals(pairs))
    found = []
    for s in np.unique(spin).tolist():
        # Pairs are sorted by spin.
        own = slice(*np.searchsorted(spin, (s, s + 1)).tolist())
        found.append(PairedOrbitals(s, basis.coefficients[s], a[own], i[own], own))
    return found
