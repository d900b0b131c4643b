"""One propagation, set up: the engine, the working basis, where it starts, and the field that acts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...adapters.deck import PropagationTask
from ...adapters.engine import Energies, Engine, FockBuild
from ...adapters.system import Field, RealTime, System
from ...adapters.system.field import amplitude, amplitudes
from ...adapters.system.real_time import at_point, at_points
from ...adapters.system.system import function_mask
from ...adapters.working_basis import WorkingBasis
from ...surrogate.matrices.occupied_empty import occupied_empty
from ...surrogate.surrogate import StepsFollowed, Surrogate
from ...surrogate.weak_fields.by_regime import ByRegime
from ...surrogate.weak_fields.pair_response import NEARLY_DIAGONAL
from ...surrogate.weak_fields.scheme import Phases
from ...surrogate.whole_steps import LearnedRows, WholeSteps
from ..propagators.absorbing_potential import absorbing_potential
from ..propagators.exponential import propagate_lossy
from ..propagators.frozen_fock import frozen_fock_step
from ..propagators.magnus import FockOf, StepRules, canonical_norm, magnus_step, make_exponential
from ..propagators.pushes import bare_size
from ..propagators.state import State, natural_orbitals
from ..propagators.steps_ahead import AheadRules, Step, StepsAhead

#: A field of less than this share of its maximum no longer acts: the tail of a Gaussian.
NO_FIELD = 1e-15
#: Points at which fields are looked at together.
_PORTION = 1024


@dataclass(frozen=True, eq=False)
class Coupling:
    """One `excite` rule: a field and the masked dipole matrix along it, (n_spin, m, m), working basis."""

    field: Field
    matrix: np.ndarray


@dataclass(frozen=True, eq=False)
class Problem:
    """What a run needs to know.

    ground_build: the reference Fock build at `ground_density` (working basis, real); surrogates expand there.
    absorption: the `spatialcap` Γ (m, m), working basis; None without.
    """

    system: System
    real_time: RealTime
    engine: Engine
    basis: WorkingBasis
    ground_build: FockBuild
    ground_density: np.ndarray
    couplings: tuple[Coupling, ...]
    absorption: np.ndarray | None = None

    @property
    def n_steps(self) -> int:
        """Steps that NWChem makes: one less than points."""
        return max(self.real_time.n_points - 1, 0)

    @cached_property
    def last_field_step(self) -> int:
        """The last point, counted from 0, at which a field acts."""
        dt = self.real_time.dt
        for end in range(self.n_steps, 0, -_PORTION):
            steps = np.arange(max(end - _PORTION, 0) + 1, end + 1)
            acts = np.zeros(len(steps), bool)
            for field in (coupling.field for coupling in self.couplings):
                # Time is accumulated by addition: a switch within rounding of a point counts as reached.
                for shift in (-0.01, 0.0, 0.01):
                    sizes = np.abs(amplitudes(field, (steps + shift) * dt, dt))
                    acts |= sizes > NO_FIELD * abs(field.maximum)
            if acts.any():
                return int(steps[acts][-1])
        return 0

    @cached_property
    def ground_fock(self) -> np.ndarray:
        """F'0 (n_spin, m, m), real."""
        return self.basis.fock_in(self.ground_build.fock)

    @cached_property
    def kick_points(self) -> frozenset[int]:
        """Points, counted from 0, at which a kick acts."""
        dt = self.real_time.dt
        kicks = (round(c.field.center / dt) for c in self.couplings if c.field.shape == "delta")
        return frozenset(k for k in kicks if k >= 0)

    @cached_property
    def kicked_steps(self) -> tuple[int, ...]:
        """Steps, counted from 0, with a kick after the first point at one end; in order."""
        found = {step for k in self.kick_points if k for step in (k - 1, k) if step < self.n_steps}
        return tuple(sorted(found))

    def follows_kick(self, point: int) -> bool:
        """Whether a kick has bent the predictor of the step that led to a point.

        F was built last of a density that is off by what the response makes of that in dt.
        """
        return any(k <= point <= k + 2 for k in self.kick_points)

    @cached_property
    def driven_size(self) -> float:
        """Largest |δP| that fields would bring about, did F not answer; inf: occupations are fractional."""
        try:
            pairs = occupied_empty(self.ground_density, self.basis.energies, NEARLY_DIAGONAL)
        except ValueError:
            return np.inf
        times = self.real_time.dt * np.arange(self.last_field_step + 2)
        pushes = np.array([np.real(pairs.block(coupling.matrix)) for coupling in self.couplings])
        size = bare_size(Phases(pairs.gaps, self.real_time.dt), pushes, field_sizes(self, times))
        return np.sqrt(2.0) * pairs.filling * size

    def external(self, time: float) -> np.ndarray | None:
        """The field's matrix V(t), working basis; None where no field acts."""
        total = None
        for coupling in self.couplings:
            size = amplitude(coupling.field, time, self.real_time.dt)
            if size != 0.0:
                term = size * coupling.matrix
                total = term if total is None else total + term
        return total

    def reference_fock(self, density: np.ndarray) -> tuple[np.ndarray, Energies]:
        """Field-free F' of the reference code at P', and the energies there."""
        build = self.engine.fock(self.basis.density_out(density))
        return self.basis.fock_in(build.fock), build.energies


def field_sizes(problem: Problem, times: np.ndarray) -> np.ndarray:
    """Of each coupling's field at times (k,) au, (k, c)."""
    found = [amplitudes(coupling.field, times, problem.real_time.dt) for coupling in problem.couplings]
    return np.array(found).reshape(len(found), len(times)).T


def active_dipoles(problem: Problem) -> np.ndarray:
    """D over the active geometry, (3, n_spin, m, m), working basis."""
    mask = function_mask(problem.system, problem.system.geometry)
    shape = problem.ground_build.fock.shape
    matrices = [
        problem.basis.fock_in(np.broadcast_to(np.outer(mask, mask) * along, shape))
        for along in problem.engine.integrals.dipole
    ]
    return np.array(matrices)


def electronic_dipoles(problem: Problem, densities: np.ndarray) -> np.ndarray:
    """-Tr D Re P' over the active geometry, (k, 3), of k densities (k, n_spin, m, m)."""
    return -np.real(densities).reshape(len(densities), -1) @ active_dipoles(problem).reshape(3, -1).T


def dipole_norm(problem: Problem) -> float:
    """|D|: Frobenius norm of the dipole matrices between occupied and empty orbitals, au."""
    occupied = np.diagonal(np.real(problem.ground_density), axis1=1, axis2=2) > 1e-6
    pairs = occupied[:, :, None] != occupied[:, None, :]
    shape = problem.ground_build.fock.shape
    matrices = (problem.basis.fock_in(np.broadcast_to(d, shape)) for d in problem.engine.integrals.dipole)
    return float(np.sqrt(sum(np.sum((d * pairs) ** 2) for d in matrices)))


def field_free(problem: Problem, fock_of: FockOf) -> FockOf:
    """`fock_of` with what the deck makes of every Fock build: `static`, `mocap` and `spatialcap`."""
    real_time = problem.real_time
    if real_time.static:
        frozen = problem.ground_fock
        return lambda density: _absorb(problem, frozen)
    if not real_time.absorbing:
        return fock_of
    return lambda density: _absorb(problem, fock_of(density))


def _absorb(problem: Problem, fock: np.ndarray) -> np.ndarray:
    assert (problem.absorption is None) == (problem.real_time.spatial_cap is None)
    cap, absorbed = problem.real_time.mocap, fock
    if cap is not None:
        absorbed = absorbed - 1j * absorbing_potential(fock, cap)
    if problem.absorption is not None:
        absorbed = absorbed - 1j * problem.absorption
    return absorbed


def make_step(problem: Problem, begins: Callable[[int], None] = lambda _: None) -> Step:
    """The deck's propagator, for any source of Fock matrices; begins: see `StepRules`."""
    real_time, basis = problem.real_time, problem.basis
    dt = real_time.dt
    if real_time.propagator != "magnus":
        order = 4 if real_time.propagator == "rk4" else 1
        return lambda state, fock_of: (frozen_fock_step(state, fock_of, problem.external, dt, order), [])
    rules = StepRules(
        dt=dt,
        tolerance=real_time.tolerances.interpol,
        external=problem.external,
        exponential=make_exponential(basis.energies, dt)
        if not real_time.absorbing
        else lambda fock, orbitals: propagate_lossy(fock, orbitals, dt),
        norm=canonical_norm(basis.to_canonical),
        begins=begins,
    )
    return lambda state, fock_of: magnus_step(state, fock_of, rules)


def steps_of(problem: Problem, surrogate: Surrogate, last: int, more: LearnedRows | None = None) -> Step:
    """The surrogate's own steps up to the one of number `last`, where it makes such; else `make_step`.

    more: added to F, where the surrogate makes steps itself.
    """
    whole = surrogate.in_force if isinstance(surrogate, ByRegime) else surrogate
    real_time = problem.real_time
    if not isinstance(whole, WholeSteps):
        return (
            make_step(problem, whole.pass_begins())
            if isinstance(whole, StepsFollowed)
            else make_step(problem)
        )
    by_numpy = make_step(problem)

    def acting(time: float) -> np.ndarray:
        fields = (coupling.field for coupling in problem.couplings)
        return np.array([amplitude(field, time, real_time.dt) for field in fields] or [0.0])

    def room(step: int) -> int:
        checks = (s for s in range(step + 1, last) if is_check_step(problem, s))
        return next(checks, last) - step

    tolerance = real_time.tolerances.interpol
    return StepsAhead(whole, AheadRules(real_time.dt, tolerance, acting, room, by_numpy), more)


def check_steps(problem: Problem, first: int, last: int) -> list[int]:
    """The steps from `first` on, before `last`, that `is_check_step` holds for."""
    real_time, steps = problem.real_time, np.arange(max(first, 1), max(last, 1))
    return steps[at_points(steps + 1, real_time.n_checks, real_time.n_points)].tolist()


def is_check_step(problem: Problem, step: int) -> bool:
    """Whether NWChem checks the run, and builds F' anew, at the state of this number."""
    real_time = problem.real_time
    return step > 0 and at_point(step + 1, real_time.n_checks, real_time.n_points)


def initial_state(problem: Problem, density: np.ndarray, fock: np.ndarray, step: int, time: float) -> State:
    """Start from a P' and its field-free F', as NWChem does: F'(t - dt/2) := F'(t)."""
    orbitals, occupations = natural_orbitals(density)
    total = field_free(problem, lambda _: fock)(density)
    field = problem.external(time)
    if field is not None:
        total = total + field
    return State(step, time, orbitals, occupations, density, total, total)


def make_problem(
    task: PropagationTask,
    engine: Engine,
    basis: WorkingBasis,
    ground_build: FockBuild,
    density: np.ndarray,
) -> Problem:
    """A task set up from its engine, working basis, and the Fock build at its AO density (n_spin, n, n)."""
    system, real_time = task.system, task.real_time
    fields = {f.name: f for f in real_time.fields}
    geometries = {g.name: g for g in system.geometries}
    couplings = []
    for rule in real_time.excitations:
        shape = fields[rule.field]
        mask = function_mask(system, geometries[rule.geometry])
        along = np.einsum("x,xmn->mn", shape.direction, engine.integrals.dipole) * np.outer(mask, mask)
        acting = [shape.spin in ("total", spin) for spin in ("alpha", "beta")[: system.n_spin]]
        matrix = basis.fock_in(np.array([along * on for on in acting]))
        couplings.append(Coupling(shape, matrix.astype(complex)))
    return Problem(
        system,
        real_time,
        engine,
        basis,
        ground_build,
        basis.density_in(density).astype(complex),
        tuple(couplings),
    )
