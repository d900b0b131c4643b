"""Consecutive steps of one kind, and the record of the time points they start from."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from ...adapters.engine import Energies
from ...surrogate.surrogate import EnergiesApart, StepsFollowed, Surrogate, Visit
from ...surrogate.weak_fields.by_regime import ByRegime
from ...surrogate.whole_steps import LearnedRows
from ..propagators.beside import StepsBeside, steps_beside, turns_of
from ..propagators.magnus import FockOf, NoFixedPoint, make_exponential
from ..propagators.state import State
from ..propagators.weak_points import WeakPoints
from .problem import Problem, Step, field_free, is_check_step, make_step, steps_of

#: Surrogate steps between two looks at the processor's clock: in a sandbox one takes 0.2 to 0.9 ms, a step 1.
CLOCK_EVERY = 16

Kind = Literal["reference", "surrogate"]
Reason = Literal[
    "START",
    "CONTINUE",
    "HIGH_UNCERTAINTY",
    "RESIDUAL",
    "CORRECTED",
    "FIELD",
    "TRACE_VIOLATION",
    "HERMITICITY_VIOLATION",
    "IDEMPOTENCY_VIOLATION",
    "MAX_STEPS",
    "AUDIT",
    "NOT_FINITE",
    "NOT_WEAK",
    "NONLINEAR",
    "END",
]


@dataclass(frozen=True, eq=False)
class Segment:
    """k steps: the k points they start from, and the state after them.

    held: P' (k, n_spin, m, m); none where `formed` makes them.
    energies: (k, 3), core, Coulomb, exchange-correlation, Hartree, as NWChem would print them there.
    interpolations: (k,) Magnus iterations. changes: per step, those of the norm.
    cpu: (k,) seconds of processor time at each point. spreads: (k,), 0 for reference steps.
    reason: why the segment ended.
    learned: share of the response, typical of the steps, that the surrogate did not know of
    beforehand.
    logged: quantities, by their names in `StepBlock`, that the reference code's own log gave.
    sizes: |P - P0| at the points, (k,), where it is known.
    gap: by how much the points may be off the steps that they stand for, relative.
    unfollowed: dipole, au, of motion at each point that the surrogate does not follow.
    focks: F' after each step, the field included, (k, n_spin, m, m), where they are kept; asked: P' that it
    was built for.
    """

    kind: Kind
    reason: Reason
    start: State
    end: State
    times: np.ndarray
    held: np.ndarray
    energies: np.ndarray
    interpolations: np.ndarray
    changes: tuple[list[np.ndarray], ...]
    cpu: np.ndarray
    spreads: np.ndarray
    fock_builds: int = 0
    learned: float = 0.0
    logged: Mapping[str, np.ndarray] = field(default_factory=dict)
    formed: WeakPoints | None = None
    sizes: np.ndarray | None = None
    gap: float = 0.0
    unfollowed: float = 0.0
    focks: np.ndarray | None = None
    asked: np.ndarray | None = None

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return len(self.times)

    @cached_property
    def densities(self) -> np.ndarray:
        """P' of all points, (k, n_spin, m, m)."""
        return self.held if self.formed is None else self.formed(0, self.n_steps)

    def densities_at(self, points: np.ndarray) -> np.ndarray:
        """P' of some points (k,): (k, n_spin, m, m)."""
        return self.held[points] if self.formed is None else self.formed.at(points)

    @property
    def points(self) -> np.ndarray | WeakPoints:
        """The densities, or what tells of them without their being formed."""
        return self.held if self.formed is None else self.formed


@dataclass(frozen=True)
class Limits:
    """Where a surrogate segment is broken off, in the meaning of the published hybrid drivers.

    uncertainty: spread at a step. trace: |tr P - N| / N. hermiticity, idempotency: Frobenius norms, relative.
    """

    uncertainty: float = 0.05
    trace: float = 0.02
    hermiticity: float = 0.01
    idempotency: float = 0.02


class Recorder:
    """Gathers the points of one segment."""

    def __init__(self, start: State, *, corrected: bool) -> None:
        self._start, self._corrected = start, corrected
        self._times: list[float] = []
        self._densities: list[np.ndarray] = []
        self._changes: list[list[np.ndarray]] = []
        self._cpu: list[float] = []
        self._spreads: list[float] = []
        self._focks: list[np.ndarray] = []
        self._asked: list[np.ndarray] = []

    @property
    def n_steps(self) -> int:
        """Steps gathered."""
        return len(self._times)

    @property
    def densities(self) -> np.ndarray:
        """P' that they start from, (k, n_spin, m, m)."""
        return np.array(self._densities)

    def add(self, state: State, changes: list[np.ndarray], cpu: float, spread: float) -> None:
        """One step made from `state`."""
        self._times.append(state.time)
        self._densities.append(state.density)
        self._changes.append(changes)
        self._cpu.append(cpu)
        self._spreads.append(spread)

    def keep(self, after: State, asked: np.ndarray) -> None:
        """The Fock matrix of a state after the last step, and the P' that it was built for."""
        self._focks.append(after.fock)
        self._asked.append(asked)

    def segment(
        self, kind: Kind, reason: Reason, end: State, energies: np.ndarray, fock_builds: int
    ) -> Segment:
        """All of it; energies: (k, 3)."""
        return Segment(
            kind,
            reason,
            self._start,
            end,
            np.array(self._times),
            self.densities,
            energies,
            np.array([len(c) + 1 if self._corrected else 0 for c in self._changes]),
            tuple(self._changes),
            np.array(self._cpu),
            np.array(self._spreads),
            fock_builds,
            focks=np.array(self._focks) if self._focks else None,
            asked=np.array(self._asked) if self._focks else None,
        )


def reference_segment(
    problem: Problem,
    state: State,
    energies: Energies,
    n_steps: int,
    seconds: float,
    reason: Reason,
) -> tuple[Segment, Energies]:
    """Up to `n_steps` steps by the reference code, fewer when `seconds` have passed.

    energies: those of the last Fock build before `state`: NWChem prints them there.
    Returns the segment and the energies for the next point.
    """
    builds = 0

    def fock_of(density: np.ndarray) -> np.ndarray:
        nonlocal builds, energies
        fock, energies = problem.reference_fock(density)
        builds += 1
        return fock

    step, fock_in_force = make_step(problem), field_free(problem, fock_of)
    recorder = Recorder(state, corrected=problem.real_time.propagator == "magnus")
    printed = []
    began = time.monotonic()
    for _ in range(n_steps):
        if is_check_point(problem, state):
            state = rebuilt(problem, state, fock_in_force)
        cpu = time.process_time()
        printed.append([energies.core, energies.coulomb, energies.exchange_correlation])
        following, changes = step(state, fock_in_force)
        recorder.add(state, changes, cpu, 0.0)
        state = following
        if time.monotonic() - began > seconds:
            break
    return recorder.segment("reference", reason, state, np.array(printed), builds), energies


def surrogate_segment(
    problem: Problem, step: Step, surrogate: Surrogate, state: State, n_steps: int, limits: Limits
) -> Segment | None:
    """Up to `n_steps` surrogate steps; ends early, with its reason, ahead of a step that breaks a limit.

    None where already the first step does. Where the surrogate learned, the spread is what it had lacked.
    """
    asked: np.ndarray | None = None
    built_for = state.density

    def predict(density: np.ndarray) -> np.ndarray:
        nonlocal asked, built_for
        asked = built_for = density
        return surrogate.predict(density)

    def visited(after: State, *, last: bool) -> Visit:
        # What was predicted for last is known already; a surrogate's own steps predict for nothing here.
        nonlocal asked
        density, asked = after.density if asked is None else asked, None
        return surrogate.visit(density, last=last)

    fock_in_force = field_free(problem, predict)
    recorder = Recorder(state, corrected=problem.real_time.propagator == "magnus")
    conserving, keeps = conserves(problem), follows(problem, surrogate) is not None
    reason: Reason = "MAX_STEPS"
    was, shares, cpu = surrogate.nonlinear, list[float](), 0.0
    for k in range(n_steps):
        if is_check_point(problem, state):
            state = rebuilt(problem, state, fock_in_force)
        if k % CLOCK_EVERY == 0:
            cpu = time.process_time()
        try:
            following, changes = step(state, fock_in_force)
            visit = visited(following, last=k == n_steps - 1)
            unknown = visit.learned
            if unknown:
                # The step was made before the surrogate knew where it led; those before it may lack the same.
                following, changes = step(state, fock_in_force)
                visit = visited(following, last=k == n_steps - 1)
        except NoFixedPoint:
            # What the surrogate says need not have one: a wild Fock matrix, or one that is not finite.
            reason = "NOT_FINITE"
            break
        if broken := _broken_limit(following, visit.spread, limits, conserving):
            reason = broken
            break
        recorder.add(state, changes, cpu, max(visit.spread, unknown))
        shares.append(unknown)
        if keeps:
            recorder.keep(following, built_for)
        state = following
        if surrogate.nonlinear != was and _half_shows(problem, recorder.n_steps, n_steps):
            reason = "NONLINEAR"
            break
    if recorder.n_steps == 0:
        return None
    reason = "END" if state.step == problem.n_steps else reason
    own = _own_energies(problem, surrogate, recorder.densities)
    segment = recorder.segment("surrogate", reason, state, own, 0)
    return replace(segment, learned=typical_share(np.array(shares), later_sizes(problem, segment)))


def _half_shows(problem: Problem, made: int, n_steps: int) -> bool:
    """Whether a pass may end in which what is not linear began to come from the functional.

    What its first steps lacked has it passed once more. Half of it shows what there is to refine, and where
    it is most of the run, the other half is much of what the run takes.
    """
    return 2 * made >= n_steps >= problem.n_steps / 2


def _own_energies(problem: Problem, surrogate: Surrogate, densities: np.ndarray) -> np.ndarray:
    """What `with_energies` begins from, (k, 3). Where steps keep the energy, the field's work gives the total
    one there, and 0 stands for exchange and correlation.
    """
    own = surrogate.in_force if isinstance(surrogate, ByRegime) else surrogate
    real_time = problem.real_time
    if not real_time.unitary or real_time.static or not isinstance(own, EnergiesApart):
        return surrogate.energies(densities)
    parts = own.core_and_coulomb(densities)
    return np.column_stack([parts, np.zeros(len(parts))])


def frozen_pass(
    problem: Problem, fock_of: FockOf, state: State, n_steps: int, step: Step | None = None
) -> tuple[np.ndarray, State]:
    """Steps with a source of Fock matrices that learns nothing: P' after each, (n_steps, ...), and the end.

    step: `make_step`'s by default. Raises NoFixedPoint.
    """
    step, fock_in_force = step or make_step(problem), field_free(problem, fock_of)
    densities = []
    for _ in range(n_steps):
        if is_check_point(problem, state):
            state = rebuilt(problem, state, fock_in_force)
        state, _ = step(state, fock_in_force)
        densities.append(state.density)
    return np.array(densities), state


def shadow_pass(
    problem: Problem,
    surrogate: Surrogate,
    lacking: tuple[FockOf, LearnedRows | None],
    state: State,
    segment: Segment,
) -> tuple[np.ndarray, State]:
    """A segment's steps from another state, and with what is lacking of F', of a P', and as rows; see
    `frozen_pass`. Beside the segment itself where that keeps its Fock matrices.
    """
    followed, more = follows(problem, surrogate), lacking[0]
    if followed is not None and segment.focks is not None:
        return _pass_beside(problem, followed.nearby(), more, state, segment)
    step = steps_of(problem, surrogate, state.step + segment.n_steps, lacking[1])

    def fock_of(density: np.ndarray) -> np.ndarray:
        return surrogate.predict(density) + more(density)

    return frozen_pass(problem, fock_of, state, segment.n_steps, step)


def _pass_beside(
    problem: Problem,
    nearby: Callable[[np.ndarray, int], np.ndarray],
    lacking: FockOf,
    state: State,
    segment: Segment,
) -> tuple[np.ndarray, State]:
    assert segment.focks is not None
    assert segment.asked is not None
    real_time, energies = problem.real_time, problem.basis.energies
    fields = [problem.external(time) for time in [*segment.times[1:].tolist(), segment.end.time]]
    first = segment.start.step + 1

    def fock_of(density: np.ndarray, k: int) -> np.ndarray:
        fock, field = nearby(density, first + k) + lacking(density), fields[k]
        return fock if field is None else fock + field

    known = StepsBeside(segment.start, segment.end, later_densities(segment), segment.focks, segment.asked)
    exponential, turns = make_exponential(energies, real_time.dt), turns_of(energies, real_time.dt)
    return steps_beside(known, state, fock_of, exponential, turns)


def follows(problem: Problem, surrogate: Surrogate) -> StepsFollowed | None:
    """The surrogate, where a pass can be made beside its own; else None."""
    own = surrogate.in_force if isinstance(surrogate, ByRegime) else surrogate
    plain = problem.real_time.unitary and not problem.real_time.static
    return own if plain and isinstance(own, StepsFollowed) else None


def sizes_of(problem: Problem, segment: Segment) -> np.ndarray:
    """|P - P0| at a segment's points, (k,)."""
    if segment.sizes is not None:
        return segment.sizes
    return np.linalg.norm((segment.densities - problem.ground_density).reshape(segment.n_steps, -1), axis=1)


def later_sizes(problem: Problem, segment: Segment) -> np.ndarray:
    """|P - P0| after each of a segment's steps, (k,)."""
    end = np.linalg.norm(segment.end.density - problem.ground_density)
    return np.append(sizes_of(problem, segment)[1:], end)


def typical_share(shares: np.ndarray, sizes: np.ndarray) -> float:
    """Root mean square of shares of what moves, (k,), each with the size of the motion there.

    All of a pulse's first step may be new to a surrogate: it is nothing of the pulse.
    """
    scale = float(np.linalg.norm(sizes))
    return float(np.linalg.norm(shares * sizes) / scale) if scale else float(np.sqrt(np.mean(shares**2)))


def later_densities(segment: Segment) -> np.ndarray:
    """P' after each of a segment's steps, (k, n_spin, m, m)."""
    return np.concatenate([segment.densities[1:], segment.end.density[None]])


def density_at(segment: Segment, point: int) -> np.ndarray:
    """P' of a point, or of the end, (n_spin, m, m)."""
    if point == segment.n_steps:
        return segment.end.density
    return segment.densities_at(np.array([point]))[0]


def pieces(segment: Segment, most: float) -> Iterator[Segment]:
    """The segment itself, or pieces whose densities, if formed, stay within so many bytes."""
    if segment.formed is None:
        yield segment
        return
    size = max(int(most // segment.end.density.nbytes), 16)
    for first in range(0, segment.n_steps, size):
        last = min(first + size, segment.n_steps)
        part, ends = slice(first, last), last == segment.n_steps
        start = replace(segment.start, step=segment.start.step + first, time=float(segment.times[first]))
        end = segment.end
        if not ends:
            end = replace(segment.start, step=segment.start.step + last, time=float(segment.times[last]))
        yield replace(
            segment,
            reason=segment.reason if ends else "CONTINUE",
            start=start,
            end=end,
            times=segment.times[part],
            formed=segment.formed.part(first, last),
            energies=segment.energies[part],
            interpolations=segment.interpolations[part],
            changes=segment.changes[part],
            cpu=segment.cpu[part],
            spreads=segment.spreads[part],
            sizes=None if segment.sizes is None else segment.sizes[part],
        )


def conserves(problem: Problem) -> bool:
    """Whether a step is unitary: the occupations stay."""
    return problem.real_time.unitary


def is_check_point(problem: Problem, state: State) -> bool:
    """Whether NWChem checks the run, and builds F' anew, at this state."""
    return is_check_step(problem, state.step)


def rebuilt(problem: Problem, state: State, fock_of: FockOf) -> State:
    """At a check point NWChem builds F'(t) anew from P'(t) and goes on with it."""
    fock = fock_of(state.density)
    field = problem.external(state.time)
    return State(
        state.step,
        state.time,
        state.orbitals,
        state.occupations,
        state.density,
        fock if field is None else fock + field,
        state.fock_half,
    )


def _broken_limit(state: State, spread: float, limits: Limits, conserving: bool) -> Reason | None:
    """The first limit that a state breaks, or None."""
    density, n = state.density, state.occupations
    flat = density.reshape(-1)
    square = np.vdot(flat, flat).real
    if not (np.isfinite(square) and np.isfinite(spread)):
        return "NOT_FINITE"
    if spread > limits.uncertainty:
        return "HIGH_UNCERTAINTY"
    # What only an absorbing potential or a propagator that is not unitary may change.
    if conserving:
        if abs(np.trace(density, axis1=1, axis2=2).real.sum() - n.sum()) > limits.trace * n.sum():
            return "TRACE_VIOLATION"
        # |P'|² = Σ n² as long as the orbitals are orthonormal.
        if abs(square - (n * n).sum()) > limits.idempotency * (n * n).sum():
            return "IDEMPOTENCY_VIOLATION"
    defect = (density - density.conj().swapaxes(1, 2)).reshape(-1)
    if np.vdot(defect, defect).real > limits.hermiticity**2 * square:
        return "HERMITICITY_VIOLATION"
    return None
