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
from ..nonlinear.nonlinear_response import NonlinearSource
from ..on_the_fly.functional_response import FunctionalResponse, ResponseGround
from ..on_the_fly.remainder import KERNEL
from ..rollout.learned_rows import joined
from ..rollout.molecule import RolloutMatrices, points_of
from ..surrogate import Measurement, Visit
from ..whole_steps import LearnedRows, StepsFrom, StepsMade
from .block import Alone, Block, BlockRules, StepGraphs, most_steps
from .mean_field import GraphMeanField
from .turned import turned

#: Orbitals by the graph that are less orthonormal have left what its series is good for.
ORTHONORMAL = 1e-9
#: Occupations below this are no orbitals' of the graph.
NEGATIVE = -1e-9


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
        self._ground, self._rules, self._graphs = ground, rules, graphs or Alone()
        self._turned = turned(ground.basis)
        about = ResponseGround(ground.engine, ground.basis, ground.density, ground.build)
        self._by_numpy = FunctionalResponse(about, GraphMeanField(ground.molecule, self._turned), source)

    @property
    def nonlinear(self) -> bool:
        """See `Surrogate`."""
        return self._by_numpy.nonlinear

    @property
    def first_order_fails(self) -> bool:
        """See `Surrogate`."""
        return self._by_numpy.first_order_fails

    @property
    def most_steps(self) -> int:
        """See `WholeSteps`."""
        return most_steps(self._ground.molecule)

    def predict(self, density: np.ndarray) -> np.ndarray:
        """F' of one P', (n_spin, m, m), by numpy."""
        return self._by_numpy.predict(density)

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        """See `Surrogate`."""
        return self._by_numpy.visit(density, last=last)

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        """See `Surrogate`."""
        return self._by_numpy.observe(density, fock)

    def refine(self, target: float, most: int) -> int:
        """See `Surrogate`."""
        return self._by_numpy.refine(target, most)

    def sharpen(self) -> bool:
        """Learn the points anew from what was visited; the graph is then made anew."""
        return self._by_numpy.sharpen()

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
        """See `Surrogate`."""
        return self._by_numpy.energies(densities)

    def save(self) -> dict[str, np.ndarray]:
        """See `Surrogate`."""
        return self._by_numpy.save()

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """See `Surrogate`."""
        self._by_numpy.load(arrays)

    def _rows(self) -> LearnedRows:
        """r as the graph takes it."""
        changes, weights = self._by_numpy.taught
        return LearnedRows(changes, weights, np.tile(KERNEL, (len(changes), 1)))

    def _block(self, start: StepsFrom) -> Block:
        """The graph for these occupations."""
        learned = self._by_numpy.learned
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
