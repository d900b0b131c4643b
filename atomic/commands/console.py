"""`hybrid-atomic console`:
a prompt that solves atoms with live convergence and draws them in the terminal.
"""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..solver.elements import SYMBOLS, atomic_number
from ..solver.errors import ConvergenceError, InputError
from .options import parse_solve
from .progress import convergence_display
from .report import Atom, energy_table, orbital_table
from .solve import solve_options

if TYPE_CHECKING:
    from rich.console import Console

_HELP = (
    "an atom and options as in `hybrid-atomic solve`:  Fe --spin --relativity scalar  or  --preset iron\n"
    "density: draw 4 pi r^2 n of the last atom   energies: its energy terms\n"
    "plot [FILE]: its figure, a .png, .pdf or .svg   help   quit"
)


def run(_: argparse.Namespace) -> int:
    """Reads lines until `quit` or the end of input."""
    from rich.console import Console

    console = Console()
    console.print(_HELP, markup=False, highlight=False)
    atom: Atom | None = None
    while True:
        try:
            line = console.input("[bold]atom>[/bold] ").strip()
        except EOFError:
            return 0
        if line in ("quit", "exit"):
            return 0
        if line in ("", "help"):
            console.print(_HELP, markup=False, highlight=False)
            continue
        try:
            if line.split()[0] in ("density", "energies", "plot"):
                _show(console, line, atom)
            else:
                # As the command itself would be typed.
                command = line.split()[0] == "solve"
                atom = _solve(line.removeprefix("solve") if command else line)
                console.print(orbital_table(atom))
                console.print(f"E = {atom.energies.total:.8f} Ha")
        except (InputError, ConvergenceError) as error:
            console.print(str(error), style="red", markup=False)
        except BrokenPipeError:
            raise
        except OSError as error:
            console.print(f"{error.filename}: {error.strerror}", style="red", markup=False)


def _show(console: "Console", line: str, atom: Atom | None) -> None:
    """The last atom's density, energies or figure. Raises InputError, OSError."""
    what, *files = _words(line)
    if atom is None:
        raise InputError("no atom yet: solve one first, such as  Fe --spin")
    if len(files) > (what == "plot"):
        raise InputError(f"{what}: {files[-1]!r} is one word too many")
    if what == "energies":
        console.print(energy_table(atom))
    elif what == "density":
        console.print(draw_density(atom), markup=False, highlight=False)
    else:
        from .plots import plot_atom

        path = Path(files[0]) if files else Path(f"{SYMBOLS[int(atom.z) - 1]}.png")
        if path.suffix not in (".png", ".pdf", ".svg"):
            raise InputError(f"cannot plot to {path}: give a .png, .pdf or .svg file")
        plot_atom(atom, path)
        console.print(f"written: {path}", markup=False, highlight=False)


def draw_density(atom: Atom, width: int = 72, height: int = 14) -> str:
    """4πr²n over log r as text; the shells stand side by side."""
    radial = 4 * np.pi * atom.radius**2 * atom.density.sum(axis=0)
    outer = atom.radius[np.flatnonzero(radial > 1e-3)[-1]]
    r = np.geomspace(0.05 / atom.z, outer, width)
    heights = np.interp(r, atom.radius, radial)
    levels = np.round(heights / heights.max() * height).astype(int)
    rows = ["".join("█" if level >= row else " " for level in levels) for row in range(height, 0, -1)]
    left, right = f"r = {r[0]:.2g}", f"{r[-1]:.2g} bohr (log)"
    return "\n".join(
        [f"4 pi r^2 n, peak {heights.max():.1f}/bohr", *rows, left + right.rjust(width - len(left))]
    )


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise InputError(f"cannot read {line.strip()!r}: {str(error).lower()}") from None


def _solve(line: str) -> Atom:
    options = parse_solve(_words(line))
    if options.element is not None:
        atomic_number(options.element)
    with convergence_display() as on_iteration:
        return solve_options(options, on_iteration)
