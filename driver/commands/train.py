"""The command `hybrid-train`: trains the neural surrogate, and measures one that is trained."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...atomic.arguments import CommandParser
from ...atomic.own_input import check_apart
from ...atomic.threads import cores, start_with
from ..front_door.option_values import count, positive
from .ending import carry_out

_DESCRIPTION = """Trains the neural surrogate as a YAML file describes it (examples/train.yaml) on what
hybrid-dataset made. The same command goes on where an interrupted one stopped. Under torchrun many
processes share the work. To measure trained weights: hybrid-train evaluate --help. To adapt them to a
molecule of your own: hybrid-train adapt --help."""
_EVALUATE = """Errors of trained weights on response pairs, molecule by molecule: of the base alone,
zero-shot, and after closed-form adaptation to some of a geometry's own pairs."""
_ADAPT = """Adapts trained weights to one molecule, from response pairs of five to ten trajectories of it
(hybrid-dataset, or hybrid-dataset convert for NWChem's), for use at other geometries of that molecule. What
that gains is measured geometry by geometry left out; where it gains nothing, no weights are written."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands = {"evaluate": (_evaluate_parser, _evaluate), "adapt": (_adapt_parser, _adapt)}
    parser, run = commands.get(given[0] if given else "", (_parser, _train))
    options = parser().read(given[1:] if run is not _train else given)
    # Matrices of whole batches: here threads pay.
    start_with(cores())
    interrupted = "interrupted; the same command goes on from here"
    if run is _adapt:
        interrupted = "interrupted; nothing is written"
    return carry_out("hybrid-train", lambda: run(options), interrupted)


def _train(options: argparse.Namespace) -> int:
    from ...surrogate.training.config import ConfigError, read_config
    from ...surrogate.training.fit import fit
    from ...surrogate.training.trainer import joined_processes

    try:
        config = read_config(options.config)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{options.config}: not a text file") from error
    with joined_processes(options.device) as rank:
        path = fit(config, options.device, _say if rank == 0 else (lambda _: None), rank)
    if rank == 0:
        print(path)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    import dataclasses
    import json

    from ...surrogate.training.evaluate import evaluate, table

    rows = evaluate(options.weights, options.data, options.split, options.adapt, options.largest)
    if options.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    else:
        print(table(rows))
    return 0


def _adapt(options: argparse.Namespace) -> int:
    output = options.output or options.weights.with_name(f"{options.weights.stem}_adapted.pt")
    check_apart([output], [options.weights])
    from ...surrogate.training.molecule_adaptation import adapt_weights

    adapt_weights(options.weights, options.data, output, _say)
    print(output)
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> CommandParser:
    parser = CommandParser(prog="hybrid-train", description=_DESCRIPTION)
    parser.add_argument("config", type=Path, metavar="CONFIG", help="YAML file, see examples/train.yaml")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="default %(default)s")
    return parser


def _evaluate_parser() -> CommandParser:
    parser = CommandParser(prog="hybrid-train evaluate", description=_EVALUATE)
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="weights.pt of hybrid-train")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="of hybrid-dataset")
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    parser.add_argument("--adapt", type=count, default=10, metavar="N", help="pairs to adapt to (default 10)")
    parser.add_argument(
        "--largest",
        type=positive,
        default=0.02,
        metavar="SIZE",
        help="largest |δP| counted (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="rows as JSON instead of a table")
    return parser


def _adapt_parser() -> CommandParser:
    parser = CommandParser(prog="hybrid-train adapt", description=_ADAPT)
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="weights.pt of hybrid-train")
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="files of response pairs of one molecule, or folders of them",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: WEIGHTS with _adapted after its name"
    )
    return parser


if __name__ == "__main__":
    from . import start

    sys.exit(start.train())
