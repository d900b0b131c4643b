"""`propagate` and `propagate_all`: decks in, runs out."""

import time
from pathlib import Path
from typing import TextIO, Unpack

from ...adapters.deck import Deck
from ...atomic.interruption import ctrl_c_between_steps
from .deck_runs import DeckRuns, prepare, run_decks
from .log_sink import check_log, log_sink
from .options import OptionError, PropagationKeywords, all_options
from .run import Run, open_run


def propagate(
    deck: Deck | Path | str, *, log: Path | str | TextIO | None = None, **options: Unpack[PropagationKeywords]
) -> Run:
    """Run a deck with one propagation; the same files as from `hybrid-propagate`, and the same progress.

    deck: its path, or what `read_deck` read. log: file or stream for the log in NWChem's format; a restart
    adds to the file. Options, with their defaults:

    tol (1e-3): trajectory error wanted, relative.
    max_ml_steps (500): most surrogate steps between two anchors, 20 times as many of weak motion.
    engine ("pyscf"): reference code, or "nwchem".
    nwchem: how to run NWChem, such as "mpirun -np 4 nwchem".
    keep_scratch (False): keep NWChem's own files.
    surrogate ("auto"): "response", "rollout", "neural", "hybrid", or "none" for reference steps alone.
    device ("auto"): where the network or the graph runs: "cpu", "cuda", "tensorrt".
    weights: folder of graphs from hybrid-export, in place of the shipped ones.
    prior: trajectory file of an earlier run of the molecule, to start from what it learned.
    kernels: folder where kernels of weak motion are kept, for runs that differ in field or time.
    restart (False): go on from <start>.h5.
    report (False): write <start>.html too.
    save_density: store the density at every Nth point, 0 for never; None: all, where that takes under 64 MB.
    memory: MB for integrals, grids and the kernel; None: half of what there is.
    threads: None: as many as pay for the molecule's size; afterwards they are as they were.
    max_uncertainty (0.05), max_trace_error (0.02), max_hermiticity_error (0.01): end a surrogate segment.

    Ctrl-C raises KeyboardInterrupt after the segment that is running, a second one at once; restart=True goes
    on from the last checkpoint.
    Raises BadInput for decks, files and options that cannot be used, Failed for a calculation that fails.
    """
    started = time.perf_counter()
    check_log(log, (deck, options.get("prior")))
    runs = prepare(deck, None, all_options(options), started)
    n = len(runs.trajectories)
    if n != 1:
        raise OptionError(f"{runs.decks[0].path}: {n} propagations; propagate_all gives the runs of several")
    return _run_all(runs, log)[0]


def propagate_all(
    deck: Deck | Path | str,
    frames: Path | str | None = None,
    *,
    log: Path | str | TextIO | None = None,
    **options: Unpack[PropagationKeywords],
) -> tuple[Run, ...]:
    """Run a deck with any number of propagations, at every frame of a file; a run for each, in order.

    frames: multi-frame xyz file with the deck's atoms; each frame learns from those before. The rest, the
    options among it, is as with `propagate`.
    """
    started = time.perf_counter()
    check_log(log, (deck, frames, options.get("prior")))
    return _run_all(prepare(deck, frames, all_options(options), started), log)


def _run_all(runs: DeckRuns, log: Path | str | TextIO | None) -> tuple[Run, ...]:
    with ctrl_c_between_steps() as asked, log_sink(log, append=runs.goes_on) as write:
        try:
            run_decks(runs, write, asked)
        except Exception as error:
            # What a library makes of an interruption may have any name.
            if asked():
                raise KeyboardInterrupt from error
            raise
        if asked():
            raise KeyboardInterrupt
    return tuple(open_run(path) for path in runs.trajectories)
