"""From a deck and options to runs: everything that can be refused first, then deck after deck."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...adapters.deck import Deck
from ...adapters.deck.reader import read_deck
from ...adapters.nwchem.process import nwchem_command
from ...atomic.errors import BadInput, Failed
from ..loop.segment import Limits
from ..run.deck import run_deck
from ..run.frames import frame_decks
from ..run.job import last_trajectory, trajectories
from ..run.machine import half_of_memory
from ..run.options import Options
from .options import check_use


@dataclass(frozen=True)
class DeckRuns:
    """What is about to be run.

    decks: one, or one for each frame, in order.
    options: of all of them.
    """

    decks: tuple[Deck, ...]
    options: Options

    @property
    def trajectories(self) -> list[Path]:
        """The trajectory files that there will be, in order."""
        return [path for deck in self.decks for path in trajectories(deck)]


def prepare(
    deck: Deck | Path | str, frames: Path | str | None, options: Mapping[str, Any], started: float
) -> DeckRuns:
    """What a deck, a file of frames and options (all of `OPTIONS`, by name) ask for.

    Notices about the deck go to standard error. started: `time.perf_counter()` when the user began to wait.
    Raises BadInput: OptionError, DeckError, FramesError, or a folder that cannot be written.
    """
    check_use(options)
    deck = deck if isinstance(deck, Deck) else read_deck(deck)
    for notice in deck.notices:
        print(f"hybrid-propagate: {notice}", file=sys.stderr)
    _check_writable(deck.permanent_dir)
    decks = (deck,) if frames is None else tuple(frame_decks(deck, Path(frames)))
    surrogate = options["surrogate"]
    if frames is not None and surrogate == "auto":
        # What one frame learns is passed on to the next.
        surrogate = "response"
    return DeckRuns(
        decks,
        Options(
            surrogate=surrogate,
            tolerance=options["tol"],
            max_ml_steps=options["max_ml_steps"],
            limits=Limits(
                options["max_uncertainty"], options["max_trace_error"], options["max_hermiticity_error"]
            ),
            memory=half_of_memory() if options["memory"] is None else 1e6 * options["memory"],
            restart=options["restart"],
            save_density=options["save_density"],
            started=started,
            engine=options["engine"],
            nwchem=nwchem_command(options["nwchem"]),
            keep_scratch=options["keep_scratch"],
            report=options["report"],
            prior=options["prior"],
            device=options["device"],
            weights=options["weights"],
            frames=frames is not None,
        ),
    )


def run_decks(runs: DeckRuns, write: Callable[[str], None], stopping: Callable[[], bool]) -> bool:
    """Run deck after deck; False where `stopping` ended one early.

    write: takes log text, in NWChem's format. Raises BadInput and Failed, and BrokenPipeError of `write`.
    """
    options = runs.options
    try:
        for deck in runs.decks:
            if not run_deck(deck, options, write, stopping):
                return False
            if options.surrogate == "response":
                options = replace(options, prior=last_trajectory(deck) or options.prior)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise Failed(
            f"cannot write: {reason}; what was written before is whole, --restart goes on"
        ) from error
    return True


def _check_writable(folder: Path) -> None:
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
