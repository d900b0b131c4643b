"""What a report says in words: verdict, facts, captions, as HTML; texts from outside are escaped here."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from ...adapters.deck import PropagationTask
from ...adapters.system import Field
from ...atomic.units import EV_PER_HARTREE, FS_PER_AU
from ..estimate.statement import digits_apart
from ..spectra.spectrum import Peak, direction_label
from .speed import speed_words

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_MULTIPLICITIES = {1: "singlet", 2: "doublet", 3: "triplet", 4: "quartet", 5: "quintet", 6: "sextet"}
_SHAPES = {
    "delta": "delta kick",
    "cw": "continuous wave",
    "gaussian": "Gaussian pulse",
    "hann": "Hann pulse",
    "sin2ramp": "wave with a sin² ramp",
}


def number(value: float, digits: int = 3) -> str:
    """For reading: `3.1 × 10⁻⁴`, `0.123`, `1200`."""
    if value == 0.0 or not np.isfinite(value):
        return "0" if value == 0.0 else "–"
    rounded = float(f"{value:.{digits - 1}e}")
    if 1e-2 <= abs(rounded) < 1e5:
        return f"{rounded:.12g}".replace("-", "−")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
    short = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return power if short == "1" else f"{short}\u00a0×\u00a0{power}".replace("-", "−")


def duration(seconds: float) -> str:
    """`2.3 s`, `3 min 20 s`, `5 h 12 min`."""
    if seconds < 59.5:
        return f"{seconds:.2g}\u00a0s" if seconds < 9.95 else f"{seconds:.0f}\u00a0s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}\u00a0min {rest}\u00a0s"
    return f"{minutes // 60}\u00a0h {minutes % 60}\u00a0min"


def counted(n: int, word: str) -> str:
    """`1 anchor`, `2 anchors`."""
    return f"{n} {word}{'' if n == 1 else 's'}"


def verdict(summary: Mapping[str, Any]) -> str:
    """The run in one line."""
    steps, builds = counted(summary["steps"], "step"), counted(summary["fock_builds"], "Fock build")
    if summary["surrogate"] == "none":
        spent = duration(summary["wall_seconds"])
        return f"<b>{steps}</b>, all by the reference, <b>{builds}</b>, <b>{spent}</b>"
    line = f"<b>{steps}</b>, <b>{builds}</b>, estimated error <b>{_estimated(summary)}</b>"
    speed = speed_words(summary["speedup"])
    return f"{line}; reference steps alone: <b>{speed}</b>" if speed else line


def _estimated(summary: Mapping[str, Any]) -> str:
    error = float(summary["estimated_error"])
    return number(error, digits_apart(error, summary["tolerance"]))


def standing(summary: Mapping[str, Any]) -> str:
    """Whether the tolerance was met."""
    if summary["surrogate"] == "none":
        return ""
    met, tolerance = summary["tolerance_met"], number(summary["tolerance"])
    text = f"✓ meets the tolerance of {tolerance}" if met else f"✗ does not meet the tolerance of {tolerance}"
    return f'<p class="standing {"good" if met else "bad"}">{text}</p>'


def system_line(task: PropagationTask, formula: str, n_basis: int, span: float) -> str:
    """What was propagated, under which fields, for how long (au)."""
    system, real_time = task.system, task.real_time
    state = _MULTIPLICITIES.get(system.multiplicity, f"multiplicity {system.multiplicity}")
    charge = f", charge {system.charge:+d}".replace("-", "−") if system.charge else ""
    shapes = {field.name: field for field in real_time.fields}
    acting = [
        f"{_field_words(shapes[rule.field])} on “{escape(rule.geometry)}”" for rule in real_time.excitations
    ]
    return (
        f"{formula.translate(_SUBSCRIPTS)}{charge}, {state}, "
        f"{'open' if system.open_shell else 'closed'} shell; "
        f"{escape(system.functional.directive)}; {n_basis} basis functions. "
        f"{'; '.join(acting) or 'No field'}. "
        f"{number(span, 6)} au ({number(span * FS_PER_AU)} fs) in steps of {number(real_time.dt)} au."
    )


def _field_words(field: Field) -> str:
    along = direction_label(np.array(field.direction))
    words = f"{_SHAPES[field.shape].capitalize()} along {along}, {number(field.maximum)} au"
    if field.shape != "delta":
        words += f", ħω = {number(field.frequency * EV_PER_HARTREE)} eV"
    return words + (f", {field.spin} electrons" if field.spin != "total" else "")


def facts(summary: Mapping[str, Any]) -> str:
    """Four numbers with what stands behind them."""
    hybrid = summary["surrogate"] != "none"
    steps = "all by the reference"
    if hybrid:
        steps = (
            f"{summary['surrogate_steps']} by the surrogate, {summary['reference_steps']} by the reference"
        )
        if summary["discarded_steps"]:
            steps += f"; {summary['discarded_steps']} more were made and not kept"
    rest = summary["fock_builds"] - summary["anchors"] - summary["refinements"]
    builds = [
        counted(n, word)
        for n, word in ((summary["anchors"], "anchor"), (summary["refinements"], "refinement"))
        if n
    ]
    if rest:
        builds.append(f"{rest} in reference steps")
    entries = [
        ("Steps", str(summary["steps"]), steps),
        ("Fock builds", str(summary["fock_builds"]), ", ".join(builds) + "; after the ground state"),
    ]
    if hybrid:
        entries.append(
            (
                "Estimated error",
                _estimated(summary),
                f"at most, of the dipole, relative; {number(summary['tolerance'])} was wanted; "
                f"from {counted(summary['error_measurements'], 'drawn point')}; "
                f"bound to first order {number(summary['error_bound'], 2)}",
            )
        )
    speed = speed_words(summary["speedup"]) if hybrid else ""
    beside = f"reference steps alone: {speed}" if speed else "ground state and files included"
    entries.append(("Time", duration(summary["wall_seconds"]), beside))
    return fact_list(entries)


def fact_list(entries: Sequence[tuple[str, str, str]]) -> str:
    """HTML of facts: name, value, and what stands behind it."""
    return "\n".join(
        f'<div><dt>{name}</dt><dd><span class="value">{value}</span>'
        f'<span class="more">{more}</span></dd></div>'
        for name, value, more in entries
    )


def dipole_caption(dipole: np.ndarray, time: np.ndarray, shaded: bool) -> str:
    """dipole: (T, 3) along with the static part, au."""
    change = np.abs(dipole - dipole[0])
    point, axis = np.unravel_index(int(change.argmax()), change.shape)
    grey = " Grey: reference steps." if shaded else ""
    if change[point, axis] == 0.0:
        return "The dipole does not move."
    at = float(time[point])
    return (
        f"Change of the dipole moment since the first point. It is largest along {'xyz'[int(axis)]}: "
        f"{number(float(change[point, axis]))} au at {number(at, 4)} au ({number(at * FS_PER_AU)} fs).{grey}"
    )


def spread_caption(spread: np.ndarray) -> str:
    """Of the figure of spread and residuals; spread: (n,) at every point, 0 where no error is expected."""
    line = "Line: what the surrogate expects its error to be, at every step."
    if not (spread > 0.0).any():
        line = "The surrogate expects no error."
    return f"{line} Dots: what the reference found at the anchors, at the surrogate’s own density."


def strongest_line(lines: Sequence[Peak]) -> str:
    """A sentence on the strongest of the maxima."""
    if not lines:
        return "No line stands out."
    best = max(lines, key=lambda line: line.cross_section)
    return f"The strongest line is at <b>{best.energy:.2f} eV</b>."


def energy_caption(energy: np.ndarray) -> str:
    """energy: (T,) Hartree, without the field's."""
    taken = float(energy[-1] - energy[0])
    return (
        "Total energy since the first point, without the field’s. By the last point "
        f"the electrons have taken up <b>{number(taken)} Ha</b> ({number(taken * EV_PER_HARTREE)} eV)."
    )
