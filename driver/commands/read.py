"""The command `hybrid-read`: a run's trajectory file in the formats of other programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...atomic.arguments import CommandParser
from .ending import carry_out, fail, system_reason

_NAME = "hybrid-read"
_DESCRIPTION = """Writes the run of a trajectory file, <start>.h5, for other programs. csv: a row a time
point, the units in the names of the columns. npz: the same series for numpy. extxyz: nuclei, energy and
dipole of the start, for ASE. molden: the starting orbitals. qcschema: the ground state for MolSSI's tools,
the trajectory in its extras."""
#: The keys of `exports.export.ENDINGS`, spelled out so that --help imports nothing.
_FORMATS = ("csv", "npz", "extxyz", "molden", "qcschema")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    options = _parser().read(arguments)
    return carry_out(_NAME, lambda: _run(options), "interrupted")


def _parser() -> CommandParser:
    parser = CommandParser(prog=_NAME, description=_DESCRIPTION)
    parser.add_argument("run", type=Path, metavar="RUN", help="trajectory file, <start>.h5")
    parser.add_argument("--to", choices=_FORMATS, required=True, help="format")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: RUN with the format's ending, beside it"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    from ..exports.export import ENDINGS, export

    name = options.run.name.removesuffix(".h5") + ENDINGS[options.to]
    path = options.output or options.run.with_name(name)
    try:
        export(options.run, options.to, path)
    except OSError as error:
        # Where to write is the user's to say.
        return fail(_NAME, system_reason(error), 2)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
