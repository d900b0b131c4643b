"""The response in weak fields: of the block between empty and occupied orbitals to itself.

    F'_ai = F'0_ai + (A Re x + i B Im x)_ai,     x = (P' - P'0)_ai

A and B are the kernel of `kernel/pair_kernel`; B, exchange alone, is exact. What A lacks comes from
quadrature and interpolation. `refine` asks the reference for the response to the principal directions of a
pass, and a least-squares correction (`LearnedMap`) takes it in. The second order is left out: it is about a
quarter of |δP| of the response, measured on water along its axis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...adapters.engine import Engine, FockBuild
from ...adapters.working_basis import WorkingBasis
from ..kernel.pair_kernel import PairBlock
from ..matrices.occupied_empty import OccupiedEmpty
from ..on_the_fly.learned_map import LearnedMap
from ..surrogate import Measurement, Visit
from .modes import MOST_EXACT, StepModes, scheme_modes
from .scheme import PairMap, Phases

#: Elements of P'0 and F'0 off the diagonal that a converged ground state may have.
NEARLY_DIAGONAL = 1e-4
#: Relative error of A until one has been measured; what remains along directions learned.
KERNEL_ERROR = 1e-5
#: |ΔF - linear| / (|ΔF| |δP|) as water has it along its axis.
SECOND_ORDER = 0.25
#: |δP| from which on fields are no longer weak: 2.5e-4 of the response is left out.
WEAK = 1e-3
#: A share of the response that is rounding.
NOTHING = 1e-8
#: A Fock build mends a direction of every irrep for all the run: refining goes to this share of the target.
BELOW = 0.25
#: Measured errors that count: the last so many.
_RECENT = 8
#: Points of a pass that its principal directions are taken from.
_SAMPLED = 256


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


class PairResponse:
    """Implements `Surrogate` where only first order counts: its F' lacks the response between occupied, and
    between empty orbitals, which acts on nothing to first order."""

    def __init__(
        self,
        engine: Engine,
        basis: WorkingBasis,
        pairs: OccupiedEmpty,
        about: ExpansionMatrices,
        blocks: Sequence[PairBlock],
    ) -> None:
        self.mean_field_builds = 0
        self.pairs, self.about, self.blocks = pairs, about, tuple(blocks)
        self._engine, self._basis = engine, basis
        self._real = [LearnedMap(block.real) for block in blocks]
        self._errors: list[float] = []
        self._residuals: list[float] = []
        self._visits, self._unmeasured = np.zeros((0, pairs.n_pairs), complex), 1.0
        self._modes: dict[tuple[int, float], StepModes | None] = {}
        self.rest = self._at_rest()

    @property
    def image_error(self) -> float:
        """Relative error of A: as directions have shown it, before that anchors, before those a guess."""
        if self._engine.linear:
            return 0.0
        if self._errors:
            return float(np.sqrt(np.mean(np.square(self._errors[-_RECENT:]))))
        return max(KERNEL_ERROR, float(np.median(self._residuals))) if self._residuals else KERNEL_ERROR

    @property
    def is_near_rest(self) -> bool:
        """Whether the ground state is at rest, to a tenth of what counts as weak; an unstable one is not."""
        start = np.real(self.pairs.block(self.about.density)) / self.pairs.filling
        return bool(_size(self.pairs.filling * (self.rest - start)[None])[0] <= 0.1 * WEAK)

    def response(self, x: np.ndarray) -> np.ndarray:
        """ΔF_ai (..., d) of x (..., d)."""
        found = np.zeros(x.shape, complex)
        for block, real in zip(self.blocks, self._real, strict=True):
            own = x[..., block.index]
            found[..., block.index] = real.apply(np.real(own))
            if block.imaginary is not None:
                found[..., block.index] += 1j * (np.imag(own) @ block.imaginary)
        return found

    def one_step(self, k: int, dt: float) -> PairMap:
        """The step of block k, in η = x / n."""
        block, n = self.blocks[k], self.pairs.filling
        imaginary = None if block.imaginary is None else n * block.imaginary
        return PairMap(Phases(self.pairs.gaps[block.index], dt), n * self._real[k].matrix, imaginary)

    def modes(self, k: int, dt: float) -> StepModes | None:
        """Of the reference's step, block k; None where they are too many, or the step's map has none."""
        key = (k, dt)
        if key not in self._modes:
            small = len(self.blocks[k].index) <= MOST_EXACT
            self._modes[key] = scheme_modes(self.one_step(k, dt)) if small else None
        return self._modes[key]

    def predict(self, density: np.ndarray) -> np.ndarray:
        """F' of one P', (n_spin, m, m)."""
        x = self.pairs.block(density - self.about.density)
        return self.about.fock + self.pairs.matrix(self.response(x))

    def visit(self, density: np.ndarray) -> Visit:
        """See `Surrogate`."""
        x = self.pairs.block(density - self.about.density)
        return Visit(float(self.spread(x[None])[0]), 0.0)

    def spread(self, x: np.ndarray) -> np.ndarray:
        """Expected relative defect, (k,), at x (k, d): of the kernel, and of the second order left out."""
        return np.hypot(self.image_error * self._unmeasured, SECOND_ORDER * _size(x))

    def follow(self, x: np.ndarray) -> None:
        """Take note of the points (k, d) of a whole pass."""
        self._visits = x[:: max(1, len(x) // _SAMPLED)]
        if not any(real.n_pairs for real in self._real):
            return
        found = [self._principal(k)[1] for k in range(len(self.blocks))]
        whole = self._response_moment()
        left = float(np.sqrt(sum(np.sum(sizes**2) for sizes in found)))
        self._unmeasured = min(left / whole, 1.0) if whole > 0.0 else 1.0

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        """Measure against a reference pair; `refine` alone teaches: a pair of full size is not linear."""
        x = self.pairs.block(density - self.about.density)
        image = self.pairs.block(fock - self.about.fock)
        wrong = self.pairs.matrix(image - self.response(x))
        force = float(np.linalg.norm(wrong @ density - density @ wrong))
        size = float(np.linalg.norm(self.pairs.matrix(image)))
        found = Measurement(float(np.linalg.norm(wrong)), size, force)
        # What the second order makes is no error of A.
        first = found.residual**2 - float(SECOND_ORDER * _size(x[None])[0]) ** 2
        self.note(float(np.sqrt(max(first, 0.0))))
        return found

    def note(self, residual: float) -> None:
        """Take note of what was measured to lack in first order, relative."""
        self._residuals = [*self._residuals[1 - _RECENT :], residual]

    def refine(self, target: float, most: int) -> int:
        """Ask for responses to principal directions of the pass until the spread is at `target`.

        A Fock build serves one direction of every irrep.
        """
        target *= BELOW
        if not len(self._visits) or self.image_error * self._unmeasured <= target:
            return 0
        found = [self._principal(k) for k in range(len(self.blocks))]
        typical, builds = self._response_moment(), 0
        while builds < most and typical > 0.0:
            left = float(np.sqrt(sum(np.sum(sizes[builds:] ** 2) for _, sizes in found)))
            if self.image_error * left <= target * typical:
                break
            # A block at rest has no direction of its own.
            self._learn(
                [d[builds : builds + 1][sizes[builds : builds + 1] > NOTHING * typical] for d, sizes in found]
            )
            builds += 1
        if builds:
            # What anchors have shown before is mended.
            self._residuals = []
            self._taught()
        return builds

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
        for block in self.blocks:
            real = np.real(x[:, block.index])
            coulomb = coulomb + np.vecdot(real, real @ block.coulomb)
        total = total + np.real(np.vecdot(x, self.response(x)))
        ground = np.array(about.energies)
        return ground + np.stack([core, coulomb, total - core - coulomb], axis=1)

    def save(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays that `load` takes back."""
        learned = [real.save(f"pairs{k}") for k, real in enumerate(self._real)]
        arrays = {name: array for part in learned for name, array in part.items()}
        arrays["pairs_errors"] = np.array(self._errors[-_RECENT:])
        arrays["pairs_residuals"] = np.array(self._residuals)
        arrays["pairs_unmeasured"] = np.array(self._unmeasured)
        return arrays

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        for k, real in enumerate(self._real):
            real.load(f"pairs{k}", arrays)
        self._errors = np.asarray(arrays["pairs_errors"]).tolist()
        self._residuals = np.asarray(arrays["pairs_residuals"]).tolist()
        self._taught()
        self._unmeasured = float(np.asarray(arrays["pairs_unmeasured"]))

    def _taught(self) -> None:
        self._modes = {}
        self.rest = self._at_rest()

    def _at_rest(self) -> np.ndarray:
        """η (d,) at which nothing moves: ω η + F0 + n A (η - η0) = 0. The SCF ends near it, not there."""
        n = self.pairs.filling
        force = np.real(self.pairs.block(self.about.fock))
        start = np.real(self.pairs.block(self.about.density)) / n
        rest = np.zeros(self.pairs.n_pairs)
        for block, real in zip(self.blocks, self._real, strict=True):
            a = n * real.matrix
            hessian = np.diag(self.pairs.gaps[block.index]) + a
            rest[block.index] = np.linalg.solve(hessian, a @ start[block.index] - force[block.index])
        return rest

    def _principal(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Directions (r, d) of a block that the pass has and nobody has measured; their responses' sizes."""
        index, learned = self.blocks[k].index, self._real[k]
        visited = learned.outside(np.real(self._visits[:, index]))
        _, lengths, directions = np.linalg.svd(visited, full_matrices=False)
        sizes = lengths * np.linalg.norm(learned.apply(directions), axis=1)
        order = np.argsort(-sizes)
        return directions[order], sizes[order]

    def _response_moment(self) -> float:
        """√Σ |A Re x|² over the points noted."""
        parts = zip(self.blocks, self._real, strict=True)
        sizes = [np.linalg.norm(real.apply(np.real(self._visits[:, block.index]))) for block, real in parts]
        return float(np.linalg.norm(sizes))

    def _learn(self, directions: Sequence[np.ndarray]) -> None:
        """One Fock build: the response to a direction (1, d) of every block that has one left."""
        x = np.zeros(self.pairs.n_pairs)
        for block, direction in zip(self.blocks, directions, strict=True):
            if len(direction):
                x[block.index] = direction[0]
        change = self._basis.density_out(self.pairs.matrix(x.astype(complex)))
        image = np.real(self.pairs.block(self._basis.fock_in(self._engine.response(change))))
        for block, learned, direction in zip(self.blocks, self._real, directions, strict=True):
            if len(direction):
                own = image[block.index]
                wrong = float(np.linalg.norm(own - learned.apply(direction[0])))
                size = float(np.linalg.norm(own))
                if size > 0.0:
                    self._errors.append(wrong / size)
                learned.add(direction[0], own)
                learned.fit()


def _size(x: np.ndarray) -> np.ndarray:
    """|δP| (k,) of x (k, d): both triangles."""
    return np.sqrt(2.0) * np.linalg.norm(x, axis=1)


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
