"""The command `hybrid-propagate`: an NWChem deck in; NWChem's log, trajectory, restart file, figure out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...atomic.arguments import CommandParser
from ...atomic.interruption import asked
from ..front_door.option_table import add_options
from ..front_door.options import OPTIONS, THRESHOLDS
from .ending import carry_out, fail
from .lists import LISTS, ListAction

if TYPE_CHECKING:
    from ..front_door.deck_runs import DeckRuns

_NAME = "hybrid-propagate"
_DESCRIPTION = """Runs the RT-TDDFT tasks of an NWChem input deck: reference steps where they are needed,
surrogate steps everywhere else. The log goes to standard output in NWChem's format, progress to standard
error, and <start>.h5, .json, .png and .rt_restart to the deck's permanent_dir."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 2 bad input, 1 failed, 130 interrupted."""
    started, began = time.perf_counter(), time.time()
    given = _parser().read(arguments)
    runs: list[DeckRuns] = []
    # A check has no checkpoint to speak of.
    words = (lambda: "interrupted") if given.check else (lambda: _interrupted(runs, began))
    return carry_out(_NAME, lambda: _run(given, started, runs), words)


def _parser() -> CommandParser:
    parser = CommandParser(prog=_NAME, description=_DESCRIPTION)
    parser.add_argument("deck", type=Path, metavar="DECK", help="NWChem input deck with an rt_tddft block")
    parser.add_argument(
        "frames",
        nargs="?",
        type=Path,
        metavar="FRAMES",
        help="multi-frame xyz file: the deck is run at every frame, each learning from those before",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="run nothing; print what would run, what it takes, what is refused",
    )
    parser.add_argument("--json", action="store_true", help="with --check: print JSON")
    parser.add_argument("--list", choices=LISTS, action=ListAction, help="print what decks may name, and end")
    add_options(parser, OPTIONS)
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="write the log there; --restart goes on in it, with every point once (default: standard output)",
    )
    add_options(parser.add_argument_group("thresholds that end a surrogate segment"), THRESHOLDS)
    return parser


def _run(given: argparse.Namespace, started: float, runs: list[DeckRuns]) -> int:
    """runs: takes what is run, once that is known."""
    if given.check:
        from .check import check

        return check(given.deck, vars(given), as_json=given.json)
    if given.json:
        return fail(_NAME, "--json is for --check", 2)
    from ..front_door.deck_runs import prepare, run_decks
    from ..front_door.log_sink import check_log, log_sink

    check_log(given.log, (given.deck, given.frames, given.prior))
    runs.append(prepare(given.deck, given.frames, vars(given), started))
    with log_sink(given.log or sys.stdout, append=runs[0].goes_on) as write:
        if run_decks(runs[0], write, asked):
            return 0
    raise KeyboardInterrupt


def _interrupted(runs: Sequence[DeckRuns], began: float) -> str:
    """What an interrupted run can say of its last checkpoint. began: `time.time()` when the command did."""
    kept = [path for found in runs for path in found.checkpoints(began)]
    if not kept:
        return "interrupted before the first checkpoint: there is nothing to go on from"
    return f"interrupted; --restart goes on from the last checkpoint, {kept[-1]}"


if __name__ == "__main__":
    from . import start

    sys.exit(start.propagate())
