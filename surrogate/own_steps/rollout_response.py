"""The surrogate whose steps are made by a graph in ONNX Runtime.

    F[P] = F0 + J[δP] - exact exchange + V_c[P] - V_c[P0] + r(δP)

V_c: the functional on points learned for the molecule. r: what anchors have shown that to lack, interpolated
(`../on_the_fly/remainder`); the graph takes it as an input. `predict` is the same by numpy, for measurements.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...adapters.engine import FockBuild
from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.working_basis import WorkingBasis
from ...atomic.errors import Failed
from ..matrices.packing import make_packing, pack, unpack
from ..nonlinear.nonlinear_response import NonlinearResponse, NonlinearSource
from ..on_the_fly.nonlinear_part import NonlinearPart
from ..on_the_fly.remainder import KERNEL, Remainder
from ..on_the_fly.response import CALIBRATION, NOTHING, base_irreps
from ..rollout.learned_rows import joined
from ..rollout.molecule import RolloutMatrices, points_of
from ..surrogate import Measurement, Visit
from ..whole_steps import LearnedRows, StepsFrom, StepsMade
from .block import Alone, Block, BlockRules, StepGraphs, most_steps
from .mean_field import MeanField, mean_field
from .turned import turned

#: Visits between two looks at the spread: a look takes the functional on all points.
LOOK_EVERY = 8
#: Orbitals by the graph that are less orthonormal have left what its series is good for.
ORTHONORMAL = 1e-9
#: Occupations below this are no orbitals' of the graph.
NEGATIVE = -1e-9


class NoPoints(Failed):
    """No points of a molecule are good enough. One line."""


@dataclass(frozen=True, eq=False)
class RolloutGround:
    """What steps are made about.

    density: P0', working basis, real. molecule: in the graphs' basis, without points.
    fields: the run's, in those of the molecule, (run's, molecule's).
    """

    engine: PySCFEngine
    basis: WorkingBasis
    density: np.ndarray
    build: FockBuild
    molecule: RolloutMatrices
    fields: np.ndarray


class RolloutResponse:
    """Implements `Surrogate` and `WholeSteps`.

    source: learns the points; None for Hartree-Fock. graphs: where steps are made, alone or with others'.
    """

    mean_field_builds = 0

    def __init__(
        self,
        ground: RolloutGround,
        source: NonlinearSource | None,
        rules: BlockRules,
        graphs: StepGraphs | None = None,
    ) -> None:
        self._ground, self._rules, self._has_points = ground, rules, source is not None
        self._graphs = graphs or Alone()
        basis, density = ground.basis, ground.density
        self._fock = basis.fock_in(ground.build.fock)
        packing = self._packing = make_packing(base_irreps(basis, density))
        self._turned = turned(basis)
        self._remainder = Remainder(packing.n_real)
        self._points = NonlinearPart(packing, source)
        self._calibration = 1.0
        self._moment, self._n_visits, self._spread, self._wait = 0.0, 0, 0.0, 0
        coulomb = ground.engine.coulomb(np.ascontiguousarray(np.real(basis.density_out(density)).sum(axis=0)))
        self._core, self._coulomb = (
            basis.fock_in(np.broadcast_to(matrix, ground.build.fock.shape))
            for matrix in (ground.engine.integrals.core, coulomb)
        )

    @property
    def nonlinear(self) -> bool:
        """What is not linear is there from the start."""
        return self._has_points

    @property
    def first_order_fails(self) -> bool:
        """False: it is held by choice."""
        return False

    @property
    def most_steps(self) -> int:
        """See `WholeSteps`."""
        return most_steps(self._ground.molecule)

    def predict(self, density: np.ndarray) -> np.ndarray:
        """F' of one P', (n_spin, m, m), by numpy."""
        return self._fock + self._response(density - self._ground.density)[0]

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        """A look every few visits; nothing is learned by one."""
        self._wait -= 1
        if self._wait > 0 and not last:
            return Visit(self._spread, 0.0)
        self._wait = LOOK_EVERY
        change = density - self._ground.density
        response, beyond = self._response(change)
        x, _ = pack(self._packing, change)
        self._points.visit(x)
        moment = float(np.vdot(response, response).real)
        self._n_visits += 1
        self._moment += moment
        typical = max(moment, self._moment / self._n_visits, NOTHING**2)
        self._spread = self._calibration * self._missing(x, beyond) / float(np.sqrt(typical))
        return Visit(self._spread, 0.0)

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        """Learn from a reference pair (P', field-free F')."""
        change = density - self._ground.density
        response, beyond = self._response(change)
        given = fock - self._fock
        wrong = given - response
        x, _ = pack(self._packing, change)
        defect, missing = float(np.linalg.norm(wrong)), self._missing(x, beyond)
        if missing > NOTHING and defect > NOTHING and self._remainder.n_anchors:
            # Half the way, in the logarithm: one anchor is one sample.
            calibration = np.sqrt(self._calibration * defect / missing)
            self._calibration = float(np.clip(calibration, *CALIBRATION))
        if self._has_points and np.linalg.norm(x) > NOTHING:
            lacking = wrong if not self._remainder.n_anchors else wrong + self._rest(x)
            self._remainder.add(x, pack(self._packing, lacking.astype(complex))[0])
        force = float(np.linalg.norm(wrong @ density - density @ wrong))
        return Measurement(defect, float(np.linalg.norm(given)), force)

    def refine(self, target: float, most: int) -> int:
        """Nothing: what is missing has no directions to be made exact."""
        return 0

    def sharpen(self) -> bool:
        """Learn the points anew from what was visited; the graph is then made anew."""
        changes = self._remainder.changes
        if not self._has_points or self._points.response is None:
            return False
        before = self._points.all_of(changes)
        if not self._points.relearn():
            return False
        self._remainder.subtract(self._points.all_of(changes) - before)
        return True

    def steps(self, start: StepsFrom, amplitudes: np.ndarray, more: LearnedRows | None) -> StepsMade | None:
        """See `WholeSteps`. None where occupations are negative, or the graph's series does not hold."""
        if start.occupations.min() < NEGATIVE:
            return None
        rows = joined([self._rows(), *([] if more is None else [more])], self._ground.density.shape)
        request = self._turned.request(start, amplitudes @ self._ground.fields, rows)
        made = self._graphs.run(self._block(start), request)
        moved = self._turned.moved(made)
        size = np.linalg.norm(start.orbitals)
        sizes = np.linalg.norm(moved.orbitals.reshape(len(moved.orbitals), -1), axis=1)
        apart = np.abs(sizes - size).max(initial=0.0)
        return None if apart > ORTHONORMAL * size else moved

    def energies(self, densities: np.ndarray) -> np.ndarray:
        """Core, Coulomb, exchange-correlation energies (k, 3), Hartree, of k densities (k, n_spin, m, m)."""
        ground = self._ground.build.energies
        changes = densities - self._ground.density
        core = ground.core + _traces(self._core, changes)
        linear = self._mean_field(changes)
        coulomb = ground.coulomb + _traces(self._coulomb, changes)
        coulomb += 0.5 * _traces(self._turned.matrices_out(linear.coulomb), changes)
        total = ground.core + ground.coulomb + ground.exchange_correlation + _traces(self._fock, changes)
        total += 0.5 * _traces(self._turned.matrices_out(linear.total()), changes)
        total += self._remainder.energies(np.array([pack(self._packing, change)[0] for change in changes]))
        if self._has_points:
            total += self._learned().energies(changes)
        return np.stack([core, coulomb, total - core - coulomb], axis=1)

    def save(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays that `load` takes back."""
        return {
            **self._remainder.save(),
            **self._points.save(),
            "calibration": np.array([self._calibration, self._moment, self._spread]),
            "visits": np.array([self._n_visits, self._wait]),
        }

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        self._remainder.load(arrays)
        self._points.load(arrays)
        self._calibration, self._moment, self._spread = np.asarray(arrays["calibration"]).tolist()
        self._n_visits, self._wait = np.asarray(arrays["visits"]).tolist()
        if self._points.response is not None:
            self._remainder.leave_rough()

    def _learned(self) -> NonlinearResponse:
        """The functional on points, learned when it is first asked for. Raises NoPoints."""
        if self._points.response is None:
            if not self._points.make():
                raise NoPoints("no points were found that give this molecule's functional")
            self._remainder.leave_rough()
        assert self._points.response is not None
        return self._points.response

    def _response(self, change: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """ΔF of a change of P', and what of it is V_c's, packed."""
        response = self._turned.matrices_out(self._mean_field(change).total())
        beyond = None
        if self._has_points:
            of_points = self._learned()(change)
            response = response + of_points
            beyond = pack(self._packing, of_points.astype(complex))[0]
        x, _ = pack(self._packing, change)
        return (response + self._rest(x) if self._remainder.n_anchors else response), beyond

    def _mean_field(self, changes: np.ndarray) -> MeanField:
        return mean_field(self._ground.molecule, self._turned.matrices_in(changes))

    def _rest(self, x: np.ndarray) -> np.ndarray:
        return self._matrix(self._remainder.predict(x))

    def _matrix(self, x: np.ndarray) -> np.ndarray:
        return unpack(self._packing, x, np.zeros(self._packing.n_imag))

    def _missing(self, x: np.ndarray, beyond: np.ndarray | None) -> float:
        """Expected norm of what a prediction lacks."""
        if not self._has_points:
            return 0.0
        guessed = self._points.missing(x, beyond) / (1 + self._remainder.n_anchors)
        variance = self._remainder.variance(x) if self._remainder.n_anchors else 0.0
        return float(np.hypot(guessed, np.sqrt(variance)))

    def _rows(self) -> LearnedRows:
        """r as the graph takes it."""
        changes, weights = self._remainder.changes, self._remainder.weights
        made = [np.real([self._matrix(x) for x in rows]) for rows in (changes, weights)]
        return LearnedRows(made[0], made[1], np.tile(KERNEL, (len(changes), 1)))

    def _block(self, start: StepsFrom) -> Block:
        """The graph for these occupations."""
        learned = self._learned() if self._has_points else None
        key = start.occupations.tobytes() + self._ground.molecule.field.tobytes() + repr(self._rules).encode()
        if learned is not None:
            key += learned.points().tobytes()

        def make() -> Block:
            ground = self._ground
            empty = np.zeros(start.orbitals.shape)
            molecule = replace(ground.molecule, occupations=start.occupations, orbitals=empty)
            if learned is not None:
                molecule = replace(molecule, points=points_of(ground.engine, molecule.basis, learned))
            return Block(molecule, ground.basis.to_canonical[0], self._rules)

        return self._graphs.block(key, make)


def _traces(matrix: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Re Tr M δP of k changes, M (n_spin, m, m) or one for each; (k,)."""
    return np.real(np.sum(np.conj(matrix) * changes, axis=(1, 2, 3)))
