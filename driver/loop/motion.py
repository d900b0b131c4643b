"""How the surrogate's passes are made: step by step, or of weak motion all steps at once.

As long as |δP| is small, only the block between empty and occupied orbitals moves to
first order: its normal modes give a whole segment, and that of the shadow (`propagators/pair_motion`).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Protocol

import numpy as np

from ...surrogate.matrices.occupied_empty import gathered
from ...surrogate.surrogate import Surrogate
from ...surrogate.weak_fields.by_regime import ByRegime
from ...surrogate.weak_fields.pair_response import WEAK, PairResponse
from ...surrogate.weak_fields.scheme import PairState
from ...surrogate.weak_fields.turned_round import turned
from ..estimate.defect_operator import DefectOperator
from ..propagators.magnus import FockOf, NoFixedPoint
from ..propagators.pair_motion import Keep, PairPath, pair_path
from ..propagators.pair_steps import Norm, PairSteps, norm_of
from ..propagators.pushes import Drive, Lacking, Pushes, across
from ..propagators.state import State, density_of, times_from
from ..propagators.weak_points import WeakPoints, offset_from_rest, sides_of
from .hybrid import UNMEASURED, Hybrid, Made, known_surrogate, now_and_then, told_steps
from .problem import (
    Problem,
    Step,
    active_dipoles,
    check_steps,
    electronic_dipoles,
    field_sizes,
    is_check_step,
    steps_of,
)
from .progress import Progress
from .reference import Sight
from .segment import Limits, Segment, later_densities, shadow_pass, surrogate_segment

#: Bytes that η of a segment of weak motion may take at least, over those of another's densities.
HELD = 6
#: What moves in irreps that no field moves, over all that moves: it is stated. More is not followed.
STILL = 1e-3
#: Points of weak motion at once.
_AT_ONCE = 256

Watch = Callable[[Step, int, int], Step]


class Motion(Protocol):
    """Passes with the surrogate in force, and the shadow's."""

    @property
    def n_pairs(self) -> int:
        """Pairs of orbitals between which the surrogate's motion lies."""
        ...

    def segment(self, state: State, n_steps: int, limits: Limits) -> Segment | None:
        """Up to `n_steps` steps; None where the first one breaks a limit."""
        ...

    def shadow(
        self, operator: DefectOperator | None, state: State, segment: Segment
    ) -> tuple[np.ndarray, State] | None:
        """Dipoles (k, 3) after each step of one beside a segment, `operator` added to F, and its end.

        None: no fixed point.
        """
        ...

    def dipoles(self, segment: Segment) -> np.ndarray:
        """Of the electrons after each of a segment's steps, (k, 3), as `shadow` has them."""
        ...

    def sample(self, segment: Segment, every: int) -> np.ndarray:
        """P' after the first of a segment's steps, and after every so many more, (k, n_spin, m, m)."""
        ...

    def held_steps(self, most: float) -> int:
        """Steps of a segment whose densities, or what they are made of, take about so many bytes."""
        ...

    def response_size(self, segment: Segment, every: int) -> float:
        """Root mean square of |ΔF| over the points that `sample` takes."""
        ...

    def asked(self, density: np.ndarray) -> list[np.ndarray]:
        """Where the reference is asked to measure a P' (n_spin, m, m): there, and what else that takes."""
        ...

    def seen(self, density: np.ndarray, sights: Sequence[Sight]) -> Sight:
        """What of the sights there acts on this motion."""
        ...


def motion_of(hybrid: Hybrid) -> Motion:
    """By the surrogate in force."""
    surrogate = known_surrogate(hybrid)
    if isinstance(surrogate, ByRegime) and surrogate.weak is not None:
        return Weakly(hybrid.problem, surrogate.weak, partial(now_and_then, hybrid))
    return Stepwise(hybrid.problem, surrogate, partial(told_steps, hybrid))


def is_weak(hybrid: Hybrid) -> bool:
    """Whether the surrogate for weak motion is in force."""
    return isinstance(hybrid.surrogate, ByRegime) and hybrid.surrogate.weak is not None


def sighted(hybrid: Hybrid, progress: Progress, density: np.ndarray, time: float, *, end: bool) -> Sight:
    """A look at the surrogate at its own P' (n_spin, m, m) and time. end: the run is to go on from there."""
    motion, surrogate, found = motion_of(hybrid), known_surrogate(hybrid), list[Sight]()
    with progress.tally.timed("anchors"):
        for p in motion.asked(density):
            progress.tally.fock_builds += 1
            hybrid.say(f"measured at t = {time:.1f} au: Fock build {progress.tally.fock_builds}", 1.0)
            found.append(hybrid.reference.sight(surrogate, p, time, end=end))
    progress.tally.anchors += len(found)
    return motion.seen(density, found)


class Stepwise:
    """Implements `Motion` for any surrogate; watched: is given each segment's step, start, length."""

    def __init__(
        self, problem: Problem, surrogate: Surrogate, watched: Watch = lambda step, *_: step
    ) -> None:
        self._problem, self._surrogate, self._watched = problem, surrogate, watched

    @property
    def n_pairs(self) -> int:
        """See `Motion`: all."""
        n_spin, m = self._problem.ground_density.shape[:2]
        return n_spin * m * (m + 1) // 2

    def segment(self, state: State, n_steps: int, limits: Limits) -> Segment | None:
        """See `Motion`."""
        own = steps_of(self._problem, self._surrogate, state.step + n_steps)
        step = self._watched(own, state.step, n_steps)
        return surrogate_segment(self._problem, step, self._surrogate, state, n_steps, limits)

    def shadow(
        self, operator: DefectOperator | None, state: State, segment: Segment
    ) -> tuple[np.ndarray, State] | None:
        """See `Motion`; None also where what is lacking is beyond all measure."""
        rows = None if operator is None else operator.rows(state.density.shape)
        lacking = (self._lacking(operator), rows)
        try:
            densities, end = shadow_pass(self._problem, self._surrogate, lacking, state, segment)
        except NoFixedPoint:
            return None
        dipole = electronic_dipoles(self._problem, densities)
        return (dipole, end) if np.isfinite(dipole).all() else None

    def dipoles(self, segment: Segment) -> np.ndarray:
        """See `Motion`."""
        return electronic_dipoles(self._problem, later_densities(segment))

    def sample(self, segment: Segment, every: int) -> np.ndarray:
        """See `Motion`."""
        return later_densities(segment)[::every]

    def held_steps(self, most: float) -> int:
        """See `Motion`."""
        return max(int(most // self._problem.ground_density.nbytes), 16)

    def response_size(self, segment: Segment, every: int) -> float:
        """See `Motion`; where the steps' own Fock matrices are kept, by them."""
        problem = self._problem
        base = problem.ground_fock
        if segment.focks is None:
            focks = (self._surrogate.predict(p) for p in self.sample(segment, every))
        else:
            times = [*segment.times[1:].tolist(), segment.end.time]
            fields = (problem.external(time) for time in times[::every])
            kept = zip(segment.focks[::every], fields, strict=True)
            focks = (fock if field is None else fock - field for fock, field in kept)
        return float(np.sqrt(np.mean([np.linalg.norm(fock - base) ** 2 for fock in focks])))

    def asked(self, density: np.ndarray) -> list[np.ndarray]:
        """Itself."""
        return [density]

    def seen(self, density: np.ndarray, sights: Sequence[Sight]) -> Sight:
        """All of it."""
        del density
        return sights[0]

    def _lacking(self, operator: DefectOperator | None) -> FockOf:
        """What F' lacks. Raises NoFixedPoint where that is beyond all measure.

        What is of second order may grow without end, once the shadow is far from where it was measured.
        """
        if operator is None:
            return lambda _: np.zeros(())
        problem, ground = self._problem, self._problem.ground_density
        most = float(np.linalg.norm(problem.ground_fock))

        def lacking(density: np.ndarray) -> np.ndarray:
            more = operator(density - ground)
            if not np.linalg.norm(more) < most:
                raise NoFixedPoint("the shadow has left all that was measured")
            return more

        return lacking


class Weakly:
    """Implements `Motion` for the response between empty and occupied orbitals.

    told: what takes how many steps of a pass are made, and says so with these words.
    """

    def __init__(
        self,
        problem: Problem,
        response: PairResponse,
        told: Callable[[str], Made] = lambda _: lambda *_: None,
    ) -> None:
        self._problem, self._response, self._told = problem, response, told
        self._sides = sides_of(response)

    @property
    def n_pairs(self) -> int:
        """See `Motion`."""
        return self._response.pairs.n_pairs

    def segment(self, state: State, n_steps: int, limits: Limits) -> Segment | None:
        """See `Motion`; None also where |δP| is no longer small, or a step takes more corrections."""
        response, problem, began = self._response, self._problem, time.process_time()
        left_out = self._left_out(state)
        eta = np.empty((n_steps + 1, response.pairs.n_pairs), response.points_kind)
        eta[0], sizes = self._eta(state.density), np.empty(n_steps)
        changes = np.empty((n_steps, len(state.density)))
        made = self._told(UNMEASURED)

        def keep(first: int, steps: PairSteps) -> None:
            later = steps.eta()
            last = first + len(later)
            made(last, n_steps)
            changes[first:last] = self._norm.changes(steps)
            np.add(later, response.rest, out=eta[first + 1 : last + 1])
            sizes[first:last] = np.sqrt(2.0) * np.linalg.norm(self._changes(eta[first:last]), axis=1)

        path = None if left_out > STILL else self._path(state, n_steps, keep, None)
        if path is None:
            return None
        spreads = response.spread(sizes)
        tolerance = problem.real_time.tolerances.interpol
        # What is not finite fails too.
        if not (sizes.max() <= WEAK and spreads.max() <= limits.uncertainty and changes.max() <= tolerance):
            return None
        points = WeakPoints(self._sides, state.density, eta)
        end = self._state(state, n_steps, path.end)
        return Segment(
            "surrogate",
            "END" if end.step == problem.n_steps else "MAX_STEPS",
            state,
            end,
            times_from(state, n_steps, problem.real_time.dt)[:-1],
            np.empty((0, *state.density.shape), complex),
            points.energies(response),
            np.full(n_steps, 2),
            tuple([change] for change in changes),
            np.linspace(began, time.process_time(), n_steps),
            spreads,
            formed=points,
            sizes=sizes,
            gap=path.gap + left_out,
            unfollowed=offset_from_rest(response, active_dipoles(problem)),
        )

    def shadow(
        self, operator: DefectOperator | None, state: State, segment: Segment
    ) -> tuple[np.ndarray, State] | None:
        """See `Motion`. Relaxed, its distance from the segment alone: that may be rougher."""
        n_steps, matrices, response = segment.n_steps, self._dipole[1], self._response
        dipole, made = np.empty((n_steps, 3)), self._told("made once more, for the stated error")
        apart = not response.has_modes
        if apart:
            dipole[:] = self.dipoles(segment)
        else:
            dipole[:] = self._first_order_dipoles(response.rest)

        def keep(first: int, steps: PairSteps) -> None:
            along = steps.along(matrices)
            made(first + len(along), n_steps)
            dipole[first : first + len(along)] -= 2.0 * response.pairs.filling * along

        lacking = None if operator is None else self._lacking(operator)
        path = self._path(state, n_steps, keep, lacking, segment if apart else None)
        if path is None or not np.isfinite(dipole).all():
            return None
        end = _sum(path.end, self._counted(segment.end)) if apart else path.end
        return dipole, self._state(state, n_steps, end)

    def dipoles(self, segment: Segment) -> np.ndarray:
        """See `Motion`; to first order."""
        assert isinstance(segment.formed, WeakPoints)
        eta = segment.formed.eta[1:]
        parts = (eta[first : first + _AT_ONCE] for first in range(0, len(eta), _AT_ONCE))
        return np.concatenate([self._first_order_dipoles(part) for part in parts])

    def sample(self, segment: Segment, every: int) -> np.ndarray:
        """See `Motion`."""
        assert isinstance(segment.formed, WeakPoints)
        return segment.formed.later(every)

    def held_steps(self, most: float) -> int:
        """See `Motion`: η alone is held; it may take what making the kernel took."""
        room = max(HELD * most, self._response.room)
        point = np.dtype(self._response.points_kind).itemsize * max(self._response.pairs.n_pairs, 1)
        return max(int(room // point), 16)

    def response_size(self, segment: Segment, every: int) -> float:
        """See `Motion`."""
        assert isinstance(segment.formed, WeakPoints)
        x = self._changes(segment.formed.eta[1::every])
        return float(np.sqrt(2.0 * np.mean(np.linalg.norm(self._response.response(x), axis=1) ** 2)))

    def asked(self, density: np.ndarray) -> list[np.ndarray]:
        """Itself, and with η turned round, which tells first and second order apart, unless symmetry does.

        Other irreps as the SCF left them: what F has from that is none of either, and what it moves is
        `Segment.unfollowed`.
        """
        pairs, every = self._response.pairs, self._response.every
        own, left = pairs.matrix(pairs.block(density)), self._response.about.density - density
        still = every.matrix(every.block(left)) - pairs.matrix(pairs.block(left))
        turned_round = [density + still - 2.0 * own] if self._response.turning is None else []
        return [density + still, *turned_round]

    def seen(self, density: np.ndarray, sights: Sequence[Sight]) -> Sight:
        """What drives η: [D, P] / n between empty and occupied orbitals, D the whole defect.

        Of first order is what the kernel lacks; what F has between empty, and between occupied orbitals, is
        of second order here. What lies in irreps that no field moves is counted in with the others.
        """
        response, pairs, every = self._response, self._response.pairs, self._response.every
        x = self._changes(self._eta(density[None]))[0]
        wrong, *measured = (
            every.block(sight.defect.defect @ p - p @ sight.defect.defect) / pairs.filling
            for sight, p in zip(sights, self.asked(density), strict=True)
        )
        turning = response.turning
        (other,) = measured if turning is None else (turned(turning, every) * wrong,)
        block, even = (gathered(every, pairs, part) for part in (wrong, 0.5 * (wrong + other)))
        size = float(np.sqrt(2.0) * np.linalg.norm(response.response(x) + pairs.block(block)))
        first = float(np.linalg.norm(block - even)) / size if size > 0.0 else 0.0
        return replace(
            sights[0],
            defect=replace(sights[0].defect, defect=block, response=size, even=even),
            force=float(np.linalg.norm(block @ density - density @ block)),
            teach=lambda: response.note(first),
        )

    def _eta(self, densities: np.ndarray) -> np.ndarray:
        return self._response.pairs.block(densities) / self._response.pairs.filling

    def _changes(self, eta: np.ndarray) -> np.ndarray:
        """x (..., d) of η (..., d)."""
        pairs = self._response.pairs
        return pairs.filling * eta - pairs.block(self._response.about.density)

    def _path(
        self,
        state: State,
        n_steps: int,
        keep: Keep,
        lacking: Lacking | None,
        beside: Segment | None = None,
    ) -> PairPath | None:
        """beside: the path is what is to be added to this segment's."""
        response, problem = self._response, self._problem
        start, drive, points = self._counted(state), self._drive(state, n_steps), None
        if beside is not None:
            # No field acts on the distance.
            start, drive = _sum(start, self._counted(beside.start), -1.0), None
            assert isinstance(beside.formed, WeakPoints)
            points = beside.formed.eta
        if is_check_step(problem, state.step):
            fock = response.response(response.pairs.filling * start.eta)
            if drive is not None:
                change = self._changes(self._eta(state.density)) / response.pairs.filling
                fock += drive.at(change[None], 0)[0]
            start = replace(start, fock=fock)
        last = state.step + n_steps
        lengths = np.diff([state.step, *check_steps(problem, state.step + 1, last), last]).tolist()
        return pair_path(response, start, lengths, problem.real_time.dt, keep, Pushes(lacking, drive, points))

    def _counted(self, state: State) -> PairState:
        """η and F from rest, where F keeps η: -ω η."""
        pairs, rest = self._response.pairs, self._response.rest
        fock, half = (pairs.block(f) + pairs.gaps * rest for f in (state.fock, state.fock_half))
        return PairState(self._eta(state.density) - rest, fock, half)

    def _drive(self, state: State, n_steps: int) -> Drive | None:
        """Of the fields over some steps; None where they are over, but for a kick that F has already."""
        problem = self._problem
        if not self._acts_after(state.step):
            return None
        pushes = [np.real(self._response.pairs.block(coupling.matrix)) for coupling in problem.couplings]
        sizes = field_sizes(problem, times_from(state, n_steps, problem.real_time.dt))
        # What is left of a Gaussian there is nothing, but no zero.
        sizes[problem.last_field_step - state.step + 1 :] = 0.0
        matrices = np.real([coupling.matrix for coupling in problem.couplings])
        return Drive(sizes, np.array(pushes), across(matrices, self._sides.places))

    def _left_out(self, state: State) -> float:
        """What moves in irreps that are not followed, over all that moves, or that fields are to move."""
        response, problem = self._response, self._problem
        change = state.density - response.about.density
        whole, known = (float(np.linalg.norm(own.block(change))) for own in (response.every, response.pairs))
        left = np.sqrt(2.0 * max(whole**2 - known**2, 0.0))
        largest = np.sqrt(2.0) * known
        if self._acts_after(state.step):
            largest = max(largest, problem.driven_size)
        return float(left / np.hypot(left, largest)) if left > 0.0 else 0.0

    def _acts_after(self, step: int) -> bool:
        """Whether a field acts at this point or later, other than a kick at the first, which F has."""
        last = self._problem.last_field_step
        return last > 0 and step <= last

    def _lacking(self, operator: DefectOperator) -> Lacking:
        pairs = self._response.pairs
        real, imaginary = np.split(operator.changes, 2, axis=1)
        changes = [
            real[:, pairs.index] + real[:, pairs.mirrored],
            imaginary[:, pairs.index] - imaginary[:, pairs.mirrored],
        ]
        return Lacking(np.concatenate(changes, axis=1), pairs.block(operator.images), operator.weigh)

    def _first_order_dipoles(self, eta: np.ndarray) -> np.ndarray:
        ground, matrices = self._dipole
        return ground - 2.0 * np.real(self._changes(eta)) @ matrices.T

    @cached_property
    def _norm(self) -> Norm:
        problem = self._problem
        return norm_of(self._response.pairs, problem.ground_density, problem.basis.to_canonical)

    @cached_property
    def _dipole(self) -> tuple[np.ndarray, np.ndarray]:
        """At the ground state, (3,), and between empty and occupied orbitals, (3, d)."""
        problem, pairs = self._problem, self._response.pairs
        ground = electronic_dipoles(problem, problem.ground_density[None])[0]
        return ground, np.array([np.real(pairs.block(m)) for m in active_dipoles(problem)])

    def _state(self, start: State, n_steps: int, end: PairState) -> State:
        """The end, counted from rest, as a state of full matrices: orbitals [1; η] (1 + η†η)^-1/2."""
        response, pairs, problem = self._response, self._response.pairs, self._problem
        eta = end.eta + response.rest
        orbitals, occupations = self._sides.orbitals(eta)
        fixed = response.about.fock - pairs.matrix(pairs.block(response.about.fock))
        fock, half = (fixed + pairs.matrix(f - pairs.gaps * response.rest) for f in (end.fock, end.fock_half))
        at = float(times_from(start, n_steps, problem.real_time.dt)[-1])
        field = problem.external(at)
        if field is not None and self._acts_after(start.step):
            other = field - pairs.matrix(pairs.block(field))
            fock, half = fock + other, half + other
        density = density_of(orbitals, occupations)
        return State(start.step + n_steps, at, orbitals, occupations, density, fock, half)


def _sum(first: PairState, second: PairState, factor: float = 1.0) -> PairState:
    """First and factor times the second."""
    return PairState(
        first.eta + factor * second.eta,
        first.fock + factor * second.fock,
        first.fock_half + factor * second.fock_half,
    )
