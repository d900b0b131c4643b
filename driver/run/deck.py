"""A deck from its first task to its last."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from ...adapters.deck import (
    Deck,
    DensityPlotTask,
    ExcitedDensityTask,
    GroundStateTask,
    LinearResponseTask,
    PropagationTask,
    orbitals_read,
)
from ...adapters.files.run_lock import locked
from ...adapters.rtdb.recall import HEAD, record_path
from ...adapters.system import System
from ...atomic.whole_file import write_whole
from ...surrogate.surrogate import Surrogate
from ..answer.deck_lines import Kicked, answer, earlier_roots
from ..earlier.kept import keep_earlier, settings_of
from ..loop.backend import GroundState
from ..loop.controller import Target
from ..loop.problem import Problem
from ..page.lines import Root
from ..reporters.phase import phase
from .check import check_deck
from .embedded import EmbeddedBackend
from .ground import GroundStates, Solved
from .job import Job, file_names, live_beside
from .options import Options, fingerprint, same_level
from .propagation import Outcome, propagate
from .surrogates import make_surrogate, with_surrogate


def run_deck(
    deck: Deck, options: Options, write: Callable[[str], None], stopping: Callable[[], bool]
) -> bool:
    """Carry out every task in order; False where `stopping` ended a propagation early.

    write: takes log text. Raises FolderInUse, DeckError, PriorError, NotConverged, TrajectoryError, OSError.
    """
    check_deck(deck, options.engine, options.prior)
    if any(ground.relax is not None for ground in deck.ground_states):
        from ..nwchem.relaxed import relaxed

        with phase(f"{deck.prefix}: geometry by NWChem", live=live_beside(write)):
            deck = relaxed(deck, options.nwchem)
    options = with_surrogate(options, deck)
    deck.permanent_dir.mkdir(parents=True, exist_ok=True)
    names = (deck.prefix, *file_names(deck))
    with locked([deck.permanent_dir / f"{name}.lock" for name in names]):
        if not options.restart:
            keep_unfinished(deck, options)
        return _carry_out(deck, options, write, stopping)


def keep_unfinished(deck: Deck, options: Options) -> None:
    """No run of another deck, and no unfinished one, is replaced."""
    stems = [deck.permanent_dir / name for name in file_names(deck)]
    # What else a run starts from, or that it goes on from a point, is not among its settings.
    wanted = [
        settings_of(json.dumps(fingerprint(task, options)), task.real_time.tmax)
        if task.real_time.load.kind == "scf"
        else ""
        for task in deck.propagations
    ]
    for path in keep_earlier(deck.permanent_dir / deck.prefix, stems, wanted):
        print(f"hybrid-propagate: the earlier run of this name is kept as {path.name}", file=sys.stderr)


def _carry_out(
    deck: Deck, options: Options, write: Callable[[str], None], stopping: Callable[[], bool]
) -> bool:
    """Every task in order; see `run_deck`."""
    grounds = GroundStates(deck, options, write)
    names, started = iter(file_names(deck)), options.started
    goes_on = options.restart and _begun(deck)
    left = (deck.permanent_dir / f"{name}.json" for name in (deck.prefix, *file_names(deck)))
    kept = earlier_roots(left) if goes_on else None
    roots = kept
    propagated: list[Kicked] = []
    for done, task in enumerate(deck.tasks):
        grounds.let_go(orbitals_read(left) for left in deck.tasks[done:])
        match task:
            case GroundStateTask():
                number = grounds.add(task)
                if not goes_on and options.engine == "pyscf":
                    grounds.solve(number)
            case LinearResponseTask():
                # A run that has not come to its end has not kept them.
                if kept is None:
                    text, found = _linear_response(task, grounds)
                    write("" if goes_on else text)
                    roots = [*(roots or ()), *found]
            case ExcitedDensityTask():
                if not goes_on:
                    _excited_density(task, grounds)
            case DensityPlotTask():
                if not goes_on:
                    _cube(task, grounds)
            case PropagationTask():
                stem = deck.permanent_dir / next(names)
                job = Job(task, deck, stem, options, started, write, stopping, roots)
                outcome = _by_nwchem(job, grounds) if options.engine == "nwchem" else _embedded(job, grounds)
                if outcome.finished:
                    _report(job)
                started = time.perf_counter()
                if not outcome.finished:
                    return False
                if not task.real_time.no_propagation:
                    propagated.append(Kicked(task, stem, outcome.kicked if options.alone else None))
        if not options.frames:
            _record(deck, done)
    if options.alone:
        answer(deck, propagated, roots, same_level, report=options.report)
    return True


def _begun(deck: Deck) -> bool:
    """Whether any propagation has left what it can go on from."""
    return any((deck.permanent_dir / f"{name}.h5").exists() for name in file_names(deck))


def _record(deck: Deck, done: int) -> None:
    """Keep what is set up to a task, for a later `restart`. A deck that was put together has no lines."""
    if deck.recorded:
        lines = (HEAD, *deck.journal[: deck.recorded[done]])
        write_whole(record_path(deck.prefix, deck.permanent_dir), ("\n".join(lines) + "\n").encode())


def _cube(task: DensityPlotTask, grounds: GroundStates) -> None:
    from ..pictures.density_cubes import write_cube

    engine, orbitals = _solved(task.vectors, task.system, grounds)
    path = grounds.deck.permanent_dir / (task.plot.output or "density.cube")
    write_cube(path, engine.mol, orbitals.density(), task.plot)


def _excited_density(task: ExcitedDensityTask, grounds: GroundStates) -> None:
    """Leave NWChem's file, from the ground state of this run or, with its engine, NWChem's own."""
    from ..nwchem.excited_density import excited_density

    options = grounds.options
    guess = None
    if options.engine == "pyscf":
        guess = _solved(task.vectors, task.system, grounds)[1]
    with phase(f"{grounds.deck.prefix}: excited state by NWChem", live=live_beside(grounds.write)):
        left = excited_density(task, options.nwchem, guess)
    write_whole(grounds.deck.permanent_dir / task.output, left)


def _solved(vectors: str, system: System, grounds: GroundStates) -> Solved:
    """Orbitals that a file has or will have, and their engine."""
    number = grounds.named().get(vectors)
    return grounds.from_file(vectors, system) if number is None else grounds.solve(number)


def _linear_response(task: LinearResponseTask, grounds: GroundStates) -> tuple[str, list[Root]]:
    from .linear_response import linear_response_section

    engine, orbitals = _solved(task.vectors, task.system, grounds)
    return linear_response_section(task, engine, orbitals)


def _embedded(job: Job, grounds: GroundStates) -> Outcome:
    """A propagation by PySCF; what it learns is passed on to the next one from the same ground state."""
    number = grounds.named().get(job.orbitals)
    system = job.task.system
    earlier = None if number is None else grounds.learned.get(number)
    learned = earlier[1] if earlier is not None and same_level(earlier[0], system) else None
    outcome = propagate(replace(job, learned=learned), EmbeddedBackend(job, grounds, number))
    if number is not None and outcome.learned is not None:
        grounds.learned[number] = (system, outcome.learned)
    return outcome


def _by_nwchem(job: Job, grounds: GroundStates) -> Outcome:
    """A propagation with a resident NWChem beside it, which also converges the ground state."""
    from ..nwchem.session import open_session
    from ..nwchem.start import NWChemCall

    options = job.options

    def surrogate_of(
        ground: GroundState, problem: Problem, target: Target, tell: Callable[[str, float], None]
    ) -> Surrogate:
        return make_surrogate(ground, problem, options, target, tell)

    call = NWChemCall(
        deck=job.deck,
        task=job.task,
        command=options.nwchem,
        keep=options.keep_scratch,
        hybrid=job.hybrid,
        memory=options.memory,
        known=grounds.known_to_nwchem(job.orbitals, job.task.system),
        write=(lambda _: None) if options.restart else job.write,
        stopping=job.stopping,
    )
    with open_session(call, surrogate_of) as session:
        outcome = propagate(job, session)
        if session.start is not None:
            grounds.of_nwchem.append((job.orbitals, job.task.system, session.start.ground.orbitals))
    return outcome


def _report(job: Job) -> None:
    if job.options.report and not job.task.real_time.no_propagation:
        from ..page.report import write_report

        print(f"  {write_report(job.task, job.deck, job.stem)}", file=sys.stderr)
