"""The table of absorption lines of a page, and sentences on them; shared with what is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...atomic.units import EV_PER_HARTREE
from ..spectra.lines import AbsorptionLine, KickedRun
from ..spectra.parts import Transition
from ..spectra.spectrum import HIGHEST, direction_label, kick_of
from .tables import folded, table
from .words import fact_list, number

#: A root of `task tddft` stands beside a line that is no farther away, eV.
BESIDE = 0.15
#: A root of less strength has no line.
DARK = 1e-5
#: Rows of the table that are open at once.
MOST_OPEN = 8


@dataclass(frozen=True)
class Root:
    """An excitation by `task tddft`.

    energy: eV.
    strength: oscillator strength f, for light from all directions.
    dipole: transition dipole, au; None where only f is known.
    """

    energy: float
    strength: float
    dipole: tuple[float, float, float] | None = None


def seen_by(roots: Sequence[Root], runs: Sequence[KickedRun]) -> list[Root]:
    """The roots with the strengths that lines of these kicks have: f = 2ω (d·k)², the mean over the kicks.

    With three kicks at right angles that is f itself. A root without its dipole stays as it is.
    """
    kicks = np.array([kick_of(run.signal).direction for run in runs], float)
    kicks /= np.linalg.norm(kicks, axis=1, keepdims=True)

    def strength(energy: float, dipole: tuple[float, float, float]) -> float:
        return float(2.0 * energy / EV_PER_HARTREE * np.mean((kicks @ np.array(dipole)) ** 2))

    return [
        root if root.dipole is None else replace(root, strength=strength(root.energy, root.dipole))
        for root in roots
    ]


def roots_from(summary: Mapping[str, Any]) -> list[Root] | None:
    """Those that a summary keeps as `task_tddft`; None where it keeps no sound list."""
    try:
        return [
            Root(float(one["energy"]), float(one["strength"]), _dipole(one.get("dipole")))
            for one in summary["task_tddft"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _dipole(values: Any) -> tuple[float, float, float] | None:
    if values is None:
        return None
    x, y, z = map(float, values)
    return x, y, z


def nearest_root(line: AbsorptionLine, roots: Sequence[Root]) -> Root | None:
    """The root that stands beside a line, if any does."""
    energy = line.energy if line.converged_energy is None else line.converged_energy
    bright = [root for root in roots if root.strength > DARK]
    near = min(bright, key=lambda root: abs(root.energy - energy), default=None)
    return near if near is not None and abs(near.energy - energy) < BESIDE else None


def kick_axes(runs: Sequence[KickedRun]) -> str:
    """Directions of the kicks: `x, y, z`."""
    return ", ".join(direction_label(kick_of(run.signal).direction) for run in runs)


def shown_lines(lines: Sequence[AbsorptionLine], most: int) -> list[AbsorptionLine]:
    """The strongest lines, and the first one however weak: it is what absorption begins with. By energy."""
    first = sorted(lines, key=lambda one: one.energy)[:1]
    rest = sorted((one for one in lines if one not in first), key=lambda one: -one.strength)
    return sorted([*first, *rest[: most - 1]], key=lambda one: one.energy)


def time_step_shift(lines: Sequence[AbsorptionLine], runs: Sequence[KickedRun]) -> str:
    """What the time step does to the strongest line, and what a smaller one costs; empty where unknown."""
    strongest = max(lines, key=lambda line: line.strength, default=None)
    kick = kick_of(runs[0].signal)
    if strongest is None or strongest.converged_energy is None or not kick.steps:
        return ""
    dt = (kick.stop - kick.start) / kick.steps
    shift = 1e3 * (strongest.energy - strongest.converged_energy)
    return (
        f"A step of {dt:g} au moves the strongest line, {strongest.energy:.3f} eV, by {shift:+.1f} meV; "
        f"one of {dt / 2:g} au would move it by {shift / 4.0:+.1f} meV, with twice as many steps"
    )


def transition_words(transition: Transition, *, open_shell: bool = False) -> str:
    """`4→6 97 %`, with the spin in an open shell."""
    spin = "αβ"[transition.spin] if open_shell else ""
    return f"{transition.occupied}{spin}→{transition.empty}{spin} {100 * transition.weight:.0f} %"


def line_rows(lines: Sequence[AbsorptionLine], runs: Sequence[KickedRun], roots: Sequence[Root]) -> str:
    """HTML: the first and the strongest lines, then all of them to unfold, and what the numbers mean."""
    if not lines:
        return '<p class="lead">No line stands out of the error.</p>'
    shown = shown_lines(lines, MOST_OPEN)
    shift = time_step_shift(lines, runs)
    # A minus as numbers have it elsewhere on the page.
    step = f" {shift}.".replace(" -", " −") if shift else ""
    note = f'<p class="lead">±: the most that the run’s stated error can change.{step}</p>'
    body = _table(shown, roots) + note
    return (
        body if len(shown) == len(lines) else body + folded(f"All {len(lines)} lines", _table(lines, roots))
    )


def answer_words(lines: Sequence[AbsorptionLine], runs: Sequence[KickedRun]) -> str:
    """The lines in one sentence, as HTML."""
    axes = kick_axes(runs)
    if not lines:
        return f"No line stands out of the error after kicks along {axes}"
    best = max(lines, key=lambda line: line.strength)
    many = f"<b>{len(lines)} lines</b>, the strongest" if len(lines) > 1 else "<b>1 line</b>"
    return f"{many} at <b>{best.energy:.3f} eV</b> with <b>f = {number(best.strength)}</b>"


def _table(lines: Sequence[AbsorptionLine], roots: Sequence[Root]) -> str:
    """Few columns, so that a telephone shows them all: what belongs together stands in one cell."""
    parts = any(line.transitions for line in lines)
    open_shell = any(part.spin for line in lines for part in line.transitions)
    heads, kinds = ["energy (eV)", "strength f", "direction"], "ttt"
    if parts:
        heads, kinds = [*heads, "made of"], kinds + "t"
    if roots:
        heads, kinds = [*heads, "task tddft (eV)"], kinds + "t"
    rows = []
    for line in lines:
        limit, strength = line.converged_energy, line.converged_strength
        cells = [
            f"{line.energy:.3f}"
            + below(f"± {number(1e3 * line.energy_uncertainty, 2)} meV")
            + ("" if limit is None else below(f"dt → 0: {limit:.3f}")),
            f"{line.strength:.4f}"
            + below(f"± {number(line.strength_uncertainty, 2)}")
            + ("" if strength is None else below(f"dt → 0: {strength:.4f}")),
            direction_words(line) + below(f"± {number(line.direction_uncertainty, 2)}°"),
        ]
        if parts:
            cells.append(
                "".join(
                    f'<span class="part">{transition_words(t, open_shell=open_shell)}</span> '
                    for t in line.transitions[:3]
                )
            )
        if roots:
            near = nearest_root(line, roots)
            cells.append("" if near is None else f"{near.energy:.3f}" + below(f"f {near.strength:.4f}"))
        rows.append(cells)
    return table(heads, rows, kinds, "lines")


def line_facts(lines: Sequence[AbsorptionLine], runs: Sequence[KickedRun], errors: Sequence[float]) -> str:
    """What a page says first of its lines, HTML; errors: those that the runs state."""
    entries = [("Lines", str(len(lines)), f"below {HIGHEST:g} eV, after kicks along {kick_axes(runs)}")]
    best = max(lines, key=lambda line: line.strength, default=None)
    if best is not None:
        entries.append(("Strongest", f"{best.energy:.3f} eV", f"strength {number(best.strength)}"))
        if best.converged_energy is not None:
            shift = 1e3 * (best.energy - best.converged_energy)
            entries.append(("Time step", f"{number(shift, 2)} meV", "is what it adds to the strongest line"))
    worst = "of the dipole, relative; the largest of the runs" if len(runs) > 1 else "of the dipole, relative"
    entries.append(("Estimated error", number(max(errors), 2), worst))
    return fact_list(entries)


def direction_words(line: AbsorptionLine) -> str:
    """`z`, or the vector."""
    for axis, part in zip("xyz", line.direction, strict=True):
        if abs(part) > 0.9998:
            return axis
    return "(" + ", ".join(f"{part:.2f}" if abs(part) >= 0.005 else "0" for part in line.direction) + ")"


def below(text: str) -> str:
    """HTML of what stands under the value of a cell."""
    return f'<span class="meaning">{text}</span>'
