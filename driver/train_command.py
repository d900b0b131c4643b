"""The command `hybrid-train`: trains the neural surrogate, and measures one that is trained."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .command_end import Errors, carry_out
from .option_values import count, positive

_DESCRIPTION = """Trains the neural surrogate as a YAML file describes it (examples/train.yaml) on what
hybrid-dataset made. The same command goes on where an interrupted one stopped. Under torchrun many
processes share the work. To measure trained weights: hybrid-train evaluate --help."""
_EVALUATE = """Errors of trained weights on response pairs, molecule by molecule: of the base alone,
zero-shot, and after closed-form adaptation to some of a geometry's own pairs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    evaluate = given[:1] == ["evaluate"]
    options = _evaluate_parser().parse_args(given[1:]) if evaluate else _parser().parse_args(given)
    run = _evaluate if evaluate else _train
    interrupted = "interrupted; the same command goes on from here"
    return carry_out("hybrid-train", lambda: run(options), _errors, interrupted)


def _errors() -> tuple[Errors, Errors]:
    from ..surrogate.neural.config import ConfigError
    from ..surrogate.response_pairs import PairsError

    return (ConfigError, PairsError), ()


def _train(options: argparse.Namespace) -> int:
    import torch.distributed as dist

    from ..surrogate.neural.config import ConfigError, read_config
    from ..surrogate.neural.fit import fit
    from ..surrogate.neural.trainer import join_processes

    try:
        config = read_config(options.config)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{options.config}: not a text file") from error
    joined = join_processes(options.device)
    rank = dist.get_rank() if joined else 0
    try:
        path = fit(config, options.device, _say if rank == 0 else (lambda _: None), rank)
    finally:
        if joined:
            dist.destroy_process_group()
    if rank == 0:
        print(path)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    import dataclasses
    import json

    from ..surrogate.neural.evaluate import evaluate, table

    rows = evaluate(options.weights, options.data, options.split, options.adapt, options.largest)
    if options.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    else:
        print(table(rows))
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hybrid-train", description=_DESCRIPTION)
    parser.add_argument("config", type=Path, metavar="CONFIG", help="YAML file, see examples/train.yaml")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="default %(default)s")
    return parser


def _evaluate_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hybrid-train evaluate", description=_EVALUATE)
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


if __name__ == "__main__":
    sys.exit(main())
