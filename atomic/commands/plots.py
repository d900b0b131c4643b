"""Figures of one atom: radial functions, densities with their tails."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..solver.elements import LETTERS, SYMBOLS
from ..solver.scf import Solution
from ..starting_density import evaluate
from ..whole_file import whole_file
from .report import Atom

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"s": "#1b5e9b", "p": "#c8461e", "d": "#2f8f4e", "f": "#7b4fa3", "g": "#8a6d1f"}
# By the number of nodes; from four on the dashes repeat, thinner.
_DASHES, _THICK = ("-", "--", ":", "-."), (1.6, 0.7, 2.6)
# Beside the panel: a heavy atom's curves leave no room inside.
_BESIDE: dict[str, Any] = {
    **{"frameon": False, "fontsize": 8, "loc": "upper left"},
    **{"bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2, "handlelength": 2.6, "labelspacing": 0.1},
}


def plot_atom(atom: Atom, path: Path) -> None:
    """Writes a figure (PNG, PDF or SVG by suffix):
    P(r) of the occupied orbitals, 4πr²n, and n on a log scale.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (top, middle, bottom) = plt.subplots(3, 1, figsize=(7.2, 10.5), constrained_layout=True)
    _orbitals(top, atom)
    r = np.geomspace(_inner(atom), atom.radius[-1], 2000)
    # r²n is smooth at a point nucleus, where a relativistic n is infinite.
    density = np.stack([_resampled(atom, atom.radius**2 * values, r) / r**2 for values in atom.density])
    names = ("up", "down") if atom.model.spin else ("density",)
    for values, name, style in zip(density, names, ("-", "--"), strict=False):
        middle.plot(r, 4 * np.pi * r**2 * values, style, color="#333333", label=name)
        bottom.plot(r, np.maximum(values, 1e-30), style, color="#333333", label=name)
    middle.set(xscale="log", xlabel="r / bohr", ylabel=r"$4\pi r^2 n$ / bohr$^{-1}$", title="Radial density")
    total = density.sum(axis=0)
    edge = r[np.flatnonzero(total > 1e-12)[-1]]
    bottom.set(yscale="log", xlim=(0, edge), ylim=(1e-12, 3 * total.max()), xlabel="r / bohr")
    bottom.set(ylabel=r"$n$ / bohr$^{-3}$", title="Density: cusp and tail")
    middle.set_xlim(_inner(atom), edge)
    if atom.model.spin:
        middle.legend(**_BESIDE)
    for axes in (top, middle, bottom):
        axes.grid(alpha=0.25, linewidth=0.5)
    figure.suptitle(f"{SYMBOLS[int(atom.z) - 1]}   E = {atom.energies.total:.6f} Ha")
    with whole_file(path) as part:
        figure.savefig(part, format=path.suffix[1:], dpi=150)
    plt.close(figure)


def _orbitals(axes: "Axes", atom: Atom) -> None:
    r = atom.radius
    fine = np.geomspace(_inner(atom), r[-1], 1500)
    for o, values in zip(atom.orbitals, atom.radial_functions, strict=True):
        if o.occupation == 0 or (o.j is not None and o.j < o.l) or o.spin == 1:
            continue
        again, dash = divmod(o.n - o.l - 1, len(_DASHES))
        look = {"color": COLOURS[LETTERS[o.l]], "linestyle": _DASHES[dash], "linewidth": _THICK[again]}
        axes.plot(fine, _resampled(atom, values, fine), label=o.label, **look)
    shown = np.flatnonzero(atom.density.sum(axis=0) * r**2 > 1e-5)[-1]
    axes.set(xscale="log", xlim=(_inner(atom), r[shown]), xlabel="r / bohr", ylabel=r"$P(r)$ / bohr$^{-1/2}$")
    axes.set_title("Radial functions")
    axes.legend(**_BESIDE)


def _inner(atom: Atom) -> float:
    return max(float(atom.radius[0]), 2e-2 / atom.z)


def _resampled(atom: Atom, values: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Values between nodes: the element's own polynomial, not a chord, on the spectral mesh."""
    if not isinstance(atom, Solution):
        return np.interp(r, atom.radius, values)
    return evaluate(atom.mesh, values, r)
