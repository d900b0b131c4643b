"""The command `hybrid-dataset`: response pairs and trajectories to train the neural surrogate on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...atomic.arguments import CommandParser
from ..front_door.option_values import count
from .ending import carry_out

_DESCRIPTION = """Makes a data set as a YAML file describes it: response pairs in <folder>/pairs, one file a
molecule and level, and trajectories in <folder>/trajectories. What exists already is kept, so that a run
that was stopped goes on where it was. From NWChem runs: hybrid-dataset convert --help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["convert"]:
        from .convert import main as convert

        return convert(given[1:])
    options = _parser().read(given)
    interrupted = "interrupted; the same command goes on from here"
    return carry_out("hybrid-dataset", lambda: _run(options), interrupted)


def _run(options: argparse.Namespace) -> int:
    from ..dataset.build import build_dataset
    from ..dataset.config import read_config
    from ..executors.executor import LOCAL, executors, in_this_process

    alone = options.executor == LOCAL and options.jobs in (None, 1)
    engines = in_this_process() if alone else executors(options.executor, options.jobs)
    build_dataset(read_config(options.config), engines)
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(prog="hybrid-dataset", description=_DESCRIPTION)
    parser.add_argument("config", type=Path, metavar="CONFIG", help="YAML file, see examples/dataset.yaml")
    parser.add_argument(
        "--jobs", type=count, metavar="N", help="processes side by side on this machine (default: 1)"
    )
    parser.add_argument(
        "--executor",
        default="local",
        metavar="NAME",
        help="local, or MODULE:FUNCTION that returns a concurrent.futures.Executor (default %(default)s)",
    )
    return parser


if __name__ == "__main__":
    from . import start

    sys.exit(start.dataset())
