"""From a deck and options to runs: everything that can be refused first, then deck after deck.

What is heavy is imported behind the first line, which tells what will run.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...adapters.deck import Deck
from ...adapters.deck.reader import read_deck
from ...atomic.errors import BadInput, Failed
from ...atomic.threads import limited_to
from .announcement import announcement
from .options import check_use
from .thread_choice import threads_for

if TYPE_CHECKING:
    from ..run.options import Options


@dataclass(frozen=True)
class DeckRuns:
    """What is about to be run.

    decks: one, or one for each frame, in order.
    options: of all of them.
    threads: that the libraries may use.
    trajectories: files that there will be, in order; known beforehand, since nothing can be imported while an
        interruption is told of.
    """

    decks: tuple[Deck, ...]
    options: Options
    threads: int
    trajectories: tuple[Path, ...]

    @property
    def goes_on(self) -> bool:
        """Whether there is something of an earlier run to go on from."""
        return self.options.restart and any(path.exists() for path in self.trajectories)

    def checkpoints(self, began: float) -> list[Path]:
        """The trajectory files of this run, which began at that `time.time()`, or of what it goes on from."""
        there = [path for path in self.trajectories if path.exists()]
        return [path for path in there if self.options.restart or path.stat().st_mtime >= began]


def prepare(
    deck: Deck | Path | str, frames: Path | str | None, options: Mapping[str, Any], started: float
) -> DeckRuns:
    """What a deck, a file of frames and options (all of `OPTIONS`, by name) ask for.

    What will run, and notices about the deck, go to standard error. started: `time.perf_counter()` when the
    user began to wait. Raises BadInput: OptionError, DeckError, FramesError, or a folder that cannot be
    written.
    """
    check_use(options)
    deck = deck if isinstance(deck, Deck) else read_deck(deck)
    check_writable(deck.permanent_dir)
    if options["kernels"] is not None:
        check_writable(options["kernels"])
    threads = options["threads"] or threads_for(max(task.system.n_basis for task in deck.tasks))
    print(f"hybrid-propagate: {announcement(deck, options, threads)}", file=sys.stderr, flush=True)
    for notice in deck.notices:
        print(f"hybrid-propagate: {notice}", file=sys.stderr)
    decks = (deck,)
    if frames is not None:
        from ..run.frames import frame_decks

        decks = tuple(frame_decks(deck, Path(frames)))
    from ..run.job import trajectories

    files = tuple(path for one in decks for path in trajectories(one))
    return DeckRuns(decks, run_options(options, started, frames=frames is not None), threads, files)


def run_options(options: Mapping[str, Any], started: float, *, frames: bool) -> Options:
    """The options of a run, from all of `OPTIONS` by name; see `prepare`. Raises NWChemError."""
    from ...adapters.nwchem.process import nwchem_command
    from ..loop.segment import Limits
    from ..run.machine import half_of_memory
    from ..run.options import Options

    surrogate = options["surrogate"]
    if frames and surrogate == "auto":
        # What one frame learns is passed on to the next.
        surrogate = "response"
    limits = Limits(options["max_uncertainty"], options["max_trace_error"], options["max_hermiticity_error"])
    return Options(
        surrogate=surrogate,
        tolerance=options["tol"],
        max_ml_steps=options["max_ml_steps"],
        limits=limits,
        memory=half_of_memory() if options["memory"] is None else 1e6 * options["memory"],
        restart=options["restart"],
        save_density=options["save_density"],
        started=started,
        engine=options["engine"],
        nwchem=nwchem_command(options["nwchem"]),
        keep_scratch=options["keep_scratch"],
        report=options["report"],
        prior=options["prior"],
        kernels=options["kernels"],
        device=options["device"],
        weights=options["weights"],
        frames=frames,
    )


def run_decks(runs: DeckRuns, write: Callable[[str], None], stopping: Callable[[], bool]) -> bool:
    """Run deck after deck; False where `stopping` ended one early.

    write: takes log text, in NWChem's format. Raises BadInput and Failed, and BrokenPipeError of `write`.
    """
    from ..run.deck import run_deck
    from ..run.job import last_trajectory

    options = runs.options
    try:
        # Once the libraries are there: what they are told reaches only those that are loaded.
        with limited_to(runs.threads):
            for number, deck in enumerate(runs.decks, start=1):
                if len(runs.decks) > 1:
                    print(f"frame {number} of {len(runs.decks)}: {deck.prefix}", file=sys.stderr)
                if not run_deck(deck, options, write, stopping):
                    return False
                options = replace(options, started=time.perf_counter())
                if options.surrogate in ("response", "rollout"):
                    options = replace(options, prior=last_trajectory(deck) or options.prior)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise Failed(
            f"cannot write: {reason}; what was written before is whole, --restart goes on"
        ) from error
    return True


def check_writable(folder: Path) -> None:
    """Make the folder; found out before any time is spent. Raises BadInput."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            # Longer than any name of a run's files: whether the folder's own leaves room for such.
            (folder / ("x" * 240)).lstat()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(f"{folder}: cannot be written: {error.strerror}") from error
