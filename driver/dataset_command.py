"""The command `hybrid-dataset`: response pairs and trajectories to train the neural surrogate on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_DESCRIPTION = """Makes a data set as a YAML file describes it: response pairs in <folder>/pairs, one file a
molecule and level, and trajectories in <folder>/trajectories. What exists already is kept, so that a run
that was stopped goes on where it was. From NWChem runs: hybrid-dataset convert --help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["convert"]:
        from .convert_command import main as convert

        return convert(given[1:])
    options = _parser().parse_args(given)
    from ..surrogate.response_pairs import PairsError
    from .dataset_build import DatasetError, build_dataset
    from .dataset_config import ConfigError, read_config

    try:
        build_dataset(read_config(options.config), options.jobs)
    except (ConfigError, DatasetError, PairsError) as error:
        print(f"hybrid-dataset: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"hybrid-dataset: cannot write: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("hybrid-dataset: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hybrid-dataset", description=_DESCRIPTION)
    parser.add_argument("config", type=Path, metavar="CONFIG", help="YAML file, see examples/dataset.yaml")
    parser.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="processes side by side (default %(default)s)"
    )
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
