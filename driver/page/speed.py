"""How a run's time compares with that of reference steps alone: a range, or nothing."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..loop.progress import Tally

#: Fewest Fock builds that say what one costs.
_FEWEST_BUILDS = 3
#: Fock builds of a reference step where none was made: NWChem's least, and what a step far from rest takes.
LEAST_BUILDS, MORE_BUILDS = 2.0, 4.0
#: What reference steps alone would spare.
_LOOP = ("surrogate steps", "refinement", "anchors", "audits", "reference steps")
#: Below this ratio there is no speed-up to speak of.
SPEED_UP = 1.2


def reference_range(tally: Tally) -> tuple[float, float] | None:
    """Processor seconds of one reference step, from the quartiles of its Fock builds; None from too few."""
    builds = tally.turns.get("anchors", [])
    if len(builds) < _FEWEST_BUILDS:
        return None
    made = tally.fock_builds - tally.anchors - tally.refinements
    per_step = made / tally.reference_steps if tally.reference_steps else 0.0
    least, more = (per_step, per_step) if per_step >= 1.0 else (LEAST_BUILDS, MORE_BUILDS)
    low, high = np.quantile(np.asarray(builds), (0.25, 0.75))
    return least * float(low), more * float(high)


def speed_range(seconds: Mapping[str, float], per_step: Sequence[float], steps: int) -> tuple[float, float]:
    """How many times as long the whole run would take by reference steps alone, least and most.

    seconds: of the run by part, start-up and files among them, which reference steps alone take too.
    per_step: least and most seconds of a reference step.
    """
    total = sum(seconds.values())
    others = total - sum(seconds.get(part, 0.0) for part in _LOOP)
    if total <= 0.0:
        return 1.0, 1.0
    least, most = ((others + one * steps) / total for one in per_step)
    return least, most


def speed_words(speed: Sequence[float] | None) -> str:
    """A range for people: `4 to 7 times as long`; empty where nothing can be said."""
    if speed is None:
        return ""
    least, most = speed
    if most < SPEED_UP:
        return "no speed-up here"
    low, high = f"{max(least, 1.0):.2g}", f"{most:.2g}"
    return f"{high} times as long" if low == high else f"{low} to {high} times as long"
