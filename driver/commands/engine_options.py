"""The options by which a command takes its reference code."""

from argparse import ArgumentParser


def add_engine_options(parser: ArgumentParser, what: str) -> None:
    """`--engine` and `--nwchem`; what: what the engine does, for the help."""
    parser.add_argument(
        "--engine", choices=("pyscf", "nwchem"), default="pyscf", help=f"{what} (default %(default)s)"
    )
    parser.add_argument(
        "--nwchem",
        metavar="COMMAND",
        help="how to run NWChem, e.g. 'mpirun -np 4 nwchem' (default: NWCHEM_COMMAND, else nwchem)",
    )
