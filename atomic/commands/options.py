"""The options of `hybrid-atomic`, read from a shell or at its prompt."""

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ..arguments import CommandParser
from ..solver.errors import InputError
from .presets import PRESETS


def parse_solve(words: list[str]) -> argparse.Namespace:
    """Options of `solve` from words typed at a prompt. Raises InputError instead of leaving the program."""
    try:
        return command_parser(exit_on_error=False).parse_args(["solve", *words])
    except (argparse.ArgumentError, SystemExit) as error:
        raise InputError(f"cannot read {' '.join(words)!r}: {error}") from None


def command_parser(exit_on_error: bool = True) -> CommandParser:
    """All commands; exit_on_error: leave the program with a message, else raise."""
    parser = CommandParser(prog="hybrid-atomic", description="Density-functional theory of one atom.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    solve = commands.add_parser(
        "solve",
        exit_on_error=exit_on_error,
        help="total energy, eigenvalues and density of one atom",
        description="Solves the radial Kohn-Sham equations of one atom.",
        epilog="example: hybrid-atomic solve Fe --xc vwn --spin --relativity scalar --json",
    )
    solve.add_argument("element", nargs="?", help="symbol or atomic number")
    solve.add_argument(
        "--preset", metavar="NAME", choices=PRESETS, help="a ready-made case: " + ", ".join(PRESETS)
    )
    solve.add_argument("--charge", type=int, metavar="Q", help="ion charge")
    solve.add_argument(
        "--configuration", metavar="TEXT", help='as "[Ar] 3d6 4s2"; fractions and moments allowed'
    )
    add_model_options(solve)
    mesh = solve.add_argument_group("mesh")
    mesh.add_argument(
        "--mesh", choices=("spectral", "uniform"), help="spectral elements, or the textbook grid"
    )
    mesh.add_argument("--r-max", type=float, metavar="BOHR", help="end of the mesh (50; uniform 20)")
    mesh.add_argument("--order", type=int, metavar="P", help="spectral: order of elements (18 or 20)")
    mesh.add_argument("--growth", type=float, metavar="X", help="spectral: ratio of element edges (3.3)")
    mesh.add_argument("--num-points", type=int, metavar="N", help="uniform: grid points (4000)")
    mesh.add_argument("--l-max", type=int, metavar="L", help="uniform: highest angular momentum computed")
    mesh.add_argument("--states-per-l", type=int, metavar="N", help="uniform: states of each l")
    mesh.add_argument(
        "--density-mixing", type=float, metavar="A", help="uniform: share of the new density (0.3)"
    )
    mesh.add_argument("--density-tolerance", type=float, metavar="X", help="uniform: on max|dn|/max n (1e-6)")
    solve.add_argument("--json", action="store_true", help="JSON instead of tables")
    solve.add_argument("--plot", type=Path, metavar="FILE", help="orbitals and density as PNG, PDF or SVG")
    solve.set_defaults(run=_run("solve"))

    study = commands.add_parser(
        "study",
        help="energies of many configurations, their dynamics, figures",
        description="Runs the configuration study; a second run on the same folder resumes it.",
    )
    study.add_argument("--z", default="1-10", metavar="A-B", help="range of atomic numbers (1-10)")
    study.add_argument(
        "--count", type=int, default=10, metavar="N", help="configurations of each element (10)"
    )
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for data and figures")
    study.add_argument("--workers", type=int, default=2, metavar="N", help="parallel processes (2)")
    study.add_argument("--no-pyscf", action="store_true", help="leave out the PySCF energies of Z <= 10")
    study.set_defaults(run=_run("study"))

    presets = commands.add_parser("presets", help="list the ready-made cases of solve")
    presets.set_defaults(run=_list_presets)

    console = commands.add_parser(
        "console", help="a prompt: atoms with live convergence, tables and density plots"
    )
    console.set_defaults(run=_run("console"))
    return parser


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """The options that make a `Model`; None where not given."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--xc", metavar="NAME", help="vwn (default), pz, or the libxc name of an LDA correlation"
    )
    group.add_argument("--spin", action="store_true", default=None, help="spin-polarised (LSDA)")
    group.add_argument("--zeta", type=float, metavar="Z", help="(N_up - N_down)/N instead of Hund's rule")
    group.add_argument("--relativity", choices=("none", "scalar", "dirac"), help="equation (none)")
    group.add_argument("--nucleus", choices=("point", "sphere", "fermi"), help="charge distribution (point)")
    group.add_argument("--mass-number", type=float, metavar="A", help="of sphere and fermi (most stable)")
    for term in ("hartree", "exchange", "correlation"):
        group.add_argument(
            f"--no-{term}", dest=f"use_{term}", action="store_false", default=None, help=f"switch {term} off"
        )


def _run(module: str) -> Callable[[argparse.Namespace], int]:
    """Imports the numerics only when a command runs, so that --help is quick."""

    def run(options: argparse.Namespace) -> int:
        return import_module(f".{module}", __package__).run(options)

    return run


def _list_presets(_: argparse.Namespace) -> int:
    for name, preset in PRESETS.items():
        print(f"{name:18s}{preset['about']}")
    return 0
