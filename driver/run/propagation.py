"""One propagation, from its ground state or its own trajectory file to its files."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ...adapters.deck import PropagationTask
from ...adapters.files.trajectory import Contents, TrajectoryFile
from ...adapters.log.lines import message_line
from ...adapters.log.log_file import LogFile
from ...adapters.nwchem.process import NWChemError
from ...atomic.interruption import ends_by_itself
from ...surrogate.surrogate import Surrogate
from ..earlier.changes import DeckSettings
from ..earlier.continued import Wanted, continued, goes_beyond, is_done
from ..earlier.validity import LOG
from ..loop.backend import Backend
from ..loop.checkpoint import pack_checkpoint, surrogate_arrays
from ..loop.progress import Progress, Reporter
from ..loop.run import run
from ..pictures.density_cubes import write_cubes
from ..pictures.density_movie import movie_path, write_movie
from ..reporters.block import make_observer
from ..reporters.printed import Log
from ..reporters.progress import ProgressLine
from ..reporters.restart import RestartFile
from ..reporters.store import Store
from ..reporters.stored_run import stored_run
from ..reporters.writers import Writers
from ..spectra.kicked_runs import read_finished
from ..spectra.lines import KickedRun
from .job import Job
from .opening import opening
from .options import Options, fingerprint
from .report_line import report
from .setup import Setup, set_up
from .summary import write_summary

#: Seconds between checkpoints, or this many times what the last one took.
CHECKPOINT_SECONDS, CHECKPOINT_SHARE = 3.0, 20.0
#: Densities are stored at every point where they fit this many bytes, and left out otherwise.
SMALL_TRAJECTORY = 2**26


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a job ended.

    finished: False where the user stopped it.
    learned: what its surrogate has learned, as arrays, where it has one.
    kicked: what lines are found from, where it was kicked and run to its end now.
    """

    finished: bool
    learned: Mapping[str, np.ndarray] | None = None
    kicked: KickedRun | None = None


def propagate(job: Job, backend: Backend) -> Outcome:
    """Run one job to its end and write its files.

    Raises what the backend raises, TrajectoryError, RestartError, OSError, NoFixedPoint.
    """
    old = resume(job)
    if old is not None and _is_finished(job, old):
        return Outcome(True, surrogate_arrays(old.checkpoint))
    if old is not None:
        _take_back(job, old)
    setup = set_up(job, backend, old)
    job.write(opening(job, setup, goes_on=old is not None))
    if job.task.real_time.no_propagation:
        return Outcome(True)
    saver = _open_store(job, setup, begin=old is None)
    if not _run(job, setup, saver):
        return Outcome(False)
    kicked = finish(job, setup, saver, backend)
    surrogate = setup.hybrid.surrogate
    return Outcome(True, None if surrogate is None else surrogate.save(), kicked)


def resume(job: Job) -> Contents | None:
    """The job's own trajectory file, where it is to go on from that. Raises TrajectoryError."""
    old = continued(job.file("h5"), _wanted(job)) if job.options.restart else None
    if old is None:
        # What an earlier run said of itself must not stand beside this one's trajectory.
        job.file("json").unlink(missing_ok=True)
    return old


def finish(job: Job, setup: Setup, saver: "Saver", backend: Backend) -> KickedRun | None:
    """The last lines, and every file that is written once; what lines are found from after a kick."""
    real_time, progress = job.task.real_time, setup.progress
    state = progress.state
    job.write(message_line(real_time.tag, state.time, "Propagation finished") + "\n")
    if real_time.profile:
        for what, spent in progress.tally.seconds.items():
            job.write(f" [prof] {what} took {round(1e3 * spent)} ms.\n")
    if real_time.n_restarts > 0:
        RestartFile(setup.problem, job.restart_file).dump(state.density, state.step + 1, state.time)
    saver.save(progress, complete=True)
    _draw_densities(job, setup)
    stated = 0.0 if progress.estimate is None else float(progress.estimate.sums.stated)
    with progress.tally.timed("log and files"):
        done = read_finished(job.file("h5"), stated)
    report(job.stem, write_summary(job, setup, backend, done))
    return done.kicked


@dataclass(eq=False)
class Saver:
    """Commits the trajectory file when it is time."""

    store: TrajectoryFile
    surrogate: Surrogate | None
    job: Job
    last: float = field(default_factory=time.monotonic)
    took: float = 0.0

    def due(self) -> bool:
        """Whether the last commit is long enough ago."""
        return time.monotonic() - self.last > max(CHECKPOINT_SECONDS, CHECKPOINT_SHARE * self.took)

    def save(self, progress: Progress, *, complete: bool) -> None:
        """Commit all that the reporters have gathered, with a checkpoint. Raises OSError."""
        began = time.perf_counter()
        with progress.tally.timed("log and files"):
            arrays = pack_checkpoint(progress, self.surrogate) | _log_position(self.job)
            self.store.commit(arrays, complete=complete)
        self.took, self.last = time.perf_counter() - began, time.monotonic()


def settings_now(task: PropagationTask, options: Options) -> DeckSettings:
    """What the deck says now of a propagation and its start."""
    places = {ground.output: ground.place for ground in task.grounds}
    if task.grounds:
        places[""] = task.grounds[-1].place
    return DeckSettings(fingerprint(task, options), task.system.functional.directive, task.place, places)


def _wanted(job: Job) -> Wanted:
    task = job.task
    return Wanted(settings_now(task, job.options), task.real_time.tmax, task.real_time.dt)


def _log_position(job: Job) -> dict[str, np.ndarray]:
    """How far the log had come, where it is a file that can be taken back to there."""
    log = job.write
    if not isinstance(log, LogFile):
        return {}
    return {LOG: np.array(json.dumps([str(log.path), log.position]).encode())}


def _take_back(job: Job, old: Contents) -> None:
    """Take the points out of the log that were written after the checkpoint: they come once more."""
    noted = old.checkpoint.get(LOG)
    if not isinstance(job.write, LogFile):
        return
    path, position = ("", 0) if noted is None else json.loads(bytes(np.asarray(noted).item()))
    if not job.write.go_back(path, position):
        said = (
            f"{job.write.path} is not the log of {job.file('h5')} so far; the rest of the run is added to it"
        )
        print(f"hybrid-propagate: {said}", file=sys.stderr)


def _is_finished(job: Job, old: Contents) -> bool:
    wanted = _wanted(job)
    return goes_beyond(old, wanted) or (is_done(old, wanted) and job.file("json").exists())


def _open_store(job: Job, setup: Setup, *, begin: bool) -> Saver:
    """The trajectory file; begin: over anything that stands there."""
    settings = fingerprint(job.task, job.options)
    fixed = stored_run(job.task, job.deck.title, setup.ground.engine, settings, setup.arrays())
    saver = Saver(TrajectoryFile(job.file("h5"), fixed), setup.hybrid.surrogate, job)
    if begin:
        arrays = pack_checkpoint(setup.progress, saver.surrogate)
        saver.store.commit(arrays | _log_position(job), complete=False, start=True)
    return saver


def _run(job: Job, setup: Setup, saver: Saver) -> bool:
    """The loop, with its reporters; whether it came to the end."""
    problem, progress = setup.problem, setup.progress

    def stop(now: Progress) -> bool:
        leave = job.stopping()
        if leave or saver.due():
            saver.save(now, complete=False)
        return leave

    title = f"{job.stem.name} ({job.task.real_time.tag})"
    with ProgressLine(title, problem.n_steps, progress.state.step, job.live) as line:
        setup.relay.show = line.tell
        reporters: tuple[Reporter, ...] = (_writers(job, setup, saver.store), line)
        try:
            with ends_by_itself():
                return run(replace(setup.hybrid, reporters=reporters, say=line.tell), progress, stop)
        except NWChemError:
            saver.save(progress, complete=False)
            raise


def _writers(job: Job, setup: Setup, store: TrajectoryFile) -> Writers:
    """Log, trajectory file and restart file, over one block of observables a segment."""
    problem, options = setup.problem, job.options
    interval = options.save_density
    if interval is None:
        whole = 8 * problem.system.n_spin * problem.system.n_basis**2 * problem.n_steps
        interval = 1 if whole <= SMALL_TRAJECTORY else 0
    observer = make_observer(problem)
    restart = RestartFile(problem, job.restart_file)
    return Writers(
        observer, (Log(problem, job.write), Store(observer, store, interval, setup.response), restart)
    )


def _draw_densities(job: Job, setup: Setup) -> None:
    """Cube files and the movie of a `visualization` block."""
    shown = job.task.real_time.visualization
    if shown is None:
        return
    mol, trajectory = setup.ground.engine.mol, job.file("h5")
    with setup.progress.tally.timed("density pictures"):
        lead = f"{job.stem.name}_" if _several_plotted(job) else ""
        write_cubes(trajectory, job.deck.permanent_dir, lead, mol, shown)
        write_movie(trajectory, movie_path(job.stem), mol, shown)


def _several_plotted(job: Job) -> bool:
    """Whether several runs write cube files. NWChem's names tell nothing of the run: they would overwrite
    one another's, as NWChem's do."""
    shown = [task.real_time.visualization for task in job.deck.propagations]
    return job.options.frames or sum(block is not None and block.dplot for block in shown) > 1
