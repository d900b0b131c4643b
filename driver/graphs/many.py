"""Propagations of a deck from one ground state, made at once: strengths, directions, frequencies, delays.

Each is a run as by the command alone: its own anchors, verdicts, files and stated error. What they share is
the ground state, the points, and the calls of the graph.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ...adapters.deck import Deck, DeckError
from ...adapters.files.run_lock import locked
from ..run.check import check_deck
from ..run.deck import keep_unfinished
from ..run.embedded import EmbeddedBackend
from ..run.ground import GroundStates
from ..run.job import Job, file_names
from ..run.options import Options
from ..run.propagation import propagate
from ..run.surrogates import with_surrogate
from .together import Together

#: Trajectories in one call: more gain nothing on a CPU.
AT_ONCE = 64


def run_together(
    deck: Deck, options: Options, write: Callable[[str], None], stopping: Callable[[], bool]
) -> Together:
    """Carry out all propagations of a deck; what its graphs were called for.

    write: takes the logs, one after the other. Raises DeckError and what `run_deck` raises.
    """
    if options.engine != "pyscf" or options.surrogate != "rollout":
        raise ValueError("run_together is for --engine pyscf and --surrogate rollout")
    check_deck(deck, options.engine, options.prior)
    if len(deck.ground_states) != 1 or len(deck.tasks) != 1 + len(deck.propagations):
        place = deck.tasks[-1].place
        raise DeckError(place, "runs at once start from the deck's one task dft energy, and are all it has")
    options = with_surrogate(replace(options, alone=False), deck)
    deck.permanent_dir.mkdir(parents=True, exist_ok=True)
    names = file_names(deck)
    with locked([deck.permanent_dir / f"{name}.lock" for name in {deck.prefix, *names}]):
        if not options.restart:
            keep_unfinished(deck, options)
        grounds = GroundStates(deck, options, write)
        number = grounds.add(deck.ground_states[0])
        grounds.solve(number)
        graphs, logs, works = Together(AT_ONCE), [list[str]() for _ in names], []
        for task, name, log in zip(deck.propagations, names, logs, strict=True):
            stem, began = deck.permanent_dir / name, time.perf_counter()
            job = Job(task, deck, stem, options, began, log.append, stopping)
            works.append(partial(propagate, job, EmbeddedBackend(job, grounds, number, graphs)))
        graphs.carry_out(works)
        for text in (text for log in logs for text in log):
            write(text)
    return graphs
