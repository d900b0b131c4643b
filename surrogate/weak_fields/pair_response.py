"""The response in weak fields: of the block between empty and occupied orbitals to itself.

    F'_ai = F'0_ai + (A Re x + i B Im x)_ai,     x = (P' - P'0)_ai

A and B are the kernel of `kernel/pair_kernel`, the reference's own derivative but for single precision:
there is nothing to learn. The second order is left out: it is about a quarter of |δP| of the response,
measured on water along its axis.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from ...adapters.engine import Engine, FockBuild
from ...adapters.working_basis import WorkingBasis
from ...atomic.freed_memory import give_back
from ..kernel.pair_kernel import FIRST, PairBlock
from ..matrices.occupied_empty import OccupiedEmpty
from ..surrogate import Measurement, Visit
from .leading_part import Times, leading_part
from .modes import MOST_EXACT, StepModes, nearly_scheme_modes, scheme_modes
from .relaxation import LEADING, InnerStep, inner_step
from .scheme import PairMap, Phases

#: Elements of P'0 and F'0 off the diagonal that a converged ground state may have.
NEARLY_DIAGONAL = 1e-4
#: Relative error of A until one has been measured.
KERNEL_ERROR = 1e-6
#: |ΔF - linear| / (|ΔF| |δP|) as water has it along its axis.
SECOND_ORDER = 0.25
#: |δP| from which on fields are no longer weak: 8e-5 of the response is left out.
WEAK = 3e-4
#: Under this name residuals are kept in checkpoints.
RESIDUALS = "pairs_residuals"
#: Measured errors that count: the last so many.
_RECENT = 8
#: Relative residual at which rest is found, of a kernel in single precision; rounds until it is not.
_SOLVED, _MOST_ROUNDS = 1e-6, 500


@dataclass(frozen=True, eq=False)
class ExpansionMatrices:
    """About what the response expands, in the working basis, (n_spin, m, m) each.

    density, fock: P'0, F'0. core, coulomb: h', J'[P0]. energies: core, Coulomb, exchange-correlation.
    """

    density: np.ndarray
    fock: np.ndarray
    core: np.ndarray
    coulomb: np.ndarray
    energies: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class PairsAtRest:
    """Pairs that no field moves.

    eta: η of them, a matrix (n_spin, m, m).
    builds: Coulomb-exchange builds made for it.
    dark: which pairs second order moves, and no dipole shows.
    """

    eta: np.ndarray
    builds: int
    dark: np.ndarray


class PairResponse:
    """Implements `Surrogate` where only first order counts: its F' lacks the response between occupied, and
    between empty orbitals, which acts on nothing to first order.

    every: all pairs, without those at rest that are dark: what moves there, no dipole shows to second order.
    pairs: those of the blocks, the others do not move; the blocks count these.
    still: η of the others, a matrix (n_spin, m, m).
    room: bytes that making the blocks took beside them: as much may points take that are made with them.
    turning: signs of the orbitals under an operation that turns all motion round (see `turned_round`).
    """

    def __init__(
        self,
        pairs: OccupiedEmpty,
        about: ExpansionMatrices,
        blocks: Sequence[PairBlock],
        still: PairsAtRest,
        room: float = 0.0,
        turning: np.ndarray | None = None,
    ) -> None:
        self.mean_field_builds, self.still, self.room = still.builds, still.eta, room
        self.turning = turning
        kept = np.sort(np.concatenate([block.index for block in blocks]))
        self.every = pairs.some(np.setdiff1d(np.arange(pairs.n_pairs), still.dark))
        self.pairs, self.about = pairs.some(kept), about
        self.blocks = tuple(replace(b, index=np.searchsorted(kept, b.index)) for b in blocks)
        self._residuals: list[float] = []
        self._modes: dict[tuple[int, float], StepModes | None] = {}
        self._inner: dict[float, InnerStep] = {}
        self.rest = self._at_rest()

    #: The second order is left out.
    nonlinear = first_order_fails = False

    @property
    def image_error(self) -> float:
        """Relative error of A: as measured last, before that a guess."""
        return float(np.median(self._residuals)) if self._residuals else KERNEL_ERROR

    @property
    def is_near_rest(self) -> bool:
        """Whether the ground state is at rest, to a tenth of what counts as weak; an unstable one is not."""
        start = np.real(self.pairs.block(self.about.density)) / self.pairs.filling
        return bool(_size(self.pairs.filling * (self.rest - start)[None])[0] <= 0.1 * WEAK)

    def response(self, x: np.ndarray) -> np.ndarray:
        """ΔF_ai (..., d) of x (..., d)."""
        found = np.zeros(x.shape, complex)
        for block in self.blocks:
            own = x[..., block.index]
            found[..., block.index] = times(np.real(own), block.real)
            if block.imaginary is not None:
                found[..., block.index] += 1j * times(np.imag(own), block.imaginary)
        return found

    def one_step(self, k: int, dt: float) -> PairMap:
        """The step of block k, in η = x / n."""
        block, n = self.blocks[k], self.pairs.filling
        imaginary = None if block.imaginary is None else n * block.imaginary
        return PairMap(Phases(self.pairs.gaps[block.index], dt), n * block.real, imaginary)

    def modes(self, k: int, dt: float) -> StepModes | None:
        """Of the reference's step, block k; None where the step's map has none. Of many pairs: to first order
        in what corrections leave."""
        key = (k, dt)
        if key not in self._modes:
            small = len(self.blocks[k].index) <= MOST_EXACT
            step = self.one_step(k, dt)
            try:
                self._modes[key] = scheme_modes(step) if small else nearly_scheme_modes(step)
            except np.linalg.LinAlgError:
                self._modes[key] = None
            give_back()
        return self._modes[key]

    @property
    def points_kind(self) -> type[np.complexfloating]:
        """Precision in which points are kept: double where modes are exact."""
        exact = all(len(block.index) <= MOST_EXACT for block in self.blocks)
        return np.complex128 if exact else np.complex64

    @property
    def has_modes(self) -> bool:
        """Whether modes give the steps; with a kernel in single precision relaxation does (`inner`)."""
        return all(block.real.dtype == np.float64 for block in self.blocks)

    def inner(self, dt: float) -> InnerStep:
        """The part of the converged step that relaxation solves by itself. Raises LinAlgError."""
        if dt not in self._inner:
            (a, b), (most, fewer) = self.kernel, LEADING
            real = leading_part(a, self._diagonal(imaginary=False), most)
            imaginary = None if b is None else leading_part(b, self._diagonal(imaginary=True), fewer)
            self._inner[dt] = inner_step(Phases(self.pairs.gaps, dt), real, imaginary)
        return self._inner[dt]

    @cached_property
    def kernel(self) -> tuple[Times, Times | None]:
        """n A and n B, of rows (k, d); None: B is zero."""
        real = partial(_product, self.pairs.filling, [(b.index, b.real) for b in self.blocks])
        known = [(b.index, b.imaginary) for b in self.blocks if b.imaginary is not None]
        return real, partial(_product, self.pairs.filling, known) if known else None

    def _diagonal(self, *, imaginary: bool) -> np.ndarray:
        """Of n A, or of n B."""
        found = np.empty(self.pairs.n_pairs, self.blocks[0].real.dtype)
        for block in self.blocks:
            matrix = block.imaginary if imaginary else block.real
            assert matrix is not None
            found[block.index] = self.pairs.filling * np.diagonal(matrix)
        return found

    def predict(self, density: np.ndarray) -> np.ndarray:
        """F' of one P', (n_spin, m, m)."""
        x = self.pairs.block(density - self.about.density)
        return self.about.fock + self.pairs.matrix(self.response(x))

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        """See `Surrogate`."""
        x = self.pairs.block(density - self.about.density)
        return Visit(float(self.spread(_size(x[None]))[0]), 0.0)

    def spread(self, sizes: np.ndarray) -> np.ndarray:
        """Expected relative defect at |δP|, (k,) both: of the kernel, and of the second order left out."""
        return np.hypot(self.image_error, SECOND_ORDER * sizes)

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        """Measure against a reference pair. It teaches nothing; what sights show is noted.

        The pair of a reference step is one of a point and of the Fock matrix before its last correction.
        """
        x = self.pairs.block(density - self.about.density)
        image = self.pairs.block(fock - self.about.fock)
        wrong = self.pairs.matrix(image - self.response(x))
        force = float(np.linalg.norm(wrong @ density - density @ wrong))
        size = float(np.linalg.norm(self.pairs.matrix(image)))
        return Measurement(float(np.linalg.norm(wrong)), size, force)

    def note(self, residual: float) -> None:
        """Take note of what was measured to lack in first order, relative."""
        self._residuals = [*self._residuals[1 - _RECENT :], residual]

    def refine(self, target: float, most: int) -> int:
        """Nothing to refine: no response is better known."""
        del target, most
        return 0

    def sharpen(self) -> bool:
        """Nothing to sharpen: no direction is left out."""
        return False

    def energies(self, densities: np.ndarray) -> np.ndarray:
        """See `Surrogate`: E(P) = E(P0) + Tr F0 δP + ½ Tr ΔF δP, and the like for each part."""
        about, change = self.about, densities - self.about.density
        x = self.pairs.block(change)
        flat = change.reshape(len(change), -1)
        along = np.array([about.core, about.coulomb, about.fock]).reshape(3, -1)
        core, coulomb, total = (np.real(flat) @ np.real(along).T + np.imag(flat) @ np.imag(along).T).T
        coulomb = coulomb + self.coulomb(np.real(x))
        total = total + np.real(np.vecdot(x, self.response(x)))
        ground = np.array(about.energies)
        return ground + np.stack([core, coulomb, total - core - coulomb], axis=1)

    def coulomb(self, real: np.ndarray) -> np.ndarray:
        """Of second order in Re x (k, d), (k,): ½ Tr J[δP] δP, Hartree."""
        parts = (real[:, block.index] for block in self.blocks)
        return sum(
            (block.coulomb_energy(x) for x, block in zip(parts, self.blocks, strict=True)),
            start=np.zeros(len(real)),
        )

    def save(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays that `load` takes back."""
        return {RESIDUALS: np.array(self._residuals)}

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        self._residuals = np.asarray(arrays[RESIDUALS]).tolist()

    def _at_rest(self) -> np.ndarray:
        """η (d,) at which nothing moves: ω η + F0 + n A (η - η0) = 0. The SCF ends near it, not there."""
        n = self.pairs.filling
        force = np.real(self.pairs.block(self.about.fock))
        start = np.real(self.pairs.block(self.about.density)) / n
        rest = np.zeros(self.pairs.n_pairs)
        for block in self.blocks:
            gaps = self.pairs.gaps[block.index]
            aim = n * times(start[block.index], block.real) - force[block.index]
            if self.has_modes:
                rest[block.index] = np.linalg.solve(np.diag(gaps) + n * block.real, aim)
            else:
                rest[block.index] = _solved(lambda eta, a=block.real: n * times(eta, a), gaps, aim)
        return rest


def _product(n: float, parts: Sequence[tuple[np.ndarray, np.ndarray]], rows: np.ndarray) -> np.ndarray:
    """Rows (k, d) times n times the matrices of all blocks, pairs and matrix of each."""
    found = np.empty_like(rows)
    for index, matrix in parts:
        # Symmetric matrices: few columns take three quarters of the time of few rows.
        columns = rows[:, index].astype(matrix.dtype, copy=False).T
        found[:, index] = n * (matrix @ columns).T
    return found


def times(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Real rows (..., d) times a matrix (d, d), in the matrix's precision."""
    return rows.astype(matrix.dtype, copy=False) @ matrix


def _solved(product: Callable[[np.ndarray], np.ndarray], gaps: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """η of (ω + A) η = aim, by conjugate gradients. Raises LinAlgError where ω + A is not positive."""
    found = aim / gaps
    left = -product(found)
    over = left / gaps
    along, size = over, float(left @ over)
    least = _SOLVED**2 * float(aim @ found)
    for _ in range(_MOST_ROUNDS):
        if size <= least:
            return found
        image = gaps * along + product(along)
        curvature = float(along @ image)
        if not curvature > 0.0:
            raise np.linalg.LinAlgError("the ground state is no minimum")
        length = size / curvature
        found, left = found + length * along, left - length * image
        over = left / gaps
        before, size = size, float(left @ over)
        along = over + (size / before) * along
    raise np.linalg.LinAlgError("rest was not found")


def _size(x: np.ndarray) -> np.ndarray:
    """|δP| (k,) of x (k, d): both triangles."""
    return np.sqrt(2.0) * np.linalg.norm(x, axis=1)


def pairs_at_rest(
    pairs: OccupiedEmpty, eta: np.ndarray, unmoved: Mapping[int, np.ndarray], builds: int
) -> PairsAtRest:
    """Pairs that no field moves, by number of their irrep.

    eta: (d,) of `eta_at_rest`. builds: which that took in this run.
    """
    still = np.zeros(pairs.n_pairs)
    for index in unmoved.values():
        still[index] = eta[index]
    return PairsAtRest(pairs.matrix(still), builds, unmoved.get(FIRST, np.empty(0, int)))


def eta_at_rest(
    engine: Engine,
    basis: WorkingBasis,
    pairs: OccupiedEmpty,
    about: ExpansionMatrices,
    irreps: Iterable[np.ndarray],
) -> np.ndarray:
    """η (d,) where pairs do not turn without a field; irreps: which pairs belong to each. One build.

    Of (ω + n A)(η - η0) = ω v, v = -F0/ω - η0, the part along v, irrep by irrep: v ⟨v,ω v⟩ / ⟨v,(ω + n A) v⟩.
    Rest is where the SCF did not quite end; and where a symmetry is all but exact, F'0 has elements there.
    """
    start = np.real(pairs.block(about.density)) / pairs.filling
    apart = -np.real(pairs.block(about.fock)) / pairs.gaps - start
    change = basis.density_out(pairs.matrix(pairs.filling * apart))
    image = np.real(pairs.block(basis.fock_in(engine.response(change))))
    eta = np.zeros(pairs.n_pairs)
    for index in irreps:
        own, gaps = apart[index], pairs.gaps[index]
        free = float(own @ (gaps * own))
        stiff = free + float(own @ image[index])
        # An unstable irrep has no rest: there the kernel is left out.
        eta[index] = start[index] + own * (free / stiff if stiff > 0.0 else 1.0)
    return eta


def expansion_matrices(
    engine: Engine, basis: WorkingBasis, density: np.ndarray, build: FockBuild
) -> ExpansionMatrices:
    """About a P'0 (n_spin, m, m) and its Fock build."""
    ao = np.ascontiguousarray(np.real(basis.density_out(density)).sum(axis=0))
    shape = build.fock.shape
    core, coulomb = (
        basis.fock_in(np.broadcast_to(matrix, shape))
        for matrix in (engine.integrals.core, engine.coulomb(ao))
    )
    energies = build.energies
    return ExpansionMatrices(
        density,
        basis.fock_in(build.fock),
        core,
        coulomb,
        (energies.core, energies.coulomb, energies.exchange_correlation),
    )
