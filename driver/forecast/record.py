"""A forecast as the JSON of `hybrid-propagate --check --json`; docs/files.md lists its keys."""

from typing import Any

from .forecast import Forecast, TaskForecast

#: Of the layout; a new one when a key changes its meaning or goes.
SCHEMA = "hybrid-propagate check 1"


def record(told: Forecast) -> dict[str, Any]:
    """Numbers and text, ready for `json.dumps`."""
    cost = told.cost
    return {
        "schema": SCHEMA,
        "deck": told.deck,
        "title": told.title,
        "refused": bool(told.refusals),
        "refusals": [
            {"file": r.file, "line": r.line, "message": r.message, "hint": r.hint} for r in told.refusals
        ],
        "notices": list(told.notices),
        "tasks": [_task(task) for task in told.tasks],
        "memory_mb": None if cost is None else round(cost.memory / 1e6),
        "cpu_seconds": None if cost is None else round(cost.seconds, 1),
        "cpu_seconds_most": None if cost is None else round(cost.most, 1),
    }


def _task(task: TaskForecast) -> dict[str, Any]:
    size = task.size
    common = {
        "kind": task.kind,
        "line": task.line,
        "formula": task.formula,
        "functional": task.functional,
        "charge": task.charge,
        "multiplicity": task.multiplicity,
        "atoms": size.atoms,
        "functions": size.functions,
        "density_matrices": size.spins,
        "irreps": size.irreps,
        "grid_points": size.points,
        "kernel_mb": round(task.kernel / 1e6, 3),
    }
    if task.kind != "propagation":
        return common
    return common | {
        "tag": task.tag,
        "steps": task.steps,
        "dt_au": task.dt,
        "tmax_au": task.tmax,
        "dt_advice": task.advice,
        "largest_risk": task.risk,
    }
