"""One propagation task: from its ground state, or its own trajectory file, to its files."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck, PropagationTask
from ...adapters.engine import Energies, FockBuild
from ...adapters.files.trajectory import Contents, TrajectoryFile, read_contents
from ...adapters.log.header import PropagationSummary, propagation_header
from ...adapters.log.lines import message_line
from ...adapters.nwchem.basis_order import density_from_nwchem, nwchem_order
from ...adapters.nwchem.dmat import read_densities
from ...adapters.nwchem.movecs import find_movecs
from ...adapters.nwchem.process import NWChemError
from ...adapters.nwchem.rt_restart import read_restart
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from ...adapters.pyscf.point_symmetry import symmetry_orbitals
from ...adapters.system import System
from ...adapters.system.system import function_mask
from ...adapters.working_basis import WorkingBasis, make_working_basis
from ...surrogate.on_the_fly.response import OnTheFlyResponse
from ...surrogate.on_the_fly.streamed_response import StreamedResponse
from ...surrogate.runtime.neural_surrogate import NeuralSurrogate
from ...surrogate.surrogate import Surrogate
from ..loop.checkpoint import pack_checkpoint, surrogate_arrays, unpack_checkpoint
from ..loop.controller import Ledger, Target
from ..loop.hybrid import Progress, Tally, run
from ..loop.problem import Problem, initial_state, make_problem
from ..loop.reference import Reference
from ..nwchem.session import NWChemSession
from ..pictures.density_cubes import write_cubes
from ..pictures.density_movie import movie_path, write_movie
from ..reporters.observables import make_observables
from ..reporters.output import Output
from ..reporters.progress import ProgressLine
from ..reporters.stored_run import stored_run
from .options import Options, continued, same_end, settings_of
from .summary import dipole_bound, draw, write_summary
from .surrogates import analytic_kernel, make_surrogate

#: Said under the title of each section.
NOTE = "Log in NWChem's format, written by hybrid-propagate"
#: Seconds between checkpoints, or this many times what the last one took.
CHECKPOINT_SECONDS, CHECKPOINT_SHARE = 3.0, 20.0
#: Densities are stored at every point where they fit this many bytes, and left out otherwise.
SMALL_TRAJECTORY = 2**26


@dataclass(eq=False)
class Ground:
    """A ground state that is converged when it is first needed."""

    system: System
    make: Callable[[], tuple[PySCFEngine, Orbitals]]
    seconds: float = 0.0
    solved: tuple[PySCFEngine, Orbitals] | None = None
    surrogate: dict[str, np.ndarray] | None = None
    nwchem: NWChemSession | None = None

    def solve(self) -> tuple[PySCFEngine, Orbitals]:
        """Engine referred to the orbitals' density, and the orbitals."""
        if self.solved is None:
            self.solved = self.make()
        return self.solved


@dataclass(frozen=True, eq=False)
class _Start:
    """Orbitals and working basis of a run, as a trajectory file keeps them."""

    orbitals: Orbitals
    basis: WorkingBasis

    def arrays(self) -> dict[str, np.ndarray]:
        orbitals, basis = self.orbitals, self.basis
        return {
            "coefficients": orbitals.coefficients,
            "energies": orbitals.energies,
            "occupations": orbitals.occupations,
            "total_energy": np.array(orbitals.total_energy),
            "basis_coefficients": basis.coefficients,
            "basis_dual": basis.dual,
            "basis_to_canonical": basis.to_canonical,
            "basis_energies": basis.energies,
            "basis_irreps": basis.irreps,
        }


def propagate(
    task: PropagationTask,
    ground: Ground,
    deck: Deck,
    stem: Path,
    options: Options,
    since: float,
    write: Callable[[str], None],
    stopping: Callable[[], bool],
) -> bool:
    """Run one task to its end and write its files; False when `stopping` said so before.

    since: `time.perf_counter()` from which on the time counts as this task's.
    Raises TrajectoryError, RestartError, OSError, NoFixedPoint.
    """
    real_time = task.real_time
    arrived = time.perf_counter()
    path = stem.with_name(stem.name + ".h5")
    settings = settings_of(task, options)
    old = continued(path, settings, options)
    summary = stem.with_name(stem.name + ".json")
    if old is None:
        # What an earlier run said of itself must not stand beside this one's trajectory.
        summary.unlink(missing_ok=True)
    elif bool(old.attributes.get("complete")) and same_end(old, real_time.tmax) and summary.exists():
        ground.surrogate = surrogate_arrays(old.checkpoint)
        return True
    engine, start = _engine_and_start(task, ground, options, old)
    orbitals, basis = start.orbitals, start.basis
    density = orbitals.density()
    base = _base(ground, engine, density)
    problem = make_problem(task, engine, basis, base, density)
    session = ground.nwchem
    tally_start = time.perf_counter()
    target = Target(
        options.tolerance, options.max_ml_steps, max(problem.n_steps * real_time.dt, real_time.dt)
    )
    surrogate, reference = _surrogate_and_reference(problem, density, options, target, session)
    prior_seconds = time.perf_counter() - tally_start
    if old is not None:
        progress = unpack_checkpoint(old.checkpoint, surrogate)
        if session is not None:
            session.earlier = dict(progress.tally.seconds)
    else:
        if surrogate is not None and ground.surrogate:
            surrogate.load(ground.surrogate)
        progress = _begin(task, problem, deck, target, surrogate)
        _book(progress.tally, "start-up and imports", max(arrived - since - ground.seconds, 0.0))
        _book(progress.tally, "ground state", ground.seconds if session is None else session.seconds)
        # Several runs may start from one ground state; its time is booked once.
        ground.seconds = 0.0
    _book(progress.tally, "analytic kernel", prior_seconds)
    observables = make_observables(task.system, engine.integrals, basis)
    write(_header(task, deck, engine, orbitals))
    if old is not None or real_time.load.kind == "restart":
        write(message_line(real_time.tag, progress.state.time, "Loaded restart file") + "\n")
        write(message_line(real_time.tag, progress.state.time, "Propagation successfully restarted") + "\n")
    else:
        write(message_line(real_time.tag, 0.0, "Propagation started") + "\n")
    if real_time.no_propagation:
        write(" === Propagation skipped ===\n")
        return True
    store = TrajectoryFile(path, stored_run(task, engine, settings, start.arrays()))
    output = Output(
        problem=problem,
        observables=observables,
        store=store,
        write=write,
        first_energy=base.energies.electronic + engine.integrals.nuclear_repulsion,
        save_density=_density_interval(problem, options),
        restart=deck.permanent_dir / f"{deck.prefix}.rt_restart",
    )
    if old is None:
        store.commit(pack_checkpoint(progress, surrogate), complete=False, start=True)
    saver = _Saver(store, surrogate)

    def stop(now: Progress) -> bool:
        leave = stopping()
        if leave or saver.due():
            saver.save(now, complete=False)
        return leave

    title = f"{stem.name} ({real_time.tag})"
    with ProgressLine(title, problem.n_steps, progress.state.step) as line:
        try:
            reporters = [output, line]
            finished = run(problem, surrogate, target, options.limits, progress, reporters, stop, reference)
        except NWChemError:
            saver.save(progress, complete=False)
            raise
    if not finished:
        return False
    state = progress.state
    write(message_line(real_time.tag, state.time, "Propagation finished") + "\n")
    if real_time.profile:
        for what, spent in progress.tally.seconds.items():
            write(f" [prof] {what} took {round(1e3 * spent)} ms.\n")
    if real_time.n_restarts > 0:
        output.write_restart(state.density, state.step + 1, state.time)
    saver.save(progress, complete=True)
    if surrogate is not None:
        ground.surrogate = surrogate.save()
    if real_time.visualization is not None:
        began = time.perf_counter()
        lead = f"{stem.name}_" if _several_plotted(deck, options) else ""
        write_cubes(path, deck.permanent_dir, lead, engine.mol, real_time.visualization)
        write_movie(path, movie_path(stem), engine.mol, real_time.visualization)
        progress.tally.spend("density pictures", began)
    _finish(problem, deck, stem, options, progress, target, surrogate, since, path, session)
    return True


def _several_plotted(deck: Deck, options: Options) -> bool:
    """Whether several runs write cube files. NWChem's names tell nothing of the run: they would overwrite
    one another's, as NWChem's do."""
    propagations = [task for task in deck.tasks if isinstance(task, PropagationTask)]
    shown = [task.real_time.visualization for task in propagations]
    return options.frames or sum(block is not None and block.dplot for block in shown) > 1


@dataclass(eq=False)
class _Saver:
    """Commits the trajectory file when it is time."""

    store: TrajectoryFile
    surrogate: Surrogate | None
    last: float = field(default_factory=time.monotonic)
    took: float = 0.0

    def due(self) -> bool:
        return time.monotonic() - self.last > max(CHECKPOINT_SECONDS, CHECKPOINT_SHARE * self.took)

    def save(self, progress: Progress, *, complete: bool) -> None:
        began = time.perf_counter()
        self.store.commit(pack_checkpoint(progress, self.surrogate), complete=complete)
        progress.tally.spend("log and files", began)
        self.took, self.last = time.perf_counter() - began, time.monotonic()


def _book(tally: Tally, what: str, seconds: float) -> None:
    tally.seconds[what] = tally.seconds.get(what, 0.0) + seconds


def _engine_and_start(
    task: PropagationTask, ground: Ground, options: Options, old: Contents | None
) -> tuple[PySCFEngine, _Start]:
    """From the trajectory file where there is one, else from the ground state."""
    if old is not None:
        kept = old.ground
        orbitals = Orbitals(
            kept["coefficients"], kept["energies"], kept["occupations"], float(kept["total_energy"]), 0
        )
        basis = WorkingBasis(
            kept["basis_coefficients"],
            kept["basis_dual"],
            kept["basis_to_canonical"],
            kept["basis_energies"],
            kept["basis_irreps"],
        )
        if ground.nwchem is None:
            engine = make_engine(task.system, options.memory)
        else:
            ground.nwchem.known = orbitals
            engine, _ = ground.solve()
        return expanded_about(engine, orbitals.density(), kernel=True), _Start(orbitals, basis)
    engine, orbitals = ground.solve()
    if not _same_level(task.system, ground.system):
        engine = expanded_about(make_engine(task.system, options.memory), orbitals.density(), kernel=True)
    fock = np.real(_base(ground, engine, orbitals.density()).fock)
    basis = make_working_basis(engine.integrals.overlap, fock, symmetry_orbitals(engine.mol))
    return engine, _Start(orbitals, basis)


def _base(ground: Ground, engine: PySCFEngine, density: np.ndarray) -> FockBuild:
    """The reference's Fock matrix at the ground state."""
    if ground.nwchem is not None and ground.nwchem.base is not None:
        return ground.nwchem.base
    return engine.fock(density.astype(complex))


def _same_level(a: System, b: System) -> bool:
    return (
        a.functional == b.functional
        and a.grid == b.grid
        and a.open_shell == b.open_shell
        and a.fitting_basis == b.fitting_basis
        and np.array_equal(a.geometry.positions, b.geometry.positions)
    )


def _begin(
    task: PropagationTask,
    problem: Problem,
    deck: Deck,
    target: Target,
    surrogate: OnTheFlyResponse | StreamedResponse | NeuralSurrogate | None,
) -> Progress:
    """The first point: the ground state, a density from a file, or the point in a restart file."""
    density, step, t = problem.ground_density, 0, 0.0
    energies = problem.ground_build.energies
    fock = problem.basis.fock_in(problem.ground_build.fock).astype(complex)
    if task.real_time.load.kind == "restart":
        path = deck.permanent_dir / f"{deck.prefix}.rt_restart"
        point = read_restart(path, task.system.n_spin, len(problem.engine.integrals.overlap))
        density = problem.basis.density_in(density_from_nwchem(point.densities, nwchem_order(task.system)))
        step, t = point.point - 1, point.time
        fock, energies = problem.reference_fock(density)
    elif task.real_time.load.kind == "density":
        found = [find_movecs(name, deck.permanent_dir) or Path(name) for name in task.real_time.load.files]
        densities = read_densities(found, nwchem_order(task.system), task.system.n_spin)
        density = problem.basis.density_in(densities)
        fock, energies = problem.reference_fock(density)
    if isinstance(surrogate, StreamedResponse):
        # No code gives NWChem's Fock matrix.
        fock, energies = surrogate.predict(density), Energies(*surrogate.energies(density[None])[0].tolist())
    state = initial_state(problem, density, fock, step, t)
    return Progress(state, energies, Ledger(length=target.max_ml_steps), Tally())


def _surrogate_and_reference(
    problem: Problem, density: np.ndarray, options: Options, target: Target, session: NWChemSession | None
) -> tuple[OnTheFlyResponse | StreamedResponse | NeuralSurrogate | None, Reference | None]:
    """What makes steps, and what measures it; None for reference steps alone, and for the engine's own."""
    if options.surrogate == "none" or problem.real_time.static or problem.real_time.no_propagation:
        return None, None if session is None else session.make_reference(problem)
    if session is not None and session.base is not None:
        engine = problem.engine
        assert isinstance(engine, PySCFEngine)
        return session.learn_from_stream(problem, analytic_kernel(engine, density, options.memory))
    surrogate = make_surrogate(problem, density, options, target)
    return surrogate, None if session is None else session.make_reference(problem)


def _density_interval(problem: Problem, options: Options) -> int:
    if options.save_density is not None:
        return options.save_density
    whole = 8 * problem.system.n_spin * problem.system.n_basis**2 * problem.n_steps
    return 1 if whole <= SMALL_TRAJECTORY else 0


def _header(task: PropagationTask, deck: Deck, engine: PySCFEngine, orbitals: Orbitals) -> str:
    integrals = engine.integrals
    quadrupole = integrals.quadrupole
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    return propagation_header(
        deck.title,
        NOTE,
        task.system,
        task.real_time,
        PropagationSummary(
            total_energy=orbitals.total_energy,
            n_basis=len(integrals.overlap),
            n_orbitals=orbitals.coefficients.shape[2],
            functions=[int(function_mask(task.system, g).sum()) for g in task.system.geometries],
            center_of_mass=integrals.center_of_mass,
            dipole=[float(np.abs(d).max()) for d in integrals.dipole],
            quadrupole=[float(np.abs(quadrupole[i, j]).max()) for i, j in pairs],
            occupations=orbitals.occupations,
            orbital_energies=orbitals.energies,
        ),
    )


def _finish(
    problem: Problem,
    deck: Deck,
    stem: Path,
    options: Options,
    progress: Progress,
    target: Target,
    surrogate: OnTheFlyResponse | StreamedResponse | NeuralSurrogate | None,
    since: float,
    path: Path,
    session: NWChemSession | None,
) -> None:
    """Summary and figure."""
    contents = read_contents(path)
    control = contents.control
    rows = np.flatnonzero(control.get("event_kind", np.zeros(0, "S8")) == b"audit")
    audits = [
        {
            "time": float(control["event_time"][row]),
            "relative_density_difference": float(control["event_residual"][row]),
            "fock_builds": int(control["event_fock_builds"][row]),
        }
        for row in rows
    ]
    share = 1.0
    if "time" in contents.series:
        began = time.perf_counter()
        draw(path, stem.with_name(stem.name + ".png"), deck.title or stem.name, target.residual)
        progress.tally.spend("figure", began)
        share = dipole_bound(problem, progress.ledger, np.asarray(contents.series["dipole"]))
    summary = write_summary(
        stem.with_name(stem.name + ".json"),
        str(deck.path),
        options.engine,
        options.surrogate,
        progress,
        target,
        audits,
        time.perf_counter() - since,
        0 if surrogate is None else surrogate.mean_field_builds,
        share,
        None if session is None else session.summary(progress.tally.seconds, time.perf_counter() - since),
    )
    from .report_line import report

    report(stem, summary)
