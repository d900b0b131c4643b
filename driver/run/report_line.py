"""What a run says of itself at its end, on standard error."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..estimate.statement import digits_apart
from ..page.speed import speed_words


def report(stem: Path, summary: Mapping[str, Any]) -> None:
    """A few lines: steps, Fock builds, error, speed, where the seconds went, files."""
    hybrid = summary["surrogate"] != "none"
    lines = [
        f"{stem.name}: {summary['steps']} steps, {summary['surrogate_steps']} of them by the surrogate; "
        f"{summary['fock_builds']} Fock builds "
        f"({_counted(summary['anchors'], 'anchor')}, {_counted(summary['refinements'], 'refinement')}), "
        f"{_counted(summary['rejected'], 'rejection')}"
    ]
    if hybrid:
        met = "meets" if summary["tolerance_met"] else "DOES NOT MEET"
        error, tolerance = summary["estimated_error"], summary["tolerance"]
        digits = digits_apart(error, tolerance)
        held = f"holds in {100 * summary['error_confidence']:.0f} % of runs"
        lines.append(
            f"  trajectory error at most {error:.{digits - 1}e} "
            f"{met} --tol {tolerance:g} (upper estimate, {held}, from "
            f"{summary['error_measurements']} drawn points; first-order bound {summary['error_bound']:.1e})"
        )
        lines.append(f"  total energies within {summary['estimated_energy_error']:.1e} Ha")
    seconds = ", ".join(f"{what} {value:.2f}" for what, value in summary["seconds"].items())
    lines.append(f"  {summary['wall_seconds']:.2f} s: {seconds}")
    if summary.get("nwchem"):
        split = ", ".join(f"{what} {value:.2f}" for what, value in summary["nwchem"]["split"].items())
        lines.append(f"  of which in {split}")
    if summary.get("nwchem", {}).get("response"):
        lines.append(f"  response by {summary['nwchem']['response']}")
    if summary.get("nwchem", {}).get("resumed_dipole"):
        apart = summary["nwchem"]["resumed_dipole"]
        lines.append(f"  taken up amid the run: dipoles within {apart:.1e} au of a run that was not stopped")
    if hybrid and (speed := speed_words(summary["speedup"])):
        lines.append(f"  reference steps alone, by processor time: {speed}")
    figure = f"  {stem}.png" if stem.with_name(f"{stem.name}.png").exists() else ""
    lines.append(f"  {stem}.h5  {stem}.json{figure}")
    print("\n".join(lines), file=sys.stderr)


def _counted(number: int, word: str) -> str:
    """The number and the word, in the plural but for one."""
    return f"{number} {word}{'' if number == 1 else 's'}"
