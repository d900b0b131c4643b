"""The trained network alone: zero-shot from the first step, and exact wherever the reference has been asked.

    F'(P') ≈ F'(P0) + W (δP) + r(x),      W: the network's linear response, x: Re δP

r(x), what the network is wrong by, is interpolated between reference pairs (`remainder`). The spread is the
ensemble's, times what anchors have shown it to be worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...adapters.engine import Engine, FockBuild
from ...adapters.working_basis import WorkingBasis
from ..matrices.symmetric_pairs import pack_symmetric
from ..on_the_fly.nonlinear_part import CURVATURE
from ..on_the_fly.remainder import Remainder
from ..on_the_fly.response import NOTHING
from ..surrogate import Measurement, Visit
from .network_response import NetworkResponse

#: Bounds of the factor between spread and measured residuals.
_CALIBRATION = (1e-3, 30.0)
#: Visited densities kept for `refine`; beyond, every other one goes.
_MOST_VISITED = 32
#: Changes nearer to an anchor than this share of their size teach nothing.
_SAME = 1e-6


@dataclass(frozen=True, eq=False)
class _NetworkEvaluation:
    """One prediction, packed, in the Löwdin basis."""

    x: np.ndarray
    response_x: np.ndarray
    response_y: np.ndarray
    spread: float

    @property
    def size(self) -> float:
        """|ΔF|."""
        return float(np.hypot(np.linalg.norm(self.response_x), np.linalg.norm(self.response_y)))


class NeuralSurrogate:
    """The network about one closed-shell ground state; implements `Surrogate`.

    density, ground_build: P0 (working basis) and its reference Fock build. network: at the geometry.
    mean_field_builds: none, the network does without.
    """

    mean_field_builds = 0

    def __init__(
        self,
        engine: Engine,
        basis: WorkingBasis,
        density: np.ndarray,
        ground_build: FockBuild,
        network: NetworkResponse,
    ) -> None:
        self._engine, self._basis, self._density, self._ground_energies = (
            engine,
            basis,
            density,
            ground_build.energies,
        )
        self._network = network
        self._fock = basis.fock_in(ground_build.fock)
        # Takes working matrices to the Löwdin basis; orthogonal.
        self._turn = network.root @ basis.coefficients[0]
        self._remainder = Remainder(len(network.real))
        self._calibration, self._moment, self._n_visits = 1.0, 0.0, 0
        self._visited: list[np.ndarray] = []
        self._stride = 1
        self._last = self._evaluate(density)
        self._last_density = density
        total = np.real(basis.density_out(density)).sum(axis=0)
        self._core_x, self._coulomb_x, self._fock_x = (
            pack_symmetric(self._turn @ basis.fock_in(np.real(matrix))[0] @ self._turn.T)
            for matrix in (engine.integrals.core[None], engine.coulomb(total)[None], ground_build.fock)
        )

    @property
    def nonlinear(self) -> bool:
        """False: anchors tell of it."""
        return False

    @property
    def first_order_fails(self) -> bool:
        """Nothing holds it."""
        return False

    def predict(self, density: np.ndarray) -> np.ndarray:
        """F' of one P', (1, m, m)."""
        last = self._last = self._evaluate(density)
        self._last_density = density
        return self._fock + self._back(last.response_x, last.response_y)

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        """Keep a P'; the ensemble's spread there."""
        at = self._last if density is self._last_density else self._evaluate(density)
        if self._n_visits % self._stride == 0:
            self._visited.append(density)
            if len(self._visited) > _MOST_VISITED:
                self._visited = self._visited[::2]
                self._stride *= 2
        self._n_visits += 1
        self._moment += at.size**2
        typical = max(at.size, np.sqrt(self._moment / self._n_visits), NOTHING)
        return Visit(self._calibration * self._missing(at) / typical, 0.0)

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        """Learn from a reference pair (P', field-free F')."""
        at = self._evaluate(density)
        wrong = fock - self._fock - self._back(at.response_x, at.response_y)
        defect = float(np.linalg.norm(wrong))
        response = float(np.linalg.norm(fock - self._fock))
        self._learn(at, wrong)
        return Measurement(defect, response, float(np.linalg.norm(wrong @ density - density @ wrong)))

    def refine(self, target: float, most: int) -> int:
        """Ask the reference at visited densities, the worst first, until the spread is at `target`."""
        builds = 0
        while builds < most:
            found = [(density, self._evaluate(density)) for density in self._visited]
            open_ = [(density, at) for density, at in found if not self._known(at.x)]
            missing = [self._calibration * self._missing(at) for _, at in open_]
            typical = max(np.sqrt(self._moment / max(self._n_visits, 1)), NOTHING)
            if not missing or np.sqrt(np.mean(np.square(missing))) <= target * typical:
                break
            density, at = open_[int(np.argmax(missing))]
            fock = self._basis.fock_in(self._engine.fock(self._basis.density_out(density)).fock)
            self._learn(at, fock - self._fock - self._back(at.response_x, at.response_y))
            builds += 1
        return builds

    def sharpen(self) -> bool:
        """Nothing to sharpen: the network has no threshold."""
        return False

    def energies(self, densities: np.ndarray) -> np.ndarray:
        """Core, Coulomb, exchange-correlation energies (k, 3), Hartree, of k densities (k, 1, m, m).

        E(P) = E(P0) + Tr F(P0) δP + ½ Tr ΔF δP, with ∫ r·dP for what anchors have taught.
        """
        changes = self._turn @ (densities - self._density)[:, 0] @ self._turn.T
        x, y = self._network.pack(changes)
        ground = self._ground_energies
        core = ground.core + x @ self._core_x
        coulomb = ground.coulomb + x @ self._coulomb_x + 0.5 * np.vecdot(x @ self._network.coulomb, x)
        total = ground.core + ground.coulomb + ground.exchange_correlation + x @ self._fock_x
        total += 0.5 * np.vecdot(x @ self._network.real, x)
        total += 0.5 * np.vecdot(y @ self._network.imaginary, y)
        total += self._remainder.energies(x)
        return np.stack([core, coulomb, total - core - coulomb], axis=1)

    def save(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays that `load` takes back."""
        shape = (len(self._visited), *self._density.shape)
        return {
            **self._remainder.save(),
            "calibration": np.array([self._calibration, self._moment]),
            "visits": np.array([self._n_visits, self._stride]),
            "visited": np.array(self._visited, complex).reshape(shape),
        }

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        self._remainder.load(arrays)
        self._calibration, self._moment = np.asarray(arrays["calibration"]).tolist()
        self._n_visits, self._stride = np.asarray(arrays["visits"]).tolist()
        self._visited = list(np.array(arrays["visited"]))

    def _evaluate(self, density: np.ndarray) -> _NetworkEvaluation:
        change = self._turn @ (density - self._density)[0] @ self._turn.T
        x, y = self._network.pack(change)
        response_x, response_y, spread = self._network.respond(x, y)
        if self._remainder.n_anchors:
            response_x = response_x + self._remainder.predict(x)
        return _NetworkEvaluation(x, response_x, response_y, spread)

    def _back(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Packed Löwdin matrices in the working basis, (1, m, m)."""
        return (self._turn.T @ self._network.unpack(x, y) @ self._turn)[None]

    def _missing(self, at: _NetworkEvaluation) -> float:
        """|F_ref - F| by the ensemble, and by the curvature that no linear network has."""
        curvature = CURVATURE * float(at.x @ at.x) / (1 + self._remainder.n_anchors)
        if self._engine.linear:
            curvature = 0.0
        return float(np.hypot(at.spread * at.size, curvature))

    def _learn(self, at: _NetworkEvaluation, wrong: np.ndarray) -> None:
        if np.linalg.norm(at.x) <= NOTHING:
            return
        missing, defect = self._missing(at), float(np.linalg.norm(wrong))
        if missing > NOTHING and defect > NOTHING and not self._known(at.x):
            # Half the way, in the logarithm: one anchor is one sample.
            self._calibration = float(np.clip(np.sqrt(self._calibration * defect / missing), *_CALIBRATION))
        known = self._remainder.predict(at.x) if self._remainder.n_anchors else 0.0
        left = self._network.pack(self._turn @ wrong[0] @ self._turn.T)[0]
        self._remainder.add(at.x, left + known)

    def _known(self, x: np.ndarray) -> bool:
        """Whether an anchor lies here already."""
        if not self._remainder.n_anchors:
            return False
        apart = np.linalg.norm(self._remainder.changes - x, axis=1)
        return bool(apart.min() <= _SAME * np.linalg.norm(x))
