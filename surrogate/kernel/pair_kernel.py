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
from .factored_repulsion import OrbitalFactors, add_factored, orbital_factors
from .pair_integrals import Rectangle, RepulsionMatrices, add_repulsion
from .pair_interpolation import FROM_PAIRS, add_interpolated
from .pair_quadrature import PairedOrbitals, add_exchange_correlation

#: Matrices (d, d) of a block held at once: with their modes, in double precision; without, in single; and
#: of these where Coulomb is held as vectors.
_HELD, _HELD_SINGLE, _HELD_BESIDE_VECTORS = 16, 4, 3
#: Shares of the memory, and of what integrals leave of it, for half-transformed integrals.
HALF_TRANSFORMED, REST_SHARE = 1.0 / 8.0, 1.0 / 2.0
#: Rows at once.
_ROWS = 512
#: A field moves an irrep by less than this share of all that it moves: not at all.
_UNMOVED = 1e-9
#: The totally symmetric irrep.
FIRST = 0


@dataclass(frozen=True, eq=False)
class PairBlock:
    """The pairs of one irrep.

    index: (d,) which of the pairs of `OccupiedEmpty` they are.
    real, imaginary: A and B, (d, d), symmetric, Hartree; imaginary is None without exact exchange.
        In single precision they cost 2e-7 of the response, and have no modes.
    coulomb: the part of A that energies need apart: 2 (ai|bj), (d, d), or fewer vectors than pairs, L (q, d)
        with (ai|bj) = Σ_Q L_Q,ai L_Q,bj.
    """

    index: np.ndarray
    real: np.ndarray
    imaginary: np.ndarray | None
    coulomb: np.ndarray

    @property
    def n_bytes(self) -> int:
        """Of its matrices."""
        return sum(part.nbytes for part in (self.real, self.imaginary, self.coulomb) if part is not None)

    def coulomb_energy(self, x: np.ndarray) -> np.ndarray:
        """Σ x 2 (ai|bj) x of real x (k, d), (k,)."""
        inside = x.astype(self.coulomb.dtype, copy=False)
        if len(self.coulomb) == x.shape[-1]:
            return np.vecdot(x, inside @ self.coulomb)
        along = inside @ self.coulomb.T
        return 2.0 * np.vecdot(along, along).astype(float)


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
    if bytes_taken(engine, pairs, irreps, indices, means) > means.memory:
        return None
    held = _half_transformed_bytes(engine, means.memory)
    rectangles = [_rectangles(basis, pairs, index, irreps) for index in indices]
    blocks = _without_xc(engine, rectangles, (indices, np.float32 if means.single else np.float64), held)
    if engine.quadrature is not None and engine.kernel is not None:
        paired = [_paired(basis, pairs, index) for index in indices]
        add = add_interpolated if _is_interpolated(engine.quadrature, indices) else add_exchange_correlation
        add(engine.quadrature, engine.kernel, paired, [block.real for block in blocks])
    for block in blocks:
        for matrix in (block.real, block.imaginary, block.coulomb):
            if matrix is not None and len(matrix) == len(block.index):
                _make_symmetric(matrix)
    return tuple(blocks)


def bytes_taken(
    engine: PySCFEngine,
    pairs: OccupiedEmpty,
    irreps: np.ndarray,
    indices: list[np.ndarray],
    means: Means,
) -> float:
    """By making the kernel of these blocks: the matrices of the largest, and integrals on their way."""
    n, d, beside = engine.mol.nao, max(map(len, indices)), _from_vectors(engine.two_electron)
    held = 4.0 * (_HELD_BESIDE_VECTORS if beside else _HELD_SINGLE) if means.single else 8.0 * _HELD
    if beside:
        # Made in double precision; when matrices come, in single.
        vectors = 8.0 * VECTORS * n * (n * (n + 1) // 2)
        return max(vectors, held * d**2 + 0.5 * vectors * engine.system.n_spin)
    # Half-transformed integrals of all empty orbitals with the occupied ones of one irrep.
    half = 8.0 * pairs.n_pairs / len(np.unique(irreps)) * n**2 / 2
    return held * d**2 + min(half, _half_transformed_bytes(engine, means.memory))


def _half_transformed_bytes(engine: PySCFEngine, memory: float) -> float:
    """What half-transformed integrals may take: of all memory, and of what integrals have left of it."""
    return min(HALF_TRANSFORMED * memory, REST_SHARE * max(memory - engine.two_electron.n_bytes, 0.0))


def _from_vectors(integrals: TwoElectron) -> bool:
    """Whether vectors of three indices stand in for integrals that are not held."""
    coulomb = integrals.packed is None and integrals.fitting is None
    return coulomb or integrals.is_direct


def _make_symmetric(matrix: np.ndarray) -> None:
    """The mean of a matrix and its transpose in its place, some rows at a time."""
    for first in range(0, len(matrix), _ROWS):
        some = slice(first, first + _ROWS)
        mean = 0.5 * (matrix[some, first:] + matrix[first:, some].T)
        matrix[some, first:], matrix[first:, some] = mean, mean.T


def _is_interpolated(quadrature: Quadrature, indices: list[np.ndarray]) -> bool:
    """Whether products are interpolated: what depends on τ cannot be."""
    return quadrature.kind != "MGGA" and sum(len(index) ** 2 for index in indices) >= FROM_PAIRS**2


def moved_blocks(
    pairs: OccupiedEmpty, irreps: np.ndarray, pushes: np.ndarray, dipoles: np.ndarray
) -> list[np.ndarray]:
    """Which pairs belong to each irrep of pairs that fields move, and to the first, which second order moves.

    Without the first where it has no dipole, as in D2h: no dipole tells to second order that it moves. One at
    least.
    irreps: of the orbitals, (n_spin, m), all 0 where P0 has no symmetry. pushes: (k, d), of the fields.
    dipoles: (3, d).
    """

    by_irrep = pairs_by_irrep(pairs, irreps)
    moved, seen = moved_irreps(by_irrep, pushes), moved_irreps(by_irrep, dipoles)
    found = [i for number, i in by_irrep.items() if number in moved or (number == FIRST and number in seen)]
    return found or list(by_irrep.values())[:1]


def moved_irreps(by_irrep: dict[int, np.ndarray], pushes: np.ndarray) -> set[int]:
    """Irreps of pairs that some of `pushes` (k, d) act on to first order; by_irrep: which pairs are whose."""
    largest = float(np.linalg.norm(pushes, axis=0).max(initial=0.0))
    sizes = {number: np.abs(pushes[:, index]).max(initial=0.0) for number, index in by_irrep.items()}
    return {number for number, size in sizes.items() if size > _UNMOVED * largest}


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
    # -c' / c, and half of it, as all else until the end.
    share = 0.5 * (-0.5 if engine.system.n_spin == 1 else -1.0)
    # Memory is taken where zeros are added to, not here.
    coulomb, real, imaginary = ([np.zeros((len(i),) * 2, precision) for i in indices] for _ in range(3))
    factors = _coulomb_factors(integrals, rectangles)
    for k, index in enumerate(indices if factors is not None else ()):
        if factors is not None and factors.count < len(index):
            coulomb[k] = factors.of_pairs(rectangles[k], len(index))
    # (ai|bj) of these go into A at once.
    into = [a if own.shape != a.shape else own for own, a in zip(coulomb, real, strict=True)]
    together = exact and integrals.fitting is None and not integrals.operator.attenuated
    # One reading for both.
    both = RepulsionMatrices(into, real, imaginary, share * integrals.operator.full)
    sums = both if together else RepulsionMatrices(into, [], [], 0.0)
    if factors is not None:
        add_factored(factors, rectangles, sums)
    else:
        assert integrals.packed is not None
        add_repulsion(integrals.packed, rectangles, sums, held)
    if exact and not together:
        del factors
        _add_exchange(integrals, rectangles, RepulsionMatrices([], real, imaginary, share), held)
    for own, a, b in zip(coulomb, real, imaginary, strict=True):
        if own.shape == a.shape:
            a += own
            own *= 2.0
        a *= 2.0
        b *= 2.0
    parts = zip(indices, real, imaginary, coulomb, strict=True)
    return [PairBlock(index, a, b if exact else None, own) for index, a, b, own in parts]


def _coulomb_factors(integrals: TwoElectron, rectangles: list[list[Rectangle]]) -> OrbitalFactors | None:
    """Of the engine's fitting functions, or of vectors; None where it holds integrals."""
    if integrals.fitting is not None:
        return orbital_factors(map(np.asarray, integrals.fitting.loop()), rectangles)
    if integrals.packed is not None:
        return None
    return orbital_factors(cholesky_vectors(integrals.mol), rectangles)


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
        for share, omega in operator.parts:
            factors = orbital_factors(cholesky_vectors(integrals.mol, omega), rectangles)
            add_factored(factors, rectangles, replace(sums, share=sums.share * share))


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
