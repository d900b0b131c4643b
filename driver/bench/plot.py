"""The benchmark's figure: trajectory error against Fock builds, one panel a case."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from ...atomic.whole_file import whole_file
from .tables import EXTRAPOLATING, TARGETS, CaseResult, of_method

#: Method: colour (Okabe and Ito's, told apart by everyone) and marker.
_LOOKS = {
    "hybrid": ("#0072B2", "o"),
    EXTRAPOLATING[0]: ("#D55E00", "s"),
    EXTRAPOLATING[1]: ("#009E73", "^"),
    "larger step": ("#CC79A7", "D"),
}


def plot_errors(results: Sequence[CaseResult], path: Path) -> None:
    """Write the figure. Raises OSError."""
    columns = min(2, len(results))
    rows = math.ceil(len(results) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.6 * columns, 3.0 * rows + 0.5), squeeze=False, layout="constrained"
    )
    for axis, result in zip(axes.flat, results, strict=False):
        for method, (colour, marker) in _LOOKS.items():
            entries = of_method(result.measured.entries, method)
            points = sorted((e.builds or 0, e.score.trajectory_error) for e in entries)
            if points:
                axis.plot(*zip(*points, strict=True), marker, color=colour, label=method, markersize=4)
        for target in TARGETS:
            axis.axhline(target, color="0.7", linewidth=0.8)
        axis.axvline(result.measured.reference.builds or 1, color="0.4", linestyle=":", linewidth=1.0)
        axis.set(xscale="log", yscale="log", title=result.name.replace("_", " "))
        axis.set_ylim(top=3.0)
    for axis in axes.flat[max(len(results) - columns, 0) : len(results)]:
        axis.set_xlabel("Fock builds (dotted: whole run)", fontsize=9)
    for axis in axes[:, 0]:
        axis.set_ylabel("trajectory error")
    for axis in axes.flat[len(results) :]:
        axis.set_visible(False)
    # Above all panels, of whatever method any case has: inside, it lies on points.
    named = {
        str(line.get_label()): line for axis in axes.flat for line in axis.get_legend_handles_labels()[0]
    }
    look = {"fontsize": 8, "frameon": False, "loc": "outside upper center"}
    figure.legend(named.values(), named.keys(), ncols=max(len(named), 1), **look)
    with whole_file(path) as part:
        figure.savefig(part, dpi=150, format="png")
    plt.close(figure)
