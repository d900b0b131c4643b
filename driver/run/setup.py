"""A job set up: from its ground state, or its own trajectory file, to the loop's first step."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import Contents, TrajectoryError
from ...adapters.nwchem.basis_order import density_from_nwchem, nwchem_order
from ...adapters.nwchem.dmat import read_densities
from ...adapters.nwchem.movecs import find_movecs
from ...adapters.nwchem.rt_restart import RestartError, RestartPoint, read_restart
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.local_potential import absorbing_matrix
from ...adapters.pyscf.point_symmetry import symmetry_orbitals
from ...adapters.working_basis import WorkingBasis, make_working_basis
from ...atomic.errors import BadInput
from ...surrogate.surrogate import Surrogate
from ..loop.backend import Backend, GroundState
from ..loop.checkpoint import unpack_checkpoint
from ..loop.controller import Ledger, Target
from ..loop.hybrid import Hybrid
from ..loop.problem import Problem, initial_state, make_problem
from ..loop.progress import Progress, Tally
from ..reporters.phase import Relay, phase
from ..reporters.response import ResponseRows, response_rows
from .job import Job

#: Names of a working basis' arrays in a trajectory file, in the order of its fields.
_BASIS = ("coefficients", "dual", "to_canonical", "energies", "irreps")


@dataclass(frozen=True, eq=False)
class Setup:
    """A job ready to run.

    ground: where it starts from.
    hybrid: what the loop is made of, without reporters.
    progress: where the run is; the loop keeps it up to date.
    relay: takes what the surrogate tells of itself, for whoever shows it.
    response: what is kept of the density for lines; None for nothing.
    earlier: seconds by part that earlier processes spent on the run.
    """

    ground: GroundState
    hybrid: Hybrid
    progress: Progress
    relay: Relay
    response: ResponseRows | None
    earlier: Mapping[str, float] = field(default_factory=dict)

    @property
    def problem(self) -> Problem:
        """What is propagated."""
        return self.hybrid.problem

    def arrays(self) -> dict[str, np.ndarray]:
        """Orbitals, working basis and pairs of the response, as a trajectory file keeps them."""
        orbitals, basis = self.ground.orbitals, self.problem.basis
        return {
            **({} if self.response is None else self.response.arrays(self.problem)),
            "coefficients": orbitals.coefficients,
            "energies": orbitals.energies,
            "occupations": orbitals.occupations,
            "total_energy": np.array(orbitals.total_energy),
            **{f"basis_{name}": getattr(basis, name) for name in _BASIS},
        }


def set_up(job: Job, backend: Backend, old: Contents | None) -> Setup:
    """Ground state, working basis, surrogate and first point; old: the trajectory file to go on from.

    Raises what the backend raises, RestartError, DensityFileError, TrajectoryError.
    """
    arrived = time.perf_counter()
    # PySCF's are told of where they are converged, which may be before this job's turn.
    first = "ground state by NWChem" if job.options.engine == "nwchem" else "orbitals"
    with phase(f"{job.stem.name}: {first}", live=job.live):
        ground = backend.ground_state(None if old is None else _stored_orbitals(old))
    waited = time.perf_counter() - arrived
    basis = _working_basis(ground) if old is None else _stored_basis(old)
    problem = _problem(job, ground, basis)
    dt, options = job.task.real_time.dt, job.options
    target = Target(options.tolerance, options.max_ml_steps, max(problem.n_steps * dt, dt))
    began = time.perf_counter()
    with phase(f"{job.stem.name}: {'analytic kernel' if job.hybrid else 'reference'}", live=job.live) as tell:
        relay = Relay(tell)
        surrogate, reference = backend.surrogate_and_reference(problem, target, relay)
    kernel_seconds = time.perf_counter() - began
    hybrid = Hybrid(problem, surrogate, reference, target, options.limits)
    if old is None:
        if surrogate is not None and job.learned:
            surrogate.load(job.learned)
        progress = _first_point(job, backend, hybrid)
        # A ground state may have been converged before this job's turn.
        before = ground.seconds if ground.seconds > waited else 0.0
        progress.tally.book("start-up and imports", max(arrived - job.started - before, 0.0))
        progress.tally.book("ground state", ground.seconds)
    else:
        progress = _stored_progress(job, old, surrogate)
    earlier = {} if old is None else dict(progress.tally.seconds)
    progress.tally.book("analytic kernel", kernel_seconds)
    response = response_rows(problem, None if old is None else old.ground)
    return Setup(ground, hybrid, progress, relay, response, earlier)


def _problem(job: Job, ground: GroundState, basis: WorkingBasis) -> Problem:
    problem = make_problem(job.task, ground.engine, basis, ground.build, ground.orbitals.density())
    cap = job.task.real_time.spatial_cap
    if cap is None:
        return problem
    matrix = absorbing_matrix(ground.engine.mol, job.task.system, cap)
    return replace(problem, absorption=basis.fock_in(matrix))


def _working_basis(ground: GroundState) -> WorkingBasis:
    engine = ground.engine
    fock = np.real(ground.build.fock)
    return make_working_basis(engine.integrals, fock, symmetry_orbitals(engine.mol))


def _stored_orbitals(old: Contents) -> Orbitals:
    kept = old.ground
    energy = float(kept["total_energy"])
    return Orbitals(kept["coefficients"], kept["energies"], kept["occupations"], energy, 0)


def _stored_progress(job: Job, old: Contents, surrogate: Surrogate | None) -> Progress:
    """The checkpoint's; the surrogate becomes what it was. Raises TrajectoryError."""
    try:
        return unpack_checkpoint(old.checkpoint, surrogate)
    except BadInput as error:
        raise TrajectoryError(f"{job.file('h5')}: {error}") from error
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        path = job.file("h5")
        raise TrajectoryError(f"{path}: its checkpoint is of another make; leave out --restart") from error


def _stored_basis(old: Contents) -> WorkingBasis:
    return WorkingBasis(*(old.ground[f"basis_{name}"] for name in _BASIS))


def _first_point(job: Job, backend: Backend, hybrid: Hybrid) -> Progress:
    """The ground state, a density from a file, or the point in a restart file."""
    problem = hybrid.problem
    density, step, t = _first_density(job, problem)
    fock, energies = backend.first_build(problem, density)
    state = initial_state(problem, density, fock, step, t)
    return Progress(state, energies, Ledger(length=hybrid.target.max_ml_steps), Tally())


def _first_density(job: Job, problem: Problem) -> tuple[np.ndarray, int, float]:
    """P' (n_spin, m, m), number of steps made, time in au."""
    system, load = problem.system, job.task.real_time.load
    order = nwchem_order(system)
    if load.kind == "restart":
        n_basis = len(problem.engine.integrals.overlap)
        point = read_restart(job.restart_file, system.n_spin, n_basis)
        _check_point(job, point)
        density = problem.basis.density_in(density_from_nwchem(point.densities, order))
        return density, point.point - 1, point.time
    if load.kind == "density":
        folder = job.deck.permanent_dir
        found = [find_movecs(name, folder) or Path(name) for name in load.files]
        return problem.basis.density_in(read_densities(found, order, system.n_spin)), 0, 0.0
    return problem.ground_density, 0, 0.0


def _check_point(job: Job, point: RestartPoint) -> None:
    """Refuse a point that nothing follows, and tell of one that is not where the deck's steps lead.

    Raises RestartError.
    """
    run, path = job.task.real_time, job.restart_file
    if point.point >= run.n_points:
        reason = f"point {point.point} lies at the end or beyond: tmax is {run.n_points} points of dt"
        raise RestartError(f"{path}: {reason}")
    # Point 0 is the start as well, of a run that is a step longer.
    expected = max(point.point - 1, 0) * run.dt
    if abs(point.time - expected) > 1e-6 * max(1.0, expected):
        text = f"point {point.point} is at {point.time:g} au; by the deck's dt it would be at {expected:g}"
        print(f"hybrid-propagate: {path}: {text}", file=sys.stderr)
