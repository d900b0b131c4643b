"""The on-the-fly response: a surrogate that learns the Fock response along the run's own directions.

    F'(P') ≈ F'(P0) + K_x Q_xᵀ x + i K_y Q_yᵀ y + r(x),      x, y: real and imaginary part of P' - P0

- Coulomb and exact exchange are linear; their images are exact as soon as a direction is met, for no
  quadrature. So the imaginary part, which responds through exact exchange alone, is exact on all it has met.
- The exchange-correlation part of a real direction comes from a kernel (the prior) when it is met,
  and from one reference evaluation (a Fock build) when `refine` finds that it matters.
- r(x), all that is not linear: from some |δP| on the functional itself on few points (`..nonlinear`), and
  what that leaves, interpolated between anchors. Where its first order is of no use, r has all of it, and
  the images are those of Coulomb and exact exchange.
- Where the ground state is symmetric the linear part keeps irreps apart.

The spread is what is known to be missing, the approximate images times the prior's measured error and the
variance of r, scaled by what anchors have shown it to be worth.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...adapters.engine import Engine, FockBuild
from ...adapters.working_basis import WorkingBasis
from ..matrices.packing import make_packing, pack, unpack
from ..surrogate import FORMED, Measurement, Visit
from .carried_on import CarriedOn
from .direct_sum import DirectSum
from .first_guess import NO_PRIOR_ERROR, FirstGuess
from .nonlinear_part import NonlinearPart
from .remainder import Remainder

#: A ground-state density with larger elements between irreps is not symmetric.
ASYMMETRY = 1e-5
#: Norms below this are rounding.
NOTHING = 1e-13
#: Most visits between two looks at what lies outside the known directions and at the spread.
LOOK_EVERY = 4
#: Points of a pass between two looks at how far r is from that at its point, for densities nearby.
APART_EVERY = 4
#: Refining starts where the approximate images' share of the spread exceeds the target this many times.
SLACK = 2.0
#: Share of the defects that points must be expected to make before they are learned anew: of water's in pump
#: and probe the analytic kernel made nine tenths.
IN_POINTS = 0.25
#: What the threshold for new directions is multiplied by to be sharpened; it stays above rounding.
SHARPER, LEAST_OUTSIDE = 0.2, 1e-6
#: Bounds of the factor between spread and measured residuals.
CALIBRATION = (0.3, 30.0)


@dataclass(frozen=True, eq=False)
class _Evaluation:
    """One prediction: the change (x, y) and the response predicted for it; of that, what is not linear."""

    x: np.ndarray
    y: np.ndarray
    response_x: np.ndarray
    response_y: np.ndarray
    beyond: np.ndarray | None

    @property
    def response_moment(self) -> float:
        """|ΔF|²."""
        return float(self.response_x @ self.response_x + self.response_y @ self.response_y)


class OnTheFlyResponse:
    """The on-the-fly response about one ground-state density; implements `Surrogate`.

    density, ground_build: P0 (working basis, real) and its reference Fock build.
    guess: what is known before any response is met; None: Coulomb and exact exchange alone.
    outside: a change that leaves the known directions by more than this share of its size makes a new one.
    mean_field_builds: Coulomb-exchange builds made so far.
    """

    def __init__(
        self,
        engine: Engine,
        basis: WorkingBasis,
        density: np.ndarray,
        ground_build: FockBuild,
        guess: FirstGuess | None,
        outside: float,
    ) -> None:
        self.mean_field_builds = 0
        self._engine, self._basis, self._outside = engine, basis, outside
        self._guess = guess or FirstGuess(engine.mean_field_response, NO_PRIOR_ERROR, builds=True)
        self._density, self._ground_energies = density, ground_build.energies
        self._fock = basis.fock_in(ground_build.fock)
        packing = self._packing = make_packing(base_irreps(basis, density))
        self._x_map, self._y_map = DirectSum(packing.real_blocks), DirectSum(packing.imag_blocks)
        self._remainder = Remainder(packing.n_real)
        self._nonlinear = NonlinearPart(packing, self._guess.nonlinear)
        self._errors: list[float] = []
        self._calibration = 1.0
        self._moment, self._n_visits, self._spread = 0.0, 0, 0.0
        self._patience = self._wait = 1
        self._carried: CarriedOn | None = None
        # Expected norm of what the points lack, and that of all, at what was observed since a pass began.
        self._of_points: list[tuple[float, float]] = []
        self._last_density, self._last = density, self._evaluate(density)
        coulomb = engine.coulomb(np.ascontiguousarray(np.real(basis.density_out(density)).sum(axis=0)))
        self._core_x, self._coulomb_x, self._fock_x = (
            pack(packing, basis.fock_in(np.broadcast_to(matrix, ground_build.fock.shape)).astype(complex))[0]
            for matrix in (engine.integrals.core, coulomb, ground_build.fock)
        )

    @property
    def n_directions(self) -> tuple[int, int, int]:
        """Real directions with exact and with approximate images, and imaginary ones."""
        return self._x_map.n_exact, self._x_map.n - self._x_map.n_exact, self._y_map.n

    @property
    def image_error(self) -> float:
        """Relative error of the approximate images: measured on those made exact, before that the prior's."""
        if self._engine.linear:
            return 0.0
        if self._errors:
            return float(np.sqrt(np.mean(np.square(self._errors))))
        return self._guess.error

    @property
    def nonlinear(self) -> bool:
        """Whether the nonlinear part is there."""
        return self._nonlinear.response is not None

    @property
    def first_order_fails(self) -> bool:
        """See `Surrogate`."""
        return self._nonlinear.whole

    def predict(self, density: np.ndarray) -> np.ndarray:
        """F' of one P', (n_spin, m, m). Cost: four passes over the directions known, 2 k d flops each.

        k, d: directions and length of every irrep that the motion has reached.
        """
        guess = None if self._carried is None else self._carried.guess()
        last = self._last = self._evaluate(density, guess)
        self._last_density = density
        if self._carried is not None and guess is None:
            self._carried.note(last.beyond)
        return self._fock + unpack(self._packing, last.response_x, last.response_y)

    def pass_begins(self) -> Callable[[int], None]:
        """See `StepsFollowed`."""
        self._carried = CarriedOn()
        self._of_points.clear()
        return self._carried.begins

    def nearby(self) -> Callable[[np.ndarray, int], np.ndarray]:
        """See `StepsFollowed`."""
        carried = self._carried or CarriedOn()
        # Where r has the first order, all of what F does about the distance may be in it.
        every = 1 if self._nonlinear.whole else APART_EVERY
        apart: np.ndarray | None = None

        def predict(density: np.ndarray, number: int) -> np.ndarray:
            nonlocal apart
            known = carried.at(number)
            if known is None or apart is None or number % every == 0:
                at = self._evaluate(density)
                apart = None if known is None or at.beyond is None else at.beyond - known
            else:
                at = self._evaluate(density, known + apart)
            return self._fock + unpack(self._packing, at.response_x, at.response_y)

        return predict

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        """Note a P'; look whether it leaves the known directions.

        Looks are rarer while they find nothing. A kick may be a segment's last step: there is one at its end.
        """
        self._wait -= 1
        if self._wait > 0 and not last:
            return Visit(self._spread, 0.0)
        at = self._last if density is self._last_density else self._evaluate(density)
        size = float(at.x @ at.x + at.y @ at.y)
        if self._nonlinear.wanted(size):
            self._count_nonlinear()
        self._nonlinear.visit(at.x)
        c, unknown = self._meet(at)
        self._patience = self._wait = 1 if unknown else min(self._patience + 1, LOOK_EVERY)
        self._n_visits += 1
        self._moment += at.response_moment
        self._x_map.visit(c)
        missing = self._missing(at, c)
        typical = max(at.response_moment, self._moment / self._n_visits, NOTHING**2)
        self._spread = self._calibration * missing / float(np.sqrt(typical))
        # What the prediction just made did not respond to at all.
        return Visit(self._spread, float(np.sqrt(unknown / size)) if unknown else 0.0)

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        """Learn from a reference pair (P', field-free F')."""
        at = self._evaluate(density)
        x, y = pack(self._packing, fock - self._fock)
        defect = float(np.hypot(np.linalg.norm(x - at.response_x), np.linalg.norm(y - at.response_y)))
        response = float(np.hypot(np.linalg.norm(x), np.linalg.norm(y)))
        missing = self._missing(at, self._x_map.coordinates(at.x))
        if missing > NOTHING and defect > NOTHING and self._remainder.n_anchors:
            # Half the way, in the logarithm: one anchor is one sample.
            calibration = np.sqrt(self._calibration * defect / missing)
            self._calibration = float(np.clip(calibration, *CALIBRATION))
        self._of_points.append((self._nonlinear.lacking(at.beyond), defect))
        if not self._engine.linear and np.linalg.norm(at.x) > NOTHING:
            # The reference's own steps lead where no visit was: what is linear there is no rest.
            self._meet(at)
            rest = x - self._x_map.apply(at.x)
            self._remainder.add(at.x, rest if at.beyond is None else rest - at.beyond)
        wrong = unpack(self._packing, x - at.response_x, y - at.response_y)
        force = float(np.linalg.norm(wrong @ density - density @ wrong))
        return Measurement(defect, response, force)

    def refine(self, target: float, most: int) -> int:
        """Make the principal approximate directions exact until the spread over all visits is at `target`.

        A Fock build does so for the principal one of every irrep.
        """
        builds = 0
        if self._engine.linear or self._x_map.n_exact == self._x_map.n:
            return 0
        moments = [part.sort_approximate() * part.approximate_size**2 for part in self._x_map.maps]
        most_visited = max(self._moment, NOTHING**2)
        if self._expected(moments, most_visited) <= SLACK * target:
            return 0
        while builds < most and self._expected(moments, most_visited) > target:
            self._refine_once()
            moments = [moment[1:] for moment in moments]
            builds += 1
        return builds

    def sharpen(self) -> bool:
        """Learn points anew from what was visited; where the engine is linear, see smaller new directions."""
        of_points, of_all = np.linalg.norm(np.reshape(self._of_points, (-1, 2)), axis=0)
        if self.nonlinear and (of_points >= IN_POINTS * of_all or self._nonlinear.whole):
            changes = self._remainder.changes
            before = self._nonlinear.all_of(changes)
            if self._nonlinear.relearn():
                self._remainder.subtract(self._nonlinear.all_of(changes) - before)
                return True
        if not self._engine.linear or self._outside <= LEAST_OUTSIDE:
            return False
        self._outside = max(SHARPER * self._outside, LEAST_OUTSIDE)
        self._wait = self._patience = 1
        return True

    def energies(self, densities: np.ndarray) -> np.ndarray:
        """Core, Coulomb, exchange-correlation energies (k, 3), Hartree, of k densities (k, n_spin, m, m).

        E(P) = E(P0) + Tr F(P0) δP + ½ Tr ΔF δP, with ∫ r·dP for the part of ΔF that is not linear.
        """
        x, y = self._packed_changes(densities)
        ground = self._ground_energies
        total = ground.core + ground.coulomb + ground.exchange_correlation + x @ self._fock_x
        total += 0.5 * self._x_map.energy(x, "k") + 0.5 * self._y_map.energy(y, "k")
        total += self._remainder.energies(x)
        if self._nonlinear.response is not None:
            total += self._nonlinear.response.energies(densities - self._density)
        core, coulomb = self._core_and_coulomb(x).T
        return np.stack([core, coulomb, total - core - coulomb], axis=1)

    def core_and_coulomb(self, densities: np.ndarray) -> np.ndarray:
        """See `EnergiesApart`."""
        return self._core_and_coulomb(self._packed_changes(densities)[0])

    def _core_and_coulomb(self, x: np.ndarray) -> np.ndarray:
        ground = self._ground_energies
        coulomb = ground.coulomb + x @ self._coulomb_x + 0.5 * self._x_map.energy(x, "j")
        return np.stack([ground.core + x @ self._core_x, coulomb], axis=1)

    def _packed_changes(self, densities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        packed = [pack(self._packing, density - self._density) for density in densities]
        return np.array([p[0] for p in packed]), np.array([p[1] for p in packed])

    def save(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays that `load` takes back."""
        return {
            **self._x_map.save("x"),
            **self._y_map.save("y"),
            **self._remainder.save(),
            "image_errors": np.array(self._errors),
            "calibration": np.array([self._calibration, self._moment, self._spread, self._outside]),
            "visits": np.array([self._n_visits, self._patience, self._wait]),
            "mean_field_builds": np.array(self.mean_field_builds),
            **self._nonlinear.save(),
        }

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved. What a response that is formed anew had learned does not serve."""
        if FORMED in arrays:
            return
        self._x_map.load("x", arrays)
        self._y_map.load("y", arrays)
        self._remainder.load(arrays)
        self._errors = np.asarray(arrays["image_errors"]).tolist()
        numbers = np.asarray(arrays["calibration"]).tolist()
        self._calibration, self._moment, self._spread, self._outside = numbers
        self._n_visits, self._patience, self._wait = np.asarray(arrays["visits"]).tolist()
        self.mean_field_builds = int(arrays["mean_field_builds"])
        self._nonlinear.load(arrays)
        if self.nonlinear:
            self._remainder.leave_rough()

    def _evaluate(self, density: np.ndarray, guess: np.ndarray | None = None) -> _Evaluation:
        """guess: r, where that is known well enough."""
        x, y = pack(self._packing, density - self._density)
        response_x, beyond = self._x_map.apply(x), None
        if self._remainder.n_anchors:
            response_x += self._remainder.predict(x)
        if self._nonlinear.response is not None:
            beyond = self._nonlinear.of(x) if guess is None else guess
            response_x = response_x + beyond
        return _Evaluation(x, y, response_x, self._y_map.apply(y), beyond)

    def _count_nonlinear(self) -> None:
        """From now on what is not linear comes from the functional; anchors keep what that leaves."""
        if not self._nonlinear.make():
            return
        changes = self._remainder.changes
        known = self._nonlinear.all_of(changes)
        if self._nonlinear.whole:
            before = [self._x_map.apply(x) for x in changes]
            self._keep_mean_field()
            after = [self._x_map.apply(x) for x in changes]
            known += np.reshape(after, known.shape) - np.reshape(before, known.shape)
        self._remainder.subtract(known)
        self._remainder.leave_rough()

    def _keep_mean_field(self) -> None:
        """From now on the real directions' images are those of Coulomb and exact exchange alone."""
        x_map = self._x_map
        kept = DirectSum(x_map.blocks)
        for k in range(max((part.n for part in x_map.maps), default=0)):
            rows = [(part.q[k], part.j[k]) if k < part.n else (None, None) for part in x_map.maps]
            change = self._basis.density_out(self._unpacked(x_map.join([q for q, _ in rows])))
            image = self._packed(self._basis.fock_in(self._engine.mean_field_response(change)))
            self.mean_field_builds += 1
            for part, (q, j), own in zip(kept.maps, rows, x_map.split(image), strict=True):
                if q is not None and j is not None:
                    part.append(q, own, j, exact=True)
        self._x_map = kept

    def _packed(self, matrix: np.ndarray) -> np.ndarray:
        """The real part of a Hermitian matrix, packed."""
        return pack(self._packing, matrix.astype(complex))[0]

    def _unpacked(self, x: np.ndarray) -> np.ndarray:
        return unpack(self._packing, x, np.zeros(self._packing.n_imag))

    def _missing(self, at: _Evaluation, coordinates: Sequence[np.ndarray]) -> float:
        """Expected norm of what a prediction lacks: of the approximate images and of the remainder."""
        x = at.x
        missing = self.image_error * self._x_map.approximate_norm(coordinates)
        if self._engine.linear:
            # What is missing lies outside the directions known, and no anchor tells of it.
            return missing
        # Until anchors have shown it, the part that is not linear is guessed from the size of the change.
        guessed = self._nonlinear.missing(x, at.beyond)
        missing = float(np.hypot(missing, guessed / (1 + self._remainder.n_anchors)))
        if self._remainder.n_anchors:
            missing = float(np.hypot(missing, np.sqrt(self._remainder.variance(x))))
        return missing

    def _expected(self, moments: Sequence[np.ndarray], most_visited: float) -> float:
        """Spread over all visits from approximate images with these second moments."""
        return self.image_error * float(np.sqrt(sum(moment.sum() for moment in moments) / most_visited))

    def _refine_once(self) -> None:
        """One Fock build: the exact image of the first approximate direction of every irrep."""
        x_map = self._x_map
        directions = [part.q[part.n_exact].copy() if part.n_approximate else None for part in x_map.maps]
        change = self._basis.density_out(self._unpacked(x_map.join(directions)))
        image = self._packed(self._basis.fock_in(self._engine.response(change)))
        shifts: list[np.ndarray | None] = []
        others: list[np.ndarray | None] = []
        for part, new in zip(x_map.maps, x_map.split(image), strict=True):
            shift = along = None
            if part.n_approximate:
                shift, along = part.make_exact(new)
                self._errors.append(float(np.linalg.norm(shift) / max(np.linalg.norm(new), NOTHING)))
            shifts.append(shift)
            others.append(along)
        self._shift(directions, shifts)
        self._shift(others, directions)

    def _shift(self, directions: Sequence[np.ndarray | None], changes: Sequence[np.ndarray | None]) -> None:
        """Tell the remainder of images that changed along one direction a block."""
        nothing: list[np.ndarray | None] = [None] * len(directions)
        for k, (direction, change) in enumerate(zip(directions, changes, strict=True)):
            if direction is not None:
                one = [*nothing[:k], direction, *nothing[k + 1 :]]
                other = [*nothing[:k], change, *nothing[k + 1 :]]
                self._remainder.shift(self._x_map.join(one), self._x_map.join(other))

    def _meet(self, at: _Evaluation) -> tuple[list[np.ndarray], float]:
        """Add the directions that a change needs; its coordinates along x's, and |δP|² in new ones."""
        x_map, y_map = self._x_map, self._y_map
        c, d = x_map.coordinates(at.x), y_map.coordinates(at.y)
        # `outside` stays above the rounding of `outside_squared`.
        threshold = max(self._outside**2 * float(at.x @ at.x + at.y @ at.y), NOTHING**2)
        outside_x, outside_y = x_map.outside_squared(at.x, c), y_map.outside_squared(at.y, d)
        new_x, new_y = outside_x > threshold, (outside_y > threshold) & self._engine.exact_exchange
        unknown = float(outside_x[new_x].sum() + outside_y[new_y].sum())
        return self._extend(at, c, d, new_x, new_y) if unknown else list(c), unknown

    def _extend(
        self,
        last: _Evaluation,
        c: Sequence[np.ndarray],
        d: Sequence[np.ndarray],
        new_x: np.ndarray,
        new_y: np.ndarray,
    ) -> list[np.ndarray]:
        """Add the directions, by block, in which `last` leaves the known ones; its coordinates along x's."""
        x_map, y_map, packing = self._x_map, self._y_map, self._packing
        found_x = [
            part.outside(x, known) if new else (None, 0.0)
            for part, x, known, new in zip(x_map.maps, x_map.split(last.x), c, new_x, strict=True)
        ]
        found_y = [
            part.outside(y, known)[0] if new else None
            for part, y, known, new in zip(y_map.maps, y_map.split(last.y), d, new_y, strict=True)
        ]
        directions = [direction for direction, _ in found_x]
        change = self._basis.density_out(unpack(packing, x_map.join(directions), y_map.join(found_y)))
        whole = self._nonlinear.whole
        response = self._engine.mean_field_response(change) if whole else self._guess.prior(change)
        self.mean_field_builds += self._guess.builds or whole
        image_x, image_y = pack(packing, self._basis.fock_in(response))
        for part, direction, image in zip(y_map.maps, found_y, y_map.split(image_y), strict=True):
            if direction is not None:
                part.append(direction, image, np.zeros_like(direction), exact=True)
        if not new_x.any():
            return list(c)
        coulomb = self._engine.coulomb(np.ascontiguousarray(np.real(change).sum(axis=0)))
        coulomb_x = self._packed(self._basis.fock_in(np.broadcast_to(coulomb, change.shape)))
        images = [
            image if direction is None else part.completed(direction, image)
            for part, direction, image in zip(x_map.maps, directions, x_map.split(image_x), strict=True)
        ]
        self._shift(directions, images)
        for part, direction, image, j in zip(
            x_map.maps, directions, images, x_map.split(coulomb_x), strict=True
        ):
            if direction is not None:
                part.append(direction, image, j, exact=whole)
        return [
            known if direction is None else np.append(known, length)
            for known, (direction, length) in zip(c, found_x, strict=True)
        ]


def base_irreps(basis: WorkingBasis, density: np.ndarray) -> np.ndarray:
    """Irreps of the orbitals, (n_spin, m); all 0 where the ground-state P' itself is not symmetric."""
    apart = basis.irreps[:, :, None] != basis.irreps[:, None, :]
    if np.abs(density[apart]).max(initial=0.0) > ASYMMETRY:
        return np.zeros_like(basis.irreps)
    return basis.irreps
