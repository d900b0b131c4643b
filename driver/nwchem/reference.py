"""NWChem as the reference of a run: steps through the resident process, anchors against its steps.

At an anchor NWChem makes one step from the surrogate's density, and the surrogate makes its own. To first
order the two end apart by dt |[F_NWChem - F_surrogate, P]|, which is the force that `Measurement` speaks of.
NWChem writes ten digits: a difference below what their rounding explains says nothing, and there the force
is the embedded engine's, whose Fock matrix on NWChem's own grid also teaches the surrogate.
"""

import time
from dataclasses import dataclass, field, replace

import numpy as np

from ...adapters.engine import Energies
from ...adapters.nwchem.basis_order import density_from_nwchem, density_to_nwchem, nwchem_order
from ...adapters.nwchem.printed_points import PrintedPoint, quantities
from ...adapters.nwchem.process import NWChemError, NWChemProcess
from ...adapters.nwchem.rest_force import norm_of_rounding
from ...adapters.nwchem.rt_restart import RestartPoint, rounding
from ...surrogate.surrogate import Surrogate
from ..loop.problem import Problem, field_free, initial_state, make_step
from ..loop.reference import Sight, fock_of_state, sight_of
from ..loop.segment import Reason, Segment
from ..propagators.magnus import FockOf, NoFixedPoint
from ..propagators.state import State, density_of, natural_orbitals

#: NWChem's number of points in decks whose segments are short: any n below it can be asked for.
MANY_POINTS = 1_000_000
#: Steps made only to compare, or to learn, start so many steps before t = 0, when no field acts.
BEFORE = 10
#: Student's t, 95 %, one degree of freedom.
ONE_OF_MANY = 12.7
#: Differences up to this many times the expected rounding of a streamed density are put down to it.
ROUNDING_MARGIN = 4.0


@dataclass(frozen=True)
class Check:
    """One NWChem step beside the surrogate's own, from the same density.

    apart: norm of the difference of the densities after it; rounding: what NWChem's digits explain of it;
    residual: apart over what the whole response changes in such a step.
    """

    time: float
    apart: float
    rounding: float
    residual: float


@dataclass(frozen=True, eq=False)
class _Alone:
    """One NWChem step: P' and time of its start, where it leads, and what the log says of both points."""

    density: np.ndarray
    time: float
    printed: PrintedPoint
    end: RestartPoint
    end_printed: PrintedPoint

    def starts(self, state: State) -> bool:
        """Whether it is the step from `state`."""
        return self.time == state.time and np.array_equal(self.density, state.density)


@dataclass(eq=False)
class NWChemReference:
    """Implements `Reference` with a started process.

    whole: its deck has the user's own number of points, so that one segment to the run's end is what plain
    NWChem would do, its check points included. fock_of: field-free F' for the history of states that a
    surrogate goes on from; None for the embedded engine's. checks: made so far; entries: states sent.
    rounding: expected norm of that of the density streamed last.
    resumed: dipole, au, by which a whole run that was taken up amid it may differ; None where it was not.
    seconds, probe_seconds: spent on NWChem's steps, and on learning the response at anchors.
    """

    problem: Problem
    process: NWChemProcess
    whole: bool
    fock_of: FockOf | None = None
    checks: list[Check] = field(default_factory=list)
    entries: int = 0
    seconds: float = 0.0
    probe_seconds: float = 0.0
    rounding: float = 0.0
    resumed: float | None = None
    # Its steps are NWChem's own.
    shows_fock = False

    def __post_init__(self) -> None:
        self._order = nwchem_order(self.problem.system)
        self._step = make_step(self.problem)
        self._point: RestartPoint | None = None
        # The stream under way: the state it has reached, what the log says there, points still to come.
        self._reached: State | None = None
        self._printed: PrintedPoint | None = None
        self._left = 0
        # The last step made alone: an audit of an accepted segment asks for its anchor's once more.
        self._alone: _Alone | None = None

    def steps(
        self, state: State, energies: Energies, n_steps: int, seconds: float, reason: Reason
    ) -> tuple[Segment, Energies]:
        """See `Reference`. A stream goes on from one call to the next, from the state that it reached."""
        began = time.perf_counter()
        points: list[PrintedPoint] = []
        states = [state]
        alone = self._alone
        if n_steps == 1 and alone is not None and alone.starts(state):
            points.append(alone.printed)
            states.append(self._at(alone.end, state))
            self._printed = alone.end_printed
        while len(points) < n_steps:
            if self._reached is not states[-1] or self._left == 0:
                self._enter(states[-1], n_steps - len(points))
            assert self._printed is not None
            points.append(self._printed)
            states.append(self._following(states[-1]))
            # The end of a stream is not left waiting in the pipe (see `NWChemProcess`).
            if time.perf_counter() - began > seconds and self._left > self.process.run_ahead:
                break
        assert self._printed is not None
        self.seconds += time.perf_counter() - began
        assert self._point is not None
        self.rounding = self.rounding_of(self._point)
        end = self._settled(states[-2], states[-1])
        self._reached = end
        return self._segment(states, end, points, reason), self._printed.energies

    def sight(self, surrogate: Surrogate, density: np.ndarray, time: float, *, end: bool) -> Sight:
        """See `Reference`: the embedded engine's Fock matrix; NWChem's own step where the run goes on."""
        fock, embedded = self._embedded_fock(density)
        sight = sight_of(self.problem, surrogate, density, fock, embedded)
        if not end:
            return sight
        base = self.problem.ground_fock.astype(complex)
        try:
            own = self.own_step(density, time, surrogate.predict)
        except NoFixedPoint:
            # A surrogate far off may have none; the pair tells how far.
            return sight
        at_rest = self.own_step(density, time, lambda _: base)
        point, energies = self.one_step(density, time)
        self.rounding = rounding = self.rounding_of(point)
        apart, change = (float(np.linalg.norm(own - other)) for other in (self.density(point), at_rest))
        self.checks.append(Check(time, apart, rounding, apart / change if change > 0.0 else 0.0))
        force = max(apart - ROUNDING_MARGIN * rounding, 0.0) / self.problem.real_time.dt
        # What NWChem's step shows beyond the embedded engine's Fock matrix, no lesson mends.
        beyond = max(force - sight.force, 0.0)
        return replace(sight, beyond=beyond, energies=energies)

    def show(self, surrogate: Surrogate, state: State) -> int:
        """See `Reference`: where the run has settled the embedded engine has built the matrix."""
        if not (self.problem.real_time.static or self.problem.follows_kick(state.step)):
            surrogate.observe(state.density, fock_of_state(self.problem, state))
        return 0

    def taken_up(self, state: State) -> State:
        """A restart file holds no history: NWChem takes F'(t - dt/2) := F'(t)."""
        return replace(state, fock_half=state.fock)

    def one_step(self, density: np.ndarray, at: float) -> tuple[RestartPoint, Energies]:
        """NWChem's step from a P' at a time: where it leads, and the energies at its start."""
        began = time.perf_counter()
        self._send(density, at, MANY_POINTS - 2)
        _, printed = self.process.receive()
        point, end_printed = self.process.receive()
        self._alone = _Alone(density, at, printed, point, end_printed)
        self._reached, self._left = None, 0
        self.seconds += time.perf_counter() - began
        return point, printed.energies

    def own_step(self, density: np.ndarray, at: float, fock_of: FockOf) -> np.ndarray:
        """P' after a step from a restart, made here with `fock_of`."""
        start = initial_state(self.problem, density, fock_of(density), 0, at)
        return self._step(start, field_free(self.problem, fock_of))[0].density

    def _enter(self, state: State, n_steps: int) -> None:
        """Give NWChem a state from which to make `n_steps` steps, at least one, and take its first point."""
        ended = self._printed if self._reached is state else None
        number, n_points = MANY_POINTS - 1 - n_steps, MANY_POINTS
        if self.whole:
            n_points = self.problem.real_time.n_points
            # The last point's step is made, but not streamed: it is asked for once more.
            number = min(state.step + 1, n_points - 2)
            if state.step and self._printed is None:
                self.resumed = self._lost_history(state) if n_points - number > 2 else 0.0
            if ended is not None:
                self.process.finish()
        self._send(state.density, state.time, number)
        _, printed = self.process.receive()
        self._printed = printed if ended is None else ended
        self._reached, self._left = state, n_points - 1 - number

    def _lost_history(self, state: State) -> float:
        """What a restart file's lack of a Fock history changes: it is taken up once more a step later.

        The difference δP of the two states after that step oscillates from then on: in the dipole by
        Σ |D_ij| |δP_ij| over i ≠ j at most, if the response to it is left out. One such number is known of
        many; by Student's distribution the next lies below ONE_OF_MANY times it.
        """
        n_points, found = self.problem.real_time.n_points, []
        density, at = state.density, state.time
        for n_steps in (2, 1):
            self._send(density, at, n_points - 1 - n_steps)
            points = [self.process.receive()[0] for _ in range(n_steps + 1)]
            self.process.finish()
            density, at = self.density(points[1]), points[1].time
            found.append(self.density(points[-1]))
        apart = np.abs(found[1] - found[0]) * (1.0 - np.eye(density.shape[1]))
        dipole = [self.problem.basis.fock_in(d[None]) for d in self.problem.engine.integrals.dipole]
        return ONE_OF_MANY * max(float(np.sum(np.abs(d) * apart)) for d in dipole)

    def _following(self, state: State) -> State:
        point, self._printed = self.process.receive()
        self._left -= 1
        self._reached = self._at(point, state)
        return self._reached

    def _at(self, point: RestartPoint, before: State) -> State:
        """The state at a streamed point, a step after another."""
        self._point = point
        later = before.time + self.problem.real_time.dt
        return replace(before, step=before.step + 1, time=later, density=self.density(point))

    def _settled(self, before: State, state: State) -> State:
        """The end of a segment with orbitals and, where a surrogate may go on from it, its Fock history."""
        problem = self.problem
        orbitals, occupations = natural_orbitals(state.density)
        density = state.density
        if problem.real_time.unitary:
            # A unitary step keeps the occupations: what differs is the rounding of ten digits.
            k = state.occupations.shape[1]
            order = np.argsort(-state.occupations, axis=1, kind="stable")
            padded = np.zeros((*orbitals.shape[:2], k), dtype=complex)
            padded[:, :, : min(k, orbitals.shape[2])] = orbitals[:, :, :k]
            orbitals, occupations = padded, np.take_along_axis(state.occupations, order, axis=1)
        if self.whole:
            return replace(state, orbitals=orbitals, occupations=occupations)
        density = density_of(orbitals, occupations)
        fock_of = field_free(problem, self.fock_of or (lambda p: self._embedded_fock(p)[0]))
        focks = []
        for p, at in ((before.density, before.time), (density, state.time)):
            fock, field_ = fock_of(p), problem.external(at)
            focks.append(fock if field_ is None else fock + field_)
        half = 0.5 * (focks[0] + focks[1])
        return State(state.step, state.time, orbitals, occupations, density, focks[1], half)

    def _embedded_fock(self, density: np.ndarray) -> tuple[np.ndarray, Energies]:
        """The embedded engine's F' in NWChem's place."""
        began = time.perf_counter()
        found = self.problem.reference_fock(density)
        self.probe_seconds += time.perf_counter() - began
        return found

    def _segment(
        self, states: list[State], end: State, points: list[PrintedPoint], reason: Reason
    ) -> Segment:
        try:
            logged = quantities(points, self.problem.system)
        except KeyError as error:
            raise NWChemError(f"NWChem's log lacks {' '.join(error.args[0])} at a point") from error
        return Segment(
            kind="reference",
            reason=reason,
            start=states[0],
            end=end,
            times=np.array([s.time for s in states[:-1]]),
            held=np.array([s.density for s in states[:-1]]),
            energies=np.array(
                [[e.core, e.coulomb, e.exchange_correlation] for e in (p.energies for p in points)]
            ),
            interpolations=np.array([p.corrections for p in points]),
            changes=tuple([np.array(c) for c in p.changes] for p in points),
            cpu=logged["cpu_time"],
            spreads=np.zeros(len(points)),
            fock_builds=sum(p.corrections for p in points),
            logged=logged,
        )

    def density(self, point: RestartPoint) -> np.ndarray:
        """P' of a streamed point."""
        return self.problem.basis.density_in(density_from_nwchem(point.densities, self._order))

    def rounding_of(self, point: RestartPoint) -> float:
        """Expected norm, in the working basis, of the rounding of a streamed density."""
        deviation = density_from_nwchem(rounding(point.densities), self._order)
        return norm_of_rounding(self.problem.basis, deviation)

    def _send(self, density: np.ndarray, at: float, number: int) -> None:
        ao = density_to_nwchem(self.problem.basis.density_out(density), self._order)
        self.process.send(RestartPoint(number, at, ao))
        self.entries += 1
