"""What a benchmark leaves: Markdown with every table, JSON with every number, a figure."""

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ...atomic.whole_file import write_whole
from ..run.machine import cpu_name
from .plot import plot_errors
from .tables import CaseResult, case_table, equal_error_table, exceptions, timing_table, where_baselines_win

_NOTE = """`*`: extrapolated from the steps that were timed. Seconds include start-up, imports and ground
state. Of methods that continue a run's first steps, the cheapest setting within 1e-2 is shown, else the best
one for half the Fock builds or less; their own settings were chosen with the reference in hand. NWChem's
error is over the points it made, and mostly its ground state's, converged to its own default thresholds."""
_PACKAGES = ("hybrid-propagate", "numpy", "scipy", "pyscf", "PyDMD", "onnxruntime")


@dataclass(frozen=True)
class Conditions:
    """What a benchmark was made with and on.

    command: the command line; cpu: the processor's model; load: mean number of processes that wanted to run,
    over 15 minutes before the end; versions: by name; sources: states of the package's files that pieces were
    made with.
    """

    command: str
    cpu: str
    cores: int
    load: float
    versions: Mapping[str, str]
    sources: Sequence[str]


def conditions(command: str, results: Sequence[CaseResult], now: str) -> Conditions:
    """Of this process and machine. now: the state of the package's files."""
    versions = {"Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    timings = [t for r in results for round_ in r.rounds for t in round_.timings.values()]
    nwchem = next((t.version for t in timings if t.version), None)
    versions |= {} if nwchem is None else {"NWChem": nwchem}
    made = {e.sources for r in results for e in (r.measured.reference, *r.measured.entries)}
    return Conditions(
        command, cpu_name(), os.cpu_count() or 1, os.getloadavg()[2], versions, sorted(made - {""} | {now})
    )


def made_with(found: Conditions) -> str:
    """A paragraph."""
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    return (
        f"Made by `{found.command}` on {found.cpu}, {found.cores} cores, one thread each; load average "
        f"{found.load:.1f}. {versions}. State of the package's files: {', '.join(found.sources)}."
    )


def suite_text(results: Sequence[CaseResult], found: Conditions, failed: Mapping[str, str]) -> str:
    """The whole Markdown."""
    parts = [
        "# Every method, side by side",
        made_with(found),
        _NOTE,
        *(["## Seconds", timing_table(results)] if any(result.rounds for result in results) else []),
        "## Fock builds at equal trajectory error",
        equal_error_table(results),
        _listed("Where the hybrid does not need fewer Fock builds than DMD and ESPRIT", exceptions(results)),
        _listed(
            "The same, were each of its Coulomb-exchange builds a whole Fock build",
            exceptions(results, jk=True),
        ),
        _listed(
            "Where a baseline gives the spectrum (nRMSE up to 1e-2) for fewer CPU seconds",
            where_baselines_win(results),
        ),
    ]
    for result in results:
        case = result.measured.case
        parts += [
            f"## {result.name}",
            f"{case.title}: {case.n_basis} functions, {case.n_steps} steps of {case.dt:g} au.",
            case_table(result),
        ]
        missing = dict(result.measured.missing)
        for round_ in result.rounds:
            missing |= round_.missing
        if missing:
            parts.append("Left out: " + "; ".join(f"{name} ({why})" for name, why in missing.items()) + ".")
    if failed:
        parts.append("Cases left out: " + "; ".join(f"{name} ({why})" for name, why in failed.items()) + ".")
    return "\n\n".join(parts) + "\n"


def _listed(title: str, sentences: Sequence[str]) -> str:
    if not sentences:
        return f"{title}: nowhere."
    return f"{title}:\n\n" + "\n".join(f"- {sentence}" for sentence in sentences)


def write_suite(
    prefix: Path, results: Sequence[CaseResult], found: Conditions, failed: Mapping[str, str]
) -> None:
    """`<prefix>.md`, `.json` and `.png`. Raises OSError."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    write_whole(prefix.with_name(prefix.name + ".md"), suite_text(results, found, failed))
    write_whole(
        prefix.with_name(prefix.name + ".json"),
        as_json({"conditions": found, "cases": results, "left out": dict(failed)}),
    )
    plot_errors(results, prefix.with_name(prefix.name + ".png"))


def as_json(value: object) -> str:
    """JSON of dataclasses and arrays; what is not finite becomes null, an array its list."""
    return json.dumps(_plain(value), indent=1) + "\n"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        # The signals and the deck's text are in the work folder; they would be most of the file.
        return {k: _plain(v) for k, v in vars(value).items() if k not in ("truth", "text", "time", "dipole")}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
