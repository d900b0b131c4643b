"""The lines of a deck as a few lines of text."""

from collections.abc import Sequence

from ..page.lines import (
    Root,
    direction_words,
    kick_axes,
    nearest_root,
    shown_lines,
    time_step_shift,
    transition_words,
)
from ..spectra.lines import AbsorptionLine, KickedRun

#: The first line and the strongest are shown, so many of them.
MOST_SHOWN = 12
#: All strengths together are the electrons; above this share of them something is wrong.
MOST_OF_ELECTRONS = 1.05


def line_table(
    name: str, lines: Sequence[AbsorptionLine], runs: Sequence[KickedRun], roots: Sequence[Root]
) -> str:
    """The first and the strongest lines, ascending, and what the time step does to the strongest one."""
    axes = kick_axes(runs)
    kicks = f"kicks along {axes}" if len(runs) > 1 else f"a kick along {axes}"
    if not lines:
        return f"{name}: no line stands out of the error of {kicks}"
    shown = shown_lines(lines, MOST_SHOWN)
    of = f", the first and the {len(shown) - 1} strongest of {len(lines)}" if len(shown) < len(lines) else ""
    light = "" if len(runs) == 3 else f" for light along {axes}"
    converged = any(line.converged_energy is not None for line in shown)
    open_shell = any(part.spin for line in shown for part in line.transitions)
    titles = f"  {'energy (eV)':>17} {'f':>16}  {'along':<20}"
    titles += f" {'dt -> 0 (eV)':>12} {'f':>7}  {'made of':<14}" if converged else ""
    titles += f" {'task tddft (eV)':>16} {'f':>7}" if roots else ""
    shift = time_step_shift(lines, runs)
    return "\n".join(
        [
            f"{name}: lines from {kicks}{of}; f: oscillator strength{light}",
            titles.rstrip(),
            *(_row(line, roots, converged=converged, open_shell=open_shell) for line in shown),
            *([f"  {shift}"] if shift else []),
        ]
    )


def doubts(lines: Sequence[AbsorptionLine], electrons: int, *, absorbing: bool) -> list[str]:
    """What speaks against lines; absorbing: an absorbing potential has acted."""
    found = []
    strength = sum(line.strength for line in lines)
    if strength > MOST_OF_ELECTRONS * electrons:
        found.append(
            f"  strengths add up to {strength:.1f}, more than the {electrons} electrons: is the run long "
            "enough, the kick weak enough?"
        )
    if lines and absorbing:
        found.append("  the absorbing potential damps lines; these are fitted without damping")
    return found


def _row(line: AbsorptionLine, roots: Sequence[Root], *, converged: bool, open_shell: bool) -> str:
    text = (
        f"  {line.energy:9.4f} ±{line.energy_uncertainty:.4f} "
        f"{line.strength:8.4f} ±{line.strength_uncertainty:.4f}  {direction_words(line):<20}"
    )
    if converged:
        limit, strength = line.converged_energy, line.converged_strength
        text += " " * 21 if limit is None else f" {limit:12.4f} {strength:7.4f}"
        part = transition_words(line.transitions[0], open_shell=open_shell) if line.transitions else ""
        text += f"  {part:<14}"
    near = nearest_root(line, roots)
    if near is not None:
        text += f" {near.energy:16.4f} {near.strength:7.4f}"
    return text.rstrip()
