"""`hybrid-atomic solve`: options to an atom, the atom to tables, JSON and figures."""

import argparse
import json
from collections.abc import Callable
from dataclasses import fields

from ..solver.configuration import parse_configuration
from ..solver.elements import atomic_number
from ..solver.energies import Iteration
from ..solver.errors import InputError
from ..solver.mesh import around_nucleus, spectral_mesh
from ..solver.model import Model
from ..solver.scf import solve_atom
from ..solver.uniform import UniformGrid, solve_uniform
from .presets import PRESETS
from .progress import convergence_display
from .report import Atom, as_dict, energy_table, orbital_table

_GRID = ("r_max", "num_points", "l_max", "states_per_l", "density_mixing", "density_tolerance")
_MESH = ("r_max", "order", "growth")


def run(options: argparse.Namespace) -> int:
    """Solves, prints, plots. Raises InputError and ConvergenceError."""
    if options.plot and options.plot.suffix not in (".png", ".pdf", ".svg"):
        raise InputError(f"cannot plot to {options.plot}: give a .png, .pdf or .svg file")
    with convergence_display() as on_iteration:
        atom = solve_options(options, on_iteration)
    if options.json:
        print(json.dumps(as_dict(atom), indent=2))
    else:
        from rich.console import Console

        console = Console()
        console.print(orbital_table(atom))
        console.print(energy_table(atom))
    if options.plot:
        from .plots import plot_atom

        plot_atom(atom, options.plot)
    return 0


def solve_options(options: argparse.Namespace, on_iteration: Callable[[Iteration], None] | None) -> Atom:
    """The atom that parsed options describe; what a preset says, an option given overrides."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    settings = {**PRESETS[options.preset], **given} if options.preset else given
    if "element" not in settings:
        raise InputError("no element: give a symbol or atomic number, or --preset NAME")
    model = Model(**{f.name: settings[f.name] for f in fields(Model) if f.name in settings})
    if "zeta" in settings and "spin" not in settings:
        model = Model(**{**vars(model), "spin": True})
    element, charge = settings["element"], settings.get("charge", 0)
    text = settings.get("configuration")
    configuration = parse_configuration(text) if text else None
    uniform = settings.get("mesh") == "uniform"
    wrong = [n for n in (set(_MESH) - set(_GRID) if uniform else set(_GRID) - set(_MESH)) if n in settings]
    if wrong:
        option = "--" + sorted(wrong)[0].replace("_", "-")
        raise InputError(f"{option} belongs to the {'spectral' if uniform else 'uniform'} mesh")
    if uniform:
        grid = UniformGrid(**{name: settings[name] for name in _GRID if name in settings})
        return solve_uniform(element, charge, configuration, model, grid, on_iteration)
    z = float(atomic_number(element))
    chosen = {name: settings[name] for name in _MESH if name in settings}
    mesh = around_nucleus(spectral_mesh(z, model.relativity != "none", **chosen), model.nuclear_edge(z))
    return solve_atom(element, charge, configuration, model, mesh, on_iteration)
