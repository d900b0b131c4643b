"""What `<prefix>_pump_probe.json` and the last lines of the command tell of the work."""

import datetime
import importlib.metadata
import math
from collections.abc import Mapping

import numpy as np

from ..estimate.statement import digits_apart
from ..run.machine import command_line, cpu_name
from ..run.options import Options
from .change import PumpProbeMap
from .plan import PumpPlan


def told(
    plan: PumpPlan, options: Options, found: PumpProbeMap, counts: Mapping[str, object], seconds: float
) -> dict[str, object]:
    """For the JSON file. counts: Fock builds, the pump's error; seconds: processor's, of this process."""
    hybrid = options.surrogate != "none"
    builds = [
        value for name, value in counts.items() if name.startswith("fock_builds") and isinstance(value, int)
    ]
    return {
        "deck": str(plan.deck.path),
        "title": plan.deck.title,
        "surrogate": options.surrogate,
        "tolerance": options.tolerance if hybrid else None,
        "pump_and_window_steps": int(plan.branches[-1]) + plan.n_window,
        "window_steps": plan.n_window,
        **counts,
        "fock_builds": sum(builds),
        "tolerance_met": bool((found.error <= options.tolerance).all()) if hybrid else True,
        "delays": [
            {
                "delay": float(delay),
                "estimated_error": _finite(error),
                "estimated_change_error": _finite(change),
            }
            for delay, error, change in zip(found.delays, found.error, found.change_error, strict=True)
        ],
        "processor_seconds": seconds,
        "command": command_line(),
        "finished": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "versions": {
            name: importlib.metadata.version(name) for name in ("hybrid-propagate", "pyscf", "numpy", "h5py")
        },
    }


def last_lines(about: Mapping[str, object], found: PumpProbeMap, tolerance: float) -> list[str]:
    """What the command says at its end."""
    lines = [
        f"{len(found.delays)} delay{'s' * (len(found.delays) > 1)}, {about['fock_builds']} Fock builds, "
        f"{about['processor_seconds']:.1f} s of the processor in this process"
    ]
    if about["tolerance"] is not None:
        over = int((found.error > tolerance).sum())
        worst = int(found.error.argmax())
        met = "meets" if not over else "DOES NOT MEET"
        largest = float(found.error.max())
        digits = digits_apart(largest, tolerance)
        lines.append(
            f"error of the signal at most {largest:.{digits - 1}e} (delay {found.delays[worst]:g}) {met} "
            f"--tol {tolerance:g}; of its change by the pump at most {found.change_error.max():.1e}"
        )
    return lines


def table(found: PumpProbeMap) -> str:
    """For every delay where the pump changes most: what the command prints as its result."""
    rows = ["  delay (au)  stated error  largest change (bohr^2)  at (eV)"]
    for delay, error, change in zip(found.delays, found.error, found.change, strict=True):
        most = int(np.abs(change).argmax())
        rows.append(f"{delay:12g}  {error:12.1e}  {change[most]:23.3e}  {found.energy[most]:7.3f}")
    return "\n".join(rows)


def _finite(value: float) -> float | None:
    """JSON has no infinity: null where nothing can be stated."""
    return float(value) if math.isfinite(value) else None
