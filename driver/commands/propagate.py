"""The command `hybrid-propagate`: an NWChem deck in; NWChem's log, trajectory, restart file, figure out."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..front_door.options import OPTIONS, THRESHOLDS
from .ending import carry_out, fail
from .lists import LISTS, ListAction
from .option_table import add_options

_NAME = "hybrid-propagate"
_DESCRIPTION = """Runs the RT-TDDFT tasks of an NWChem input deck: reference steps where they are needed,
surrogate steps everywhere else. The log goes to standard output in NWChem's format, progress to standard
error, and <start>.h5, .json, .png and .rt_restart to the deck's permanent_dir."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 2 bad input, 1 failed, 130 interrupted."""
    started = time.perf_counter()
    given = _parser().parse_args(arguments)
    interrupted = "interrupted; --restart goes on from the last checkpoint"
    return carry_out(_NAME, lambda: _run(given, started), interrupted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_NAME, description=_DESCRIPTION)
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
    add_options(parser.add_argument_group("thresholds that end a surrogate segment"), THRESHOLDS)
    return parser


def _run(given: argparse.Namespace, started: float) -> int:
    if given.check:
        from .check import check

        return check(given.deck, vars(given), as_json=given.json)
    if given.json:
        return fail(_NAME, "--json is for --check", 2)
    from ..front_door.deck_runs import prepare, run_decks

    runs = prepare(given.deck, given.frames, vars(given), started)
    finished = run_decks(runs, _write, _on_interrupt())
    return 0 if finished else fail(_NAME, "interrupted; --restart goes on from here", 130)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _on_interrupt() -> Callable[[], bool]:
    """Tells whether Ctrl-C was pressed: the first ends the run at the next segment, the second at once."""
    asked: list[bool] = []

    def handle(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        print("hybrid-propagate: stopping after this segment (again: at once)", file=sys.stderr)

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
    return lambda: bool(asked)


if __name__ == "__main__":
    sys.exit(main())
