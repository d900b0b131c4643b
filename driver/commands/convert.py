"""`hybrid-dataset convert`: an NWChem run as a trajectory file and response pairs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ...atomic.arguments import CommandParser
from ...atomic.own_input import check_apart
from ..front_door.option_values import count_or_none
from .ending import carry_out

_DESCRIPTION = """Makes a trajectory file, and response pairs beside it, from an NWChem run: its deck,
its log, and its restart files. NWChem overwrites <start>.rt_restart at every point. To keep all points, say
`nrestarts *` in the deck and make that path a named pipe: mkfifo x.rt_restart; tail -f x.rt_restart > x &"""


def main(arguments: Sequence[str]) -> int:
    """Run the command. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    options = _parser().read(arguments)
    return carry_out("hybrid-dataset", lambda: _run(options), "interrupted")


def _run(options: argparse.Namespace) -> int:
    if options.output is not None:
        check_apart([options.output], [options.deck, options.log, *options.records])
    from ..dataset.converted import convert_run

    for line in convert_run(
        options.deck, options.log, options.records, options.tag, options.pairs, options.output
    ):
        print(line)
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(prog="hybrid-dataset convert", description=_DESCRIPTION)
    parser.add_argument("deck", type=Path, metavar="DECK")
    parser.add_argument("log", type=Path, metavar="LOG", help="NWChem's output, plain or .gz")
    parser.add_argument(
        "records", nargs="+", type=Path, metavar="RECORDS", help="restart files, one point or many in each"
    )
    parser.add_argument("--tag", help="the propagation meant, where the deck has several")
    parser.add_argument(
        "--pairs",
        type=count_or_none,
        default=30,
        metavar="N",
        help="densities for which PySCF builds the Fock matrix (default %(default)s)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE.h5", help="default: <start>.h5; pairs go to <start>_pairs.h5"
    )
    return parser
