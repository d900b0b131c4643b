"""An atom as JSON and as tables for the terminal."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from ..solver.elements import SYMBOLS
from ..solver.scf import Solution
from ..solver.uniform import UniformSolution
from ..units import EV_PER_HARTREE

if TYPE_CHECKING:
    from rich.table import Table

Atom = Solution | UniformSolution


def as_dict(atom: Atom) -> dict[str, object]:
    """Everything but the arrays: energies in Hartree, eigenvalues by orbital (and spin)."""
    electrons = sum(o.occupation for o in atom.orbitals)
    eigenvalues: dict[str, object] = {}
    occupations: dict[str, object] = {}
    for o, level in zip(atom.orbitals, atom.levels, strict=True):
        if atom.model.spin:
            for table, value in ((eigenvalues, float(level)), (occupations, o.occupation)):
                entry = table.setdefault(o.label, {})
                assert isinstance(entry, dict)
                entry["down" if o.spin else "up"] = value
        else:
            eigenvalues[o.label], occupations[o.label] = float(level), o.occupation
    return {
        "element": SYMBOLS[int(atom.z) - 1],
        "z": int(atom.z),
        "electrons": electrons,
        "charge": atom.z - electrons,
        "model": asdict(atom.model),
        **atom.energies.as_dict(),
        "eigenvalues": eigenvalues,
        "occupations": occupations,
        "iterations": atom.iterations,
        "mesh": {
            "kind": "spectral" if isinstance(atom, Solution) else "uniform",
            "points": len(atom.radius),
            "r_max": _r_max(atom),
        },
    }


def orbital_table(atom: Atom) -> "Table":
    """Orbitals with occupation, eigenvalue in Hartree and eV, mean radius."""
    from rich.table import Table

    table = Table(title=_title(atom), title_justify="left")
    for name in ("orbital", "spin", "occupation", "eigenvalue / Ha", "eigenvalue / eV", "<r> / bohr"):
        table.add_column(name, justify="left" if name in ("orbital", "spin") else "right")
    for o, level, radius in zip(atom.orbitals, atom.levels, _mean_radii(atom), strict=True):
        spin = ("up", "down")[o.spin] if atom.model.spin else ""
        table.add_row(
            o.label,
            spin,
            f"{o.occupation:g}",
            f"{level:.6f}",
            f"{level * EV_PER_HARTREE:.3f}",
            f"{radius:.4f}",
        )
    return table


def energy_table(atom: Atom) -> "Table":
    """The total energy and its parts."""
    from rich.table import Table

    table = Table(title="Energies / Ha", title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    for name, value in atom.energies.as_dict().items():
        table.add_row(name.replace("_", " "), f"{value:.8f}", style="bold" if name == "total_energy" else "")
    return table


def _r_max(atom: Atom) -> float:
    return atom.mesh.r_max if isinstance(atom, Solution) else float(atom.radius[-1] + atom.radius[0])


def _mean_radii(atom: Atom) -> list[float]:
    if isinstance(atom, Solution):
        return [float(q @ atom.radius) for q in atom.states.charges]
    step = atom.radius[0]
    return [float((u**2 @ atom.radius) * step) for u in atom.radial_functions]


def _title(atom: Atom) -> str:
    model = atom.model
    equation = {"none": "Schrödinger", "scalar": "scalar-relativistic", "dirac": "Dirac"}[model.relativity]
    electrons = sum(o.occupation for o in atom.orbitals)
    charge = f", charge {atom.z - electrons:+g}" if abs(atom.z - electrons) > 1e-9 else ""
    theory = "LSDA" if model.spin else "LDA"
    return (
        f"{SYMBOLS[int(atom.z) - 1]}{charge}: {theory} ({model.xc}), {equation}, {atom.iterations} iterations"
    )
