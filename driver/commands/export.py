"""The command `hybrid-export`: trained weights, or the default surrogate, as ONNX graphs, checked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...atomic.arguments import CommandParser
from ...atomic.errors import BadInput
from ..front_door.option_values import positive
from .ending import carry_out

_DESCRIPTION = """Writes trained weights of hybrid-train as the ONNX graphs encode, step and rollout
(docs/neural/graphs.md), the whole ensemble in each, with any number of atoms, functions and time points.
Each is loaded into ONNX Runtime and compared with torch on molecules of other sizes; one that differs is
not written. With --rollout instead the default surrogate of one molecule, as graphs of whole Magnus steps
for any number of trajectories (docs/neural/rollout.md), compared with numpy."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    options = _parser().read(arguments)
    interrupted = "interrupted; nothing half-written is left"
    return carry_out("hybrid-export", lambda: _run(options), interrupted)


def _run(options: argparse.Namespace) -> int:
    import logging
    import warnings

    if options.rollout:
        from ..graphs.rollout import export_rollout

        if options.precision == "float16":
            raise BadInput(
                "--precision float16 is for trained weights; accepted with --rollout: float64, float32"
            )
        for path in export_rollout(options.source, options.folder, _say, options.precision or "float64"):
            print(path)
        return 0
    if options.precision == "float64":
        raise BadInput("--precision float64 is for --rollout; accepted for trained weights: float32, float16")
    # The exporter warns of what is missing and not needed, by both ways.
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    from ...surrogate.training.export import export

    for path in export(
        options.source, options.folder, options.calibration, options.dt, options.precision or "float32", _say
    ):
        print(path)
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> CommandParser:
    parser = CommandParser(prog="hybrid-export", description=_DESCRIPTION)
    parser.add_argument(
        "source",
        type=Path,
        metavar="WEIGHTS",
        help="weights.pt of hybrid-train; with --rollout a deck, or a trajectory file (.h5) of a run",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the graphs go")
    parser.add_argument(
        "--rollout", action="store_true", help="graphs of the default surrogate of a deck or a run"
    )
    parser.add_argument(
        "--precision",
        choices=("float64", "float32", "float16"),
        help="inside the graphs: of trained weights float32 (default) or float16, for GPUs; with --rollout "
        "float64 (default) or float32, of changes from the ground state",
    )
    parser.add_argument(
        "--calibration",
        type=positive,
        default=1.0,
        metavar="FACTOR",
        help="error over spread, as hybrid-train evaluate --json gives it (default 1)",
    )
    parser.add_argument(
        "--dt",
        type=positive,
        default=0.4,
        metavar="AU",
        help="time step of the memory: two points of its trajectories (default %(default)s)",
    )
    return parser


if __name__ == "__main__":
    from . import start

    sys.exit(start.export())
