"""Figures of the configuration study."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..solver.configuration import Configuration, Shell, ground_configuration
from ..solver.elements import NOBLE_GASES, SYMBOLS
from ..units import EV_PER_HARTREE
from ..whole_file import whole_file
from .configuration_space import order_parameters
from .move_graph import descents
from .occupation_flow import Trajectory
from .study import Record, neutral_energies

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HALF_FILLED = {
    7: "N",
    15: "P",
    24: "Cr",
    25: "Mn",
    33: "As",
    42: "Mo",
    43: "Tc",
    51: "Sb",
    63: "Eu",
    75: "Re",
    83: "Bi",
}
# Portraits in one figure; of more elements, those that a trajectory starts in.
_MOST_PORTRAITS = 9
# Elements whose symbols have room under an axis.
_MOST_NAMED = 20
#: Inches: letters of 10 points are still 7 pixels high on a screen of 380.
_WIDTH = 7.2
_BLUE, _RED, _GREY, _GREEN = "#1b5e9b", "#c8461e", "#8a8a8a", "#2f8f4e"


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {"axes.grid": True, "grid.alpha": 0.25, "grid.linewidth": 0.5, "legend.frameon": False}
    )
    return plt


def phase_portraits(records: list[Record], paths: list[tuple[int, Trajectory]], path: Path) -> None:
    """(n_eff, l_eff) of each neutral configuration, the discrete descents and the continuous flow, by
    element.
    """
    plt = _pyplot()
    shown = [z for z in sorted({r.z for r in records}) if neutral_energies(records, z)]
    if len(shown) > _MOST_PORTRAITS:
        shown = [z for z in shown if z <= 18 and any(z == number for number, _ in paths)]
    if not shown:
        return
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    figure, grid = plt.subplots(
        rows,
        columns,
        # Title and caption take the last inch and more.
        figsize=(_WIDTH, 0.45 * _WIDTH * rows + 1.2),
        constrained_layout=True,
        squeeze=False,
    )
    image = None
    for axes, z in zip(grid.flat, shown, strict=False):
        image = _portrait(axes, z, neutral_energies(records, z), [t for number, t in paths if number == z])
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    bar = figure.colorbar(image, ax=grid, shrink=0.8)
    bar.set_label("energy above the lowest / eV")
    figure.suptitle("How an atom's electrons rearrange")
    _caption(
        figure,
        "Each dot is one way to place the electrons: n_eff and l_eff are the means of n and l over all "
        "electrons, the colour is the energy. An arrow moves or flips the one electron that lowers the "
        "energy most. The red line follows fractional electrons downhill from the open circle. The star "
        "is the measured ground state. Where arrows and line end is an attractor.",
    )
    _written(figure, path)


def _written(figure: Any, path: Path) -> None:
    with whole_file(path) as part:
        figure.savefig(part, format="png", dpi=150)
    _pyplot().close(figure)


def _caption(figure: Any, text: str) -> None:
    """Below the axes, in lines as wide as the figure."""
    width = int(14.5 * figure.get_figwidth())
    figure.supxlabel(textwrap.fill(text, width), x=0.01, ha="left", fontsize=9, color="#444444")


def _portrait(
    axes: "Axes", z: int, energies: dict[Configuration, float], trajectories: list[Trajectory]
) -> Any:
    from matplotlib.colors import LogNorm

    # Where several share a place, the lowest lies on top.
    energies = dict(sorted(energies.items(), key=lambda item: -item[1]))
    points = {c: _place(c) for c in energies}
    lowest = min(energies.values())
    x, y = np.array(list(points.values())).T
    above = np.array([(e - lowest) * EV_PER_HARTREE for e in energies.values()])
    for start, end in descents(energies).items():
        if start != end and points[start] != points[end]:
            style = {"arrowstyle": "->", "color": _GREY, "lw": 0.6, "alpha": 0.6, "shrinkA": 3, "shrinkB": 3}
            arrow = axes.annotate("", points[end], points[start], arrowprops=style)
            if arrow.arrow_patch is not None:
                arrow.arrow_patch.set_clip_box(axes.bbox)
    image = axes.scatter(
        x, y, c=np.clip(above, 0.3, None), cmap="viridis_r", norm=LogNorm(0.3, 1000), s=26, zorder=3
    )
    for t in trajectories:
        track = np.array([_place(_as_configuration(t, f)) for f in t.occupations])
        axes.plot(track[:, 0], track[:, 1], color=_RED, lw=1.6, zorder=4)
        axes.plot(*track[0], "o", mfc="white", mec=_RED, ms=6, zorder=5)
    ground = ground_configuration(z)
    axes.plot(*_place(ground), "*", color="gold", mec="black", ms=15, zorder=6)
    axes.set(title=f"{SYMBOLS[z - 1]}   {ground}", xlabel=r"$n_\mathrm{eff}$", ylabel=r"$l_\mathrm{eff}$")
    spread = sorted(x[above < 60]) if (above < 60).sum() > 3 else sorted(x)
    axes.set_xlim(min(spread) - 0.08, max(spread) + 0.12)
    return image


def _place(configuration: Configuration) -> tuple[float, float]:
    parameters = order_parameters(configuration)
    return parameters["n_eff"], parameters["l_eff"]


def _as_configuration(trajectory: Trajectory, occupations: np.ndarray) -> Configuration:
    """Its shells, whole electrons as whole numbers, so that a closed core is named by its noble gas."""
    shells: dict[tuple[int, int], float] = {}
    for o, f in zip(trajectory.orbitals, occupations, strict=True):
        shells[o.n, o.l] = shells.get((o.n, o.l), 0.0) + float(f)
    return Configuration(
        tuple(Shell(n, k, round(f, 9)) for (n, k), f in sorted(shells.items()) if round(f, 9))
    )


def energy_landscape(records: list[Record], elements: list[int], path: Path) -> None:
    """Energies of all neutral configurations above the lowest, by element."""
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(_WIDTH, 5), constrained_layout=True)
    image = None
    found = {z: energies for z in elements if (energies := neutral_energies(records, z))}
    most = max((abs(c.moment) / 2 for energies in found.values() for c in energies), default=0.0)
    for z, energies in found.items():
        lowest = min(energies.values())
        above = np.array([(e - lowest) * EV_PER_HARTREE for e in energies.values()])
        spin = np.array([c.moment / 2 for c in energies])
        image = axes.scatter(
            np.full(len(above), z),
            np.maximum(above, 0.02),
            c=np.abs(spin),
            cmap="plasma_r",
            vmin=0,
            vmax=max(most, 1.0),
            s=9,
        )
    axes.set(yscale="log", xlabel="Z", ylabel="energy above the lowest configuration / eV")
    _mark_noble_gases(axes, elements)
    _element_axis(axes, elements)
    if image is not None:
        figure.colorbar(image, ax=axes, label="S")
    axes.set_title("Neutral configurations by energy", pad=16)
    _caption(
        figure,
        "Each dot is one configuration, its colour the total spin S. The lowest of each element stands at"
        " the bottom, at 0.02 eV. The larger the empty height above it, the more firmly the atom keeps "
        "it.",
    )
    _written(figure, path)


def stability_by_element(rows: list[dict[str, Any]], path: Path) -> None:
    """Gap to the first open spin-orbital and the largest rate of the flow, LSDA and LDA, by element."""
    plt = _pyplot()
    ground = [r for r in rows if r["configuration"] == str(ground_configuration(r["z"]))]
    spin, restricted = ([r for r in ground if r["spin"] == s] for s in (True, False))
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(_WIDTH, 7.5), sharex=True, constrained_layout=True)
    for chosen, colour, name, style in ((restricted, _GREY, "LDA", "s"), (spin, _BLUE, "LSDA", "o")):
        z = [r["z"] for r in chosen]
        top.plot(
            z,
            [r["gap"] * EV_PER_HARTREE for r in chosen],
            "-",
            color=colour,
            lw=1,
            marker=style,
            ms=4,
            label=name,
        )
        bottom.plot(
            z,
            [r["largest_rate"] * EV_PER_HARTREE for r in chosen],
            "-",
            color=colour,
            lw=1,
            marker=style,
            ms=3,
            label=name,
        )
    for r in spin:
        _name_closed_shell(top, r)
        bottom.plot(
            r["z"],
            r["largest_rate"] * EV_PER_HARTREE,
            "o",
            ms=5,
            color=_GREEN if r["stable"] else _RED,
            zorder=4,
        )
    top.set(
        ylabel="gap / eV",
        title="Gap to the first spin-orbital with room",
    )
    highest = max((r["gap"] for r in spin), default=0.0) * EV_PER_HARTREE
    top.set_ylim(-0.05 * highest, max(1.2 * highest, 0.1))
    top.legend(loc="best")
    bottom.axhline(0, color="black", lw=0.8)
    bottom.set(xlabel="Z", ylabel="largest rate / eV")
    _element_axis(bottom, [r["z"] for r in spin])
    bottom.set_title("Largest rate of the flow at the measured configuration")
    bottom.legend()
    _caption(
        figure,
        "Above: what the cheapest move of an electron to a free place costs; zero where a shell is open. "
        "Below: how fast the fastest-growing rearrangement grows. Below the line all die out, and the "
        "measured configuration is an attractor (green); above it the electrons rearrange (red).",
    )
    _written(figure, path)


def _name_closed_shell(axes: Any, row: dict[str, Any]) -> None:
    """The symbol above the gap of a noble gas, or of an atom with a half-filled shell."""
    at = (row["z"], row["gap"] * EV_PER_HARTREE)
    if row["symbol"] in NOBLE_GASES:
        axes.annotate(row["symbol"], at, (0, 5), textcoords="offset points", ha="center")
    elif row["z"] in _HALF_FILLED:
        above = {"textcoords": "offset points", "ha": "center", "color": _RED, "fontsize": 9}
        axes.annotate(row["symbol"], at, (0, 7), **above)


def ionisation_by_element(rows: list[dict[str, Any]], path: Path) -> None:
    """First ionisation energies by ΔSCF and measured; below, the errors, where any is measured."""
    plt = _pyplot()
    z = np.array([r["z"] for r in rows])
    measured = np.array([np.nan if r["measured"] is None else r["measured"] for r in rows])
    some = bool(np.isfinite(measured).any())
    panels: dict[str, Any] = {"nrows": 2, "height_ratios": (2, 1)} if some else {"nrows": 1}
    figure, axes = plt.subplots(
        figsize=(_WIDTH, 7 if some else 5), sharex=True, squeeze=False, constrained_layout=True, **panels
    )
    top, bottom = axes[0, 0], axes[-1, 0]
    if some:
        top.plot(z, measured, "k-", lw=1, marker="o", ms=4, label="measured (NIST)")
        bottom.set(ylabel="error / eV")
    for key, colour, name in (("lda", _GREY, "LDA"), ("lsda", _RED, "LSDA")):
        values = np.array([r[key] for r in rows], float)
        error = values - measured
        known = np.abs(error[np.isfinite(error)])
        label = f"{name}: mean absolute error {known.mean():.2f} eV" if known.size else name
        top.plot(z, values, "--", color=colour, lw=1.2, marker=".", ms=4, label=label)
        if some:
            bottom.bar(z + (0.2 if key == "lsda" else -0.2), error, 0.4, color=colour)
    _name_ionised(top, rows)
    top.set(ylabel="first ionisation energy / eV")
    # Names stand above the highest point.
    top.margins(y=0.12)
    top.legend()
    bottom.set(xlabel="Z")
    _element_axis(bottom, list(z))
    _caption(
        figure,
        "What it takes to remove one electron: energy of the cation less that of the atom. Noble gases "
        "(black names) and half-filled shells (red names) hold theirs firmly; without spin (LDA) the "
        "latter do not.",
    )
    _written(figure, path)


def _name_ionised(axes: Any, rows: list[dict[str, Any]]) -> None:
    """Symbols of noble gases and half-filled shells, above all that is drawn of them."""
    from matplotlib.patheffects import withStroke

    noble = {z: name for name, z in NOBLE_GASES.items()}
    for row in rows:
        name = noble.get(row["z"]) or _HALF_FILLED.get(row["z"])
        drawn = [float(row[key]) for key in ("measured", "lda", "lsda") if row[key] is not None]
        if name and drawn:
            colour = "black" if row["z"] in noble else _RED
            above = {"textcoords": "offset points", "ha": "center", "color": colour}
            text = axes.annotate(name, (row["z"], max(drawn)), (0, 5), **above)
            # Neighbours' lines may pass behind.
            text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def trajectories_in_time(paths: list[tuple[int, Trajectory]], path: Path) -> None:
    """Energy above the fixed point along each trajectory of the flow."""
    plt = _pyplot()
    if not paths:
        return
    figure, axes = plt.subplots(figsize=(_WIDTH, 6), constrained_layout=True)
    colours = plt.get_cmap("tab20")
    for i, (z, t) in enumerate(sorted(paths, key=lambda p: p[0])):
        above = np.maximum((t.energies - t.energies[-1]) * EV_PER_HARTREE, 1e-3)
        start = _as_configuration(t, t.occupations[0])
        axes.plot(
            t.times,
            above,
            color=colours(i % 20),
            marker=".",
            ms=3,
            lw=1,
            label=f"{SYMBOLS[z - 1]} {start}",
        )
    axes.set(yscale="log", xlabel="time / (1/Hartree)", ylabel="energy above the fixed point / eV")
    axes.set_title("The occupation flow runs downhill to a fixed point")
    _caption(
        figure,
        "Electrons flow from orbitals of high to orbitals of low energy, from the configuration named. "
        "The energy falls until the partly filled orbitals share one level. The axis ends at 1 meV.",
    )
    figure.legend(fontsize=8, loc="outside upper center", ncols=3)
    _written(figure, path)


def _element_axis(axes: "Axes", elements: list[int]) -> None:
    """Symbols under the numbers of a few elements, whole numbers under many."""
    from matplotlib.ticker import MaxNLocator

    # A symbol over the last element stays inside.
    beside = 0.8 + 0.012 * (max(elements) - min(elements))
    axes.set_xlim(min(elements) - beside, max(elements) + beside)
    if len(elements) <= _MOST_NAMED:
        axes.set_xticks(elements, [f"{z}\n{SYMBOLS[z - 1]}" for z in elements])
    else:
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def _mark_noble_gases(axes: "Axes", elements: list[int]) -> None:
    for name, z in NOBLE_GASES.items():
        if z in elements:
            axes.axvline(z, color=_GREY, lw=0.6, zorder=0)
            axes.annotate(
                name,
                (z, 1.0),
                (0, 2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
            )
