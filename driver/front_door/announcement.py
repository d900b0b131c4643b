"""The first line of a run: which molecule, at which level, how many steps, made by what."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ...adapters.deck import Deck, LinearResponseTask, PropagationTask
from ...adapters.system import System
from ...adapters.system.elements import SYMBOLS


def announcement(deck: Deck, options: Mapping[str, Any], threads: int) -> str:
    """What a deck and options (by name) will run, in one line."""
    system = deck.tasks[-1].system
    level = f"{formula(system)}, {system.n_basis} functions, {system.functional.directive}"
    runs = [_runs(steps, n) for steps, n in Counter(_steps(task) for task in deck.propagations).items()]
    roots = sum(isinstance(task, LinearResponseTask) for task in deck.tasks)
    ground = f"{len(deck.ground_states)} ground states" if len(deck.ground_states) > 1 else "ground state"
    parts = [ground] if deck.ground_states else []
    parts += ["linear response"] if roots else []
    parts += [" and ".join(runs)] if runs else []
    by = _made_by(options) if runs else ""
    counted = f"{threads} thread{'' if threads == 1 else 's'}"
    return f"{deck.prefix}: {level}: {', '.join(parts)}{by}; {counted}"


def formula(system: System) -> str:
    """Elements in Hill's order with their numbers, and the charge: `H2O`, `CH3+`."""
    counts = Counter(SYMBOLS[z] for z in system.geometry.atomic_numbers if z)
    first = [name for name in ("C", "H") if name in counts] if "C" in counts else []
    order = [*first, *sorted(set(counts) - set(first))]
    charge = f"{abs(system.charge) if abs(system.charge) > 1 else ''}{'+' if system.charge > 0 else '-'}"
    return "".join(f"{name}{counts[name] if counts[name] > 1 else ''}" for name in order) + (
        charge if system.charge else ""
    )


def _runs(steps: str, number: int) -> str:
    return steps if number == 1 else f"{number} runs of {steps}"


def _steps(task: PropagationTask) -> str:
    real_time = task.real_time
    return f"{real_time.n_points} points of {real_time.dt:g} au"


def _made_by(options: Mapping[str, Any]) -> str:
    engine = {"pyscf": "PySCF", "nwchem": "NWChem"}[options["engine"]]
    if options["surrogate"] == "none":
        return f" by {engine} alone"
    return f" by {engine} and the surrogate ({options['surrogate']}), tol {options['tol']:g}"
