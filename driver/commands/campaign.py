"""The command `hybrid-campaign`: ensembles, scans and levels of theory of one molecule, and their answer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...atomic.arguments import CommandParser
from ..front_door.option_values import count
from .ending import carry_out, fail

_NAME = "hybrid-campaign"
_DESCRIPTION = """Carries out what a YAML file asks for: geometries, kicks, fields and levels of theory
of one molecule. Each item is a geometry with all its propagations, in <folder>/items; the answer is
campaign.html, .h5 and .csv in the folder. What is finished is kept and what has begun goes on, so that the
same command may be given any number of times."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 1 an item failed, 2 bad input, 130 interrupted."""
    options = _parser().read(arguments)
    interrupted = "interrupted; the same command goes on from here"
    return carry_out(_NAME, lambda: _run(options), interrupted)


def _parser() -> CommandParser:
    parser = CommandParser(prog=_NAME, description=_DESCRIPTION)
    parser.add_argument("config", type=Path, metavar="CONFIG", help="YAML file, see examples/campaign.yaml")
    parser.add_argument(
        "--executor",
        default="local",
        metavar="NAME",
        help="local: processes of this machine; MODULE:FUNCTION: what returns a concurrent.futures.Executor "
        "(default %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="local processes (default: what cores and memory allow)",
    )
    parser.add_argument(
        "--items", metavar="SHARE", help="START:STOP:STEP of the items, such as 3::40; writes no answer"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="run nothing; print the items, seconds and memory"
    )
    parser.add_argument(
        "--collect",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help="run nothing; write the answer from finished items, those of other folders among them",
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    for name, given in (("--dry-run", options.dry_run), ("--items", options.items)):
        if given and options.collect is not None:
            return fail(_NAME, f"{name} is not for --collect, which runs nothing and takes all items", 2)
    from ..campaign.campaign import check_all_done, collect, finished, fitted, laid_out, share
    from ..executors.executor import executors

    engines = executors(options.executor, options.workers)
    plan = laid_out(options.config)
    engines = fitted(plan, engines, options.workers)
    chosen = share(plan.items, options.items)
    if options.dry_run:
        from ..campaign.dry_run import dry_run

        for line in dry_run(plan, chosen, engines.workers or 1):
            print(line)
        return 0
    if options.collect is not None:
        result = collect(plan, options.collect)
    else:
        result = finished(plan, engines, chosen)
    if len(chosen) == len(plan.items):
        print(result.folder / "campaign.html")
    check_all_done(result)
    return 0


if __name__ == "__main__":
    from . import start

    sys.exit(start.campaign())
