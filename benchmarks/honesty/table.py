"""Counts and picture of what `measure.py` has found.

python benchmarks/honesty/table.py results.jsonl honesty.png
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from hybrid_propagate.driver.bench.tables import markdown

Row = dict[str, Any]
HALVES = ("fit", "test", "weak", "late", "oblique", "driven")


def main() -> None:
    """Print the tables, draw the picture."""
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    failed = [row for row in rows if "failed" in row]
    rows = [row for row in rows if "failed" not in row]
    # Helium in s functions answers no field: its error is 0, and stated over true no number.
    still = [row for row in rows if float(row["true"]) == 0.0]
    rows = [row for row in rows if float(row["true"]) > 0.0]
    halves = [
        ("all", rows),
        *((h, [r for r in rows if r["half"] == h]) for h in HALVES),
    ]
    header = ["runs", "n", "true ≤ stated", "meets: claims", "of them true", "stated 0"]
    header += ["median stated/true", "90 % below", "builds", "reference alone", "worst share"]
    print(markdown(header, [counts(name, some) for name, some in halves if some]))
    kinds: list[tuple[str, Callable[[Row], object]]] = [
        ("tolerance", lambda r: f"{r['tolerance']:.0e}"),
        ("surrogate", lambda r: f"{r['engine']}, {r['surrogate']}"),
        ("xc", lambda r: r["xc"]),
        ("field", lambda r: r["field"]),
    ]
    for name, of in kinds:
        groups = sorted({str(of(row)) for row in rows})
        found = [counts(group, [row for row in rows if str(of(row)) == group]) for group in groups]
        print(f"\nBy {name}\n\n" + markdown(header, found))
    for row in rows:
        if float(row["true"]) > float(row["stated"]):
            print(
                "low:",
                {key: row[key] for key in ("name", "engine", "surrogate", "tolerance", "true", "stated")},
            )
    print(f"{len(still)} runs in which nothing moves are left out")
    print(f"{len(failed)} runs failed", *(row["failed"] for row in failed), sep="\n")
    draw(rows, Path(sys.argv[2]))


def counts(name: str, rows: Sequence[Row]) -> list[str]:
    """One row of a table."""
    true, stated, tolerance, builds, alone = (
        np.array([float(row[key]) for row in rows])
        for key in ("true", "stated", "tolerance", "fock_builds", "reference_builds")
    )
    met = np.array([bool(row["tolerance_met"]) for row in rows])
    covered = true <= stated
    ratio = stated / np.maximum(true, 1e-300)
    return [
        name,
        str(len(rows)),
        f"{covered.sum()} ({100 * covered.mean():.1f} %)",
        str(met.sum()),
        str((true[met] <= tolerance[met]).sum()),
        str(((stated == 0.0) & (true > 0.0)).sum()),
        f"{np.median(ratio):.1f}",
        f"{np.quantile(ratio, 0.9):.0f}",
        f"{builds.sum():.0f}",
        f"{alone.sum():.0f}",
        f"{(builds / alone).max():.2f}",
    ]


def draw(rows: Sequence[Row], path: Path) -> None:
    """Stated against true, each group in its colour."""
    figure, axes = plt.subplots(figsize=(5.2, 4.6), layout="constrained")
    ends = np.array([1e-8, 3e-2])
    axes.loglog(ends, ends, color="0.3", linewidth=1.0)
    axes.loglog(ends, 5.0 * ends, color="0.7", linewidth=0.8, linestyle="--")
    for half, colour in (("fit", "#9aa5b1"), ("test", "#b3432b"), ("weak", "#2b6cb0"), ("late", "#2f855a")):
        some = [row for row in rows if row["half"] == half]
        if not some:
            continue
        x = [max(float(row["true"]), 1e-8) for row in some]
        y = [float(row["stated"]) for row in some]
        axes.plot(x, y, "o", markersize=3.5, alpha=0.7, color=colour, label=f"{half}: {len(some)} runs")
    axes.set(xlabel="true trajectory error", ylabel="stated", xlim=ends, ylim=(5e-7, 3e-2))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
