"""`hybrid-atomic console`:
a prompt that solves atoms with live convergence and draws them in the terminal.
"""

import argparse
import shlex

import numpy as np

from ..solver.elements import atomic_number
from ..solver.errors import ConvergenceError, InputError
from .options import parse_solve
from .progress import convergence_display
from .report import Atom, energy_table, orbital_table
from .solve import solve_options

_HELP = (
    "an atom and options as in `hybrid-atomic solve`:  Fe --spin --relativity scalar  or  --preset iron\n"
    "density: draw 4 pi r^2 n of the last atom   energies: its energy terms   help   quit"
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
        elif line in ("density", "energies"):
            if atom is None:
                console.print("no atom yet", style="red")
            elif line == "energies":
                console.print(energy_table(atom))
            else:
                console.print(draw_density(atom), markup=False, highlight=False)
        else:
            try:
                atom = _solve(line)
                console.print(orbital_table(atom))
                console.print(f"E = {atom.energies.total:.8f} Ha")
            except (InputError, ConvergenceError) as error:
                console.print(str(error), style="red", markup=False)


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


def _solve(line: str) -> Atom:
    options = parse_solve(shlex.split(line))
    if options.element is not None:
        atomic_number(options.element)
    with convergence_display() as on_iteration:
        return solve_options(options, on_iteration)
