"""What NWChem's steps tell of its Fock matrix, from the densities that it streams alone.

From the same P' NWChem makes a step, and so does the surrogate. To first order the two end apart by

    ΔX = -i n dt e^(-iω dt/2) sinc(ω dt/2) δF,        ω = ε_a - ε_i,

δF the block between empty and occupied orbitals that the surrogate's mid-point Fock matrix lacks. Half of
what ΔX itself brings about is in it too, as the mid-point is half the step's end. Steps from X and -X leave
the odd orders alone. Their size balances the rounding of ten digits against the third order.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg

from ...adapters.engine import Energies
from ...adapters.nwchem.rt_restart import RestartPoint
from ...adapters.working_basis import WorkingBasis
from ...surrogate.kernel.analytic import AuxiliaryKernel, apply_auxiliary_kernel
from ...surrogate.matrices.occupied_empty import OccupiedEmpty
from ...surrogate.on_the_fly.streamed_response import Pair, StreamedResponse, StreamExpansionPoint
from ...surrogate.surrogate import Surrogate
from ..estimate.defect_operator import Defect
from ..loop.problem import Problem
from ..loop.reference import Sight
from ..loop.segment import Reason, Segment
from ..propagators.state import State
from .reference import BEFORE, Check, NWChemReference

#: Factors below this are those of core levels that turn by half a period in a step: they tell nothing.
_BLIND = 0.1
#: Batch of density changes the analytic kernel is applied to.
_BATCH = 128


@dataclass(eq=False)
class NWChemStream:
    """Probes and anchors of a `StreamedResponse`; implements `Reference`.

    amplitude: |X| of probes; time: at which they are made.
    """

    reference: NWChemReference
    space: OccupiedEmpty
    amplitude: float = 0.0
    shows_fock = False

    @property
    def rounding(self) -> float:
        """See `Reference`."""
        return self.reference.rounding

    @property
    def entries(self) -> int:
        """See `Reference`."""
        return self.reference.entries

    def __post_init__(self) -> None:
        problem = self.reference.problem
        dt = problem.real_time.dt
        phase = 0.5 * dt * self.space.gaps
        weight = np.sinc(phase / np.pi)
        seen = np.where(np.abs(weight) > _BLIND, 1.0 / np.where(weight == 0.0, 1.0, weight), 0.0)
        #: δF per ΔX.
        self._inverse = 1j * np.exp(1j * phase) * seen / (self.space.filling * dt)
        cosine = np.cos(phase)
        #: X at the start of a step per X at its middle, by free motion.
        self._start = np.exp(1j * phase) * cosine / (cosine**2 + _BLIND**2)
        self.time = -BEFORE * dt

    def find_rest(self, surrogate: StreamedResponse) -> None:
        """Take the block of NWChem's F' that its SCF has not brought to zero into the expansion point.

        Also sets `amplitude`.
        """
        reference, density = self.reference, self.reference.problem.ground_density
        point, _ = reference.one_step(density, self.time)
        self.amplitude = (10.0 * reference.rounding_of(point) / reference.problem.real_time.dt) ** (1.0 / 3.0)
        for _ in range(2):
            lacking = self._lacking(surrogate, density, self.time, point)[1]
            fock = surrogate.about.fock + self.space.matrix(np.real(lacking))
            surrogate.about = replace(surrogate.about, fock=fock)

    def probe(self, surrogate: StreamedResponse, direction: np.ndarray) -> Pair:
        """Two steps, from X and -X along a direction (d,) of any length."""
        spent = self.reference.seconds
        pair = self._pair(surrogate, direction)
        self.reference.probe_seconds += self.reference.seconds - spent
        self.reference.seconds = spent
        return pair

    def _pair(self, surrogate: StreamedResponse, direction: np.ndarray) -> Pair:
        middle = direction * (self.amplitude / np.linalg.norm(direction))
        sides = [
            self._lacking(surrogate, self._turned(sign * self._start * middle), self.time)
            for sign in (1.0, -1.0)
        ]
        (x, lacking), (mirrored, lacking_mirrored) = sides
        even = float(np.linalg.norm(lacking + lacking_mirrored)) / 2.0
        return Pair(0.5 * (x - mirrored), 0.5 * (lacking - lacking_mirrored), even)

    def steps(
        self, state: State, energies: Energies, n_steps: int, seconds: float, reason: Reason
    ) -> tuple[Segment, Energies]:
        """See `Reference`."""
        return self.reference.steps(state, energies, n_steps, seconds, reason)

    def taken_up(self, state: State) -> State:
        """See `Reference`."""
        return self.reference.taken_up(state)

    def sight(self, surrogate: Surrogate, density: np.ndarray, time: float, *, end: bool) -> Sight:
        """See `Reference`. A deviation too small for ten digits is measured along its direction, enlarged."""
        assert isinstance(surrogate, StreamedResponse)
        x = self.space.block(density - surrogate.about.density)
        size = float(np.linalg.norm(x))
        enlarged = size < self.amplitude
        if size == 0.0:
            pair = Pair(x, np.zeros_like(x), 0.0)
        elif enlarged:
            pair = self._pair(surrogate, x)
        else:
            pair = Pair(*self._lacking(surrogate, density, time), 0.0)
        scale = size / self.amplitude if enlarged else 1.0
        lacking = float(np.hypot(scale * np.linalg.norm(pair.lacking), scale**2 * pair.even))
        response = scale * float(np.linalg.norm(surrogate.response(pair.x)))
        if end:
            self._note(time, lacking, response, scale)
        defect = self.space.matrix(scale * pair.lacking)
        root = float(np.sqrt(2.0))
        energies = Energies(*surrogate.energies(density[None])[0].tolist())
        return Sight(
            Defect(density - surrogate.about.density, defect, root * response),
            root * self.space.filling * lacking,
            0.0,
            energies,
            lambda: surrogate.learn(pair) if enlarged else None,
        )

    def show(self, surrogate: Surrogate, state: State) -> int:
        """See `Reference`: a stream of densities shows no matrix; two steps or one do."""
        self.sight(surrogate, state.density, state.time, end=True).teach()
        return 1

    def _note(self, time: float, lacking: float, response: float, scale: float) -> None:
        """Keep a check."""
        dt = self.reference.problem.real_time.dt
        self.reference.checks.append(
            Check(
                time,
                lacking * self.space.filling * dt,
                scale * self.amplitude**3 / 10.0 * dt,
                lacking / response if response > 0.0 else 0.0,
            )
        )

    def _turned(self, x: np.ndarray) -> np.ndarray:
        """P' = e^K P'0 e^-K with [K, P'0] = X."""
        ground = self.reference.problem.ground_density
        flat = np.zeros(ground.size, complex)
        flat[self.space.index] = x / self.space.filling
        flat[self.space.mirrored] = -np.conj(x) / self.space.filling
        turns = [scipy.linalg.expm(k) for k in flat.reshape(ground.shape)]
        return np.array([u @ p @ u.conj().T for u, p in zip(turns, ground, strict=True)])

    def _lacking(
        self,
        surrogate: StreamedResponse,
        density: np.ndarray,
        time: float,
        point: RestartPoint | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """X at the middle of NWChem's step from P', and the block of F' that the surrogate lacks there.

        point: where the step leads, if known.
        """
        reference = self.reference
        own = reference.own_step(density, time, surrogate.predict)
        if point is None:
            point, _ = reference.one_step(density, time)
        end = reference.density(point)
        change = self.space.block(end - own)
        middle = self.space.block(0.5 * (density + end) - surrogate.about.density)
        return middle, self._inverse * change - 0.5 * surrogate.response(change)


def first_guesses(
    kernel: AuxiliaryKernel, basis: WorkingBasis, space: OccupiedEmpty
) -> tuple[np.ndarray, np.ndarray]:
    """A and B (d, d) by an analytic kernel of AO density changes."""

    def image(block: np.ndarray) -> np.ndarray:
        change = basis.density_out(space.matrix(block))
        return space.block(basis.fock_in(apply_auxiliary_kernel(kernel, change)))

    d = space.n_pairs
    a, b = np.empty((2, d, d))
    for first in range(0, d, _BATCH):
        rows = slice(first, min(first + _BATCH, d))
        unit = np.eye(d)[rows]
        both = image((1.0 + 1.0j) * unit)
        a[rows], b[rows] = np.real(both), np.imag(both)
    return 0.5 * (a + a.T), 0.5 * (b + b.T)


def stream_expansion_point(problem: Problem) -> StreamExpansionPoint:
    """The point of expansion, by NWChem's orbitals."""
    basis, engine = problem.basis, problem.engine
    density = problem.ground_density
    total = np.real(basis.density_out(density)).sum(axis=0)
    energies = problem.ground_build.energies

    def inside(matrix: np.ndarray) -> np.ndarray:
        return basis.fock_in(np.broadcast_to(matrix, problem.ground_build.fock.shape))

    return StreamExpansionPoint(
        density=density,
        fock=inside(problem.ground_build.fock),
        core=inside(engine.integrals.core),
        coulomb=inside(engine.coulomb(np.ascontiguousarray(total))),
        energies=(energies.core, energies.coulomb, energies.exchange_correlation),
        coulomb_of=lambda p: inside(_coulomb(problem, basis, p)),
    )


def _coulomb(problem: Problem, basis: WorkingBasis, density: np.ndarray) -> np.ndarray:
    return problem.engine.coulomb(np.ascontiguousarray(np.real(basis.density_out(density)).sum(axis=0)))
