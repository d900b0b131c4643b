"""A surrogate that forms its response anew at every density: Coulomb, exchange, the functional on points.

    F'(P') ≈ F'(P0) + J[δP] + exact exchange of δP + V_c[P] - V_c[P0] + r(δP)

V_c: the functional on few points, its first order and all. r: what anchors have shown that to lack,
interpolated. No direction is learned, so that neither memory nor the time of a step grows with what a run has
seen: for molecules whose kernel does not fit, and where a graph makes the steps (`../own_steps`).

The spread is what the points were measured to lack and the variance of r, scaled by what anchors have shown
them to be worth.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...adapters.engine import Engine, FockBuild
from ...adapters.working_basis import WorkingBasis
from ...atomic.errors import Failed
from ..matrices.packing import make_packing, pack, unpack
from ..nonlinear.nonlinear_response import NonlinearResponse, NonlinearSource
from ..surrogate import FORMED, Measurement, Visit
from .nonlinear_part import NonlinearPart
from .remainder import Remainder
from .response import CALIBRATION, NOTHING, base_irreps

#: Visits between two looks at the spread: a look takes all of the response.
LOOK_EVERY = 8
#: Densities of one step lie apart by no more of δP, or are looked at by themselves: `nearly` is 3e-3 off.
NEAR = 0.02
#: Of how far they lie apart, what is smaller than this share of δP is left out.
STILL_APART = 1e-5


class NoPoints(Failed):
    """No points of a molecule are good enough. One line."""


class MeanFieldMap(Protocol):
    """What of the response is linear and needs no quadrature, in the working basis."""

    def coulomb(self, changes: np.ndarray) -> np.ndarray:
        """J[Re δP] of both spins, real, of changes of P', both (k, n_spin, m, m), Hartree."""
        ...

    def total(self, changes: np.ndarray) -> np.ndarray:
        """The same with exact exchange, complex."""
        ...

    def nearly(self, changes: np.ndarray, still: float) -> np.ndarray:
        """`total` to 3e-3; still: eigenvalues of the changes that may be left out."""
        ...


@dataclass(frozen=True, eq=False)
class _Looked:
    """What one of a step's looks found, (n_spin, m, m) each.

    change: of P'. response: ΔF without r. beyond: V_c of it; nearly: V_c by the few points.
    still: eigenvalues that count nothing in what other densities of the step differ by.
    """

    change: np.ndarray
    response: np.ndarray
    beyond: np.ndarray
    nearly: np.ndarray
    still: float


@dataclass(frozen=True, eq=False)
class ResponseGround:
    """What a response is about: an engine, its working basis, P0' (real) and its Fock build."""

    engine: Engine
    basis: WorkingBasis
    density: np.ndarray
    build: FockBuild


class FunctionalResponse:
    """Implements `Surrogate`, `StepsFollowed` and `EnergiesApart`.

    source: learns the points, when they are first asked for; None for Hartree-Fock.
    nearly: makes V_c of few points, for what two densities of one step differ by; None: by the same points.
    """

    mean_field_builds = 0

    def __init__(
        self,
        ground: ResponseGround,
        mean_field: MeanFieldMap,
        source: NonlinearSource | None,
        nearly: Callable[[], NonlinearResponse] | None = None,
    ) -> None:
        self.ground, self._mean_field, self._has_points = ground, mean_field, source is not None
        basis, density = ground.basis, ground.density
        self._fock = basis.fock_in(ground.build.fock)
        packing = self._packing = make_packing(base_irreps(basis, density))
        self._remainder = Remainder(packing.n_real)
        self._points = NonlinearPart(packing, source)
        self._calibration = 1.0
        self._moment, self._n_visits, self._spread, self._wait = 0.0, 0, 0.0, 0
        self._make_nearly = nearly
        self._nearly: NonlinearResponse | None = None
        # The step that is being made, its last look, and those that the pass's steps ended with.
        self._step: int | None = None
        self._looked: _Looked | None = None
        self._kept: dict[int, _Looked] = {}
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
    def learned(self) -> NonlinearResponse | None:
        """The functional on points, learned when it is first asked for; None for Hartree-Fock.

        Raises NoPoints.
        """
        if not self._has_points:
            return None
        if self._points.response is None:
            if not self._points.make():
                raise NoPoints("no points were found that give this molecule's functional")
            self._remainder.leave_rough()
        return self._points.response

    @property
    def taught(self) -> tuple[np.ndarray, np.ndarray]:
        """r as its anchors' changes of P' and weights, (k, n_spin, m, m) each, real."""
        shape = (-1, *self._packing.shape)
        rows = (self._remainder.changes, self._remainder.weights)
        made = [np.real([self._matrix(x) for x in each]).reshape(shape) for each in rows]
        return made[0], made[1]

    def predict(self, density: np.ndarray) -> np.ndarray:
        """F' of one P', (n_spin, m, m)."""
        return self._fock + self._response(density - self.ground.density)[0]

    def pass_begins(self) -> Callable[[int], None]:
        """See `StepsFollowed`. A step's first look is whole: nothing is carried on from the step before.

        What is of first order turns too fast: carried on like r in `OnTheFlyResponse`, CO in a wave was 1e-3
        off, which no measurement of F sees.
        """
        self._step, self._looked, self._kept = None, None, {}

        def begins(number: int) -> None:
            self._step, self._looked = number, None

        return begins

    def nearby(self) -> Callable[[np.ndarray, int], np.ndarray]:
        """See `StepsFollowed`: by the distance from the pass."""

        def predict(density: np.ndarray, number: int) -> np.ndarray:
            change, at = density - self.ground.density, self._kept.get(number)
            looked = self._look(change) if at is None or _is_far(at, change) else self._beside(at, change)
            return self._fock + self._taught(change, looked.response)

        return predict

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        """A look every few visits; nothing is learned by one."""
        self._wait -= 1
        if self._wait > 0 and not last:
            return Visit(self._spread, 0.0)
        self._wait = LOOK_EVERY
        change = density - self.ground.density
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
        self._step = self._looked = None
        change = density - self.ground.density
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
        """Learn the points anew from what was visited."""
        changes = self._remainder.changes
        if not self._has_points or self._points.response is None:
            return False
        before = self._points.all_of(changes)
        if not self._points.relearn():
            return False
        self._remainder.subtract(self._points.all_of(changes) - before)
        return True

    def energies(self, densities: np.ndarray) -> np.ndarray:
        """Core, Coulomb, exchange-correlation energies (k, 3), Hartree, of k densities (k, n_spin, m, m)."""
        ground = self.ground.build.energies
        changes = densities - self.ground.density
        core, coulomb = self.core_and_coulomb(densities).T
        total = ground.core + ground.coulomb + ground.exchange_correlation + _traces(self._fock, changes)
        total += 0.5 * _traces(self._mean_field.total(changes), changes)
        total += self._remainder.energies(np.array([pack(self._packing, change)[0] for change in changes]))
        learned = self.learned
        if learned is not None:
            total += learned.energies(changes)
        return np.stack([core, coulomb, total - core - coulomb], axis=1)

    def core_and_coulomb(self, densities: np.ndarray) -> np.ndarray:
        """See `EnergiesApart`."""
        ground, changes = self.ground.build.energies, densities - self.ground.density
        core = ground.core + _traces(self._core, changes)
        coulomb = ground.coulomb + _traces(self._coulomb, changes)
        coulomb += 0.5 * _traces(self._mean_field.coulomb(changes), changes)
        return np.stack([core, coulomb], axis=1)

    def save(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays that `load` takes back."""
        return {
            **self._remainder.save(),
            **self._points.save(),
            "calibration": np.array([self._calibration, self._moment, self._spread]),
            "visits": np.array([self._n_visits, self._wait]),
            FORMED: np.array(True),
        }

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved. Of what directions taught, where a kernel fitted, nothing serves."""
        if FORMED not in arrays:
            return
        self._remainder.load(arrays)
        self._points.load(arrays)
        self._calibration, self._moment, self._spread = np.asarray(arrays["calibration"]).tolist()
        self._n_visits, self._wait = np.asarray(arrays["visits"]).tolist()
        if self._points.response is not None:
            self._remainder.leave_rough()

    def _response(self, change: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """ΔF of a change of P', and what of it is V_c's, packed."""
        looked = self._of_step(change) if self._step is not None else self._look(change)
        beyond = pack(self._packing, looked.beyond.astype(complex))[0] if self._has_points else None
        return self._taught(change, looked.response), beyond

    def _of_step(self, change: np.ndarray) -> _Looked:
        """A step's second look takes only what that differs by from the first."""
        assert self._step is not None
        at = self._looked
        if at is None or _is_far(at, change):
            found = self._look(change, first=True)
        else:
            found = self._beside(at, change)
        self._looked = found
        # In single precision, like Coulomb and exchange.
        few = found.nearly.astype(np.float32)
        change, response = (matrix.astype(np.complex64) for matrix in (found.change, found.response))
        self._kept[self._step + 1] = _Looked(change, response, few, few, found.still)
        return found

    def _look(self, change: np.ndarray, *, first: bool = False) -> _Looked:
        """All of a change; first: others of its step are looked at beside it."""
        linear, learned = self._mean_field.total(change[None])[0], self.learned
        beyond = np.zeros(change.shape) if learned is None else learned(change)
        still = STILL_APART * float(np.abs(np.linalg.eigvalsh(change)).max()) if first else 0.0
        nearly = self._few(change) if first and self._make_nearly is not None else beyond
        return _Looked(change, linear + beyond, beyond, nearly, still)

    def _beside(self, at: _Looked, change: np.ndarray) -> _Looked:
        """Of a change close to one that has been looked at."""
        apart = change - at.change
        if not apart.any():
            return at
        nearly = self._few(change)
        more = nearly - at.nearly
        response = at.response + self._mean_field.nearly(apart[None], at.still)[0] + more
        return _Looked(change, response, at.beyond + more, nearly, at.still)

    def _few(self, change: np.ndarray) -> np.ndarray:
        """V_c by few points."""
        if self._nearly is None and self._make_nearly is not None and self._has_points:
            self._nearly = self._make_nearly()
        found = self._nearly or self.learned
        return np.zeros(change.shape) if found is None else found(change)

    def _taught(self, change: np.ndarray, response: np.ndarray) -> np.ndarray:
        """A response and r."""
        if not self._remainder.n_anchors:
            return response
        return response + self._rest(pack(self._packing, change)[0])

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


def _is_far(at: _Looked, change: np.ndarray) -> bool:
    return bool(np.linalg.norm(change - at.change) > NEAR * np.linalg.norm(at.change))


def _traces(matrix: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Re Tr M δP of k changes, M (n_spin, m, m) or one for each; (k,)."""
    return np.real(np.sum(np.conj(matrix) * changes, axis=(1, 2, 3)))
