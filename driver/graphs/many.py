"""Propagations of a deck from one ground state, made at once: strengths, directions, frequencies, delays.

Each is a run as by the command alone: its own anchors, verdicts, log, files and stated error. What they share
is the ground state, the points, and the calls of the graph.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial

from ...adapters.deck import Deck, DeckError
from ...adapters.files.run_lock import locked
from ...adapters.log.log_file import LogFile
from ..run.check import check_deck
from ..run.deck import keep_unfinished
from ..run.embedded import EmbeddedBackend
from ..run.ground import GroundStates
from ..run.job import Job, file_names
from ..run.options import Options, same_level
from ..run.propagation import propagate
from ..run.surrogates import with_surrogate
from .together import Together

#: Trajectories in one call: more gain nothing on a CPU.
AT_ONCE = 64


@dataclass(frozen=True)
class ManyRuns:
    """What came of runs at once.

    finished: False where the user stopped them.
    calls, made: of graphs, and trajectories' blocks that they made.
    """

    finished: bool
    calls: int
    made: int


def can_be_together(deck: Deck, options: Options) -> bool:
    """Whether graphs make all of a deck's steps, and its one ground state is where all its runs start."""
    by_graphs = options.engine == "pyscf" and options.surrogate == "rollout"
    alone = len(deck.ground_states) == 1 and len(deck.tasks) == 1 + len(deck.propagations)
    if not (by_graphs and alone and len(deck.propagations) > 1):
        return False
    ground = deck.ground_states[0]
    return ground.relax is None and all(
        same_level(task.system, ground.system)
        and task.real_time.load.kind == "scf"
        and not task.real_time.no_propagation
        for task in deck.propagations
    )


def run_together(
    deck: Deck, options: Options, write: Callable[[str], None], stopping: Callable[[], bool]
) -> ManyRuns:
    """Carry out all propagations of a deck, each with a log beside its files.

    write: takes the log of the ground state. Raises DeckError and what `run_deck` raises.
    """
    check_deck(deck, options.engine, options.prior)
    if not can_be_together(deck, options):
        place = deck.tasks[-1].place
        raise DeckError(
            place,
            "runs at once are by PySCF and --surrogate rollout, start from the deck's one task dft energy, "
            "and are all it has",
        )
    options = with_surrogate(replace(options, alone=False), deck)
    deck.permanent_dir.mkdir(parents=True, exist_ok=True)
    stems = [deck.permanent_dir / name for name in file_names(deck)]
    section: list[str] = []

    def of_ground(text: str) -> None:
        section.append(text)
        write(text)

    with locked([deck.permanent_dir / f"{name}.lock" for name in (deck.prefix, *file_names(deck))]):
        if not options.restart:
            keep_unfinished(deck, options)
        grounds, graphs, works = GroundStates(deck, options, of_ground), Together(AT_ONCE), []
        number = grounds.add(deck.ground_states[0])
        with ExitStack() as logs:
            for task, stem in zip(deck.propagations, stems, strict=True):
                goes_on = options.restart and stem.with_name(f"{stem.name}.h5").exists()
                log = LogFile(stem.with_name(f"{stem.name}.log"), append=goes_on)
                logs.enter_context(closing(log))
                job = Job(task, deck, stem, options, time.perf_counter(), log, stopping)
                backend = EmbeddedBackend(job, grounds, number, graphs)
                works.append(partial(_run, backend, section, begins=not goes_on))
            finished = graphs.carry_out(works)
    return ManyRuns(all(finished), graphs.calls, graphs.made)


def _run(backend: EmbeddedBackend, section: list[str], *, begins: bool) -> bool:
    """One run; section: of the ground state, with which its log begins."""
    if begins:
        assert backend.number is not None
        backend.grounds.solve(backend.number)
        backend.job.write("".join(section))
    return propagate(backend.job, backend).finished
