"""What a run says of itself at its end, on standard error."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def report(stem: Path, summary: Mapping[str, Any]) -> None:
    """A few lines: steps, Fock builds, error, speed, where the seconds went, files."""
    hybrid = summary["surrogate"] != "none"
    lines = [
        f"{stem.name}: {summary['steps']} steps, {summary['surrogate_steps']} of them by the surrogate; "
        f"{summary['fock_builds']} Fock builds "
        f"({summary['anchors']} anchors, {summary['refinements']} refinements), "
        f"{summary['rejected']} rejections"
    ]
    if hybrid:
        met = "meets" if summary["tolerance_met"] else "DOES NOT MEET"
        lines.append(
            f"  estimated trajectory error {summary['estimated_error']:.1e} {met} "
            f"--tol {summary['tolerance']:g} (bound {summary['error_bound']:.1e}); "
            f"energies within {summary['estimated_energy_error']:.1e} Ha"
        )
    seconds = ", ".join(f"{what} {value:.2f}" for what, value in summary["seconds"].items())
    lines.append(f"  {summary['wall_seconds']:.2f} s: {seconds}")
    if summary.get("nwchem"):
        split = ", ".join(f"{what} {value:.2f}" for what, value in summary["nwchem"]["split"].items())
        lines.append(f"  of which in {split}")
    if summary.get("nwchem", {}).get("response"):
        lines.append(f"  response by {summary['nwchem']['response']}")
    if hybrid and summary["speedup"] is not None:
        lines.append(
            f"  reference steps alone would take {summary['estimated_reference_seconds']:.0f} s: "
            f"{summary['speedup']:.0f} times as long"
        )
    lines.append(f"  {stem}.h5  {stem}.json  {stem}.png")
    print("\n".join(lines), file=sys.stderr)
