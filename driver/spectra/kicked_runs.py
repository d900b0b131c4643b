"""Kicked runs with what lines need of them: the error that they state and the response that they keep.

Lines are fitted once, at the end of a run, and kept in its summary: pages and tables take them from there.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.regular_file import read_regular
from .lines import AbsorptionLine, KickedRun, absorption_lines
from .parts import AtomShare, Transition
from .response import read_response
from .signals import read_signals
from .spectrum import SpectrumError

#: Of a summary.
_MOST_BYTES = 2**26


def read_kicked_runs(path: Path, kick: tuple[np.ndarray, float] | None = None) -> list[KickedRun]:
    """The runs of a trajectory file or a log; kick: see `read_signals`. Raises SpectrumError.

    The error stated is the one in the summary beside a trajectory file; a log states none.
    """
    signals = read_signals(path, kick=kick)
    if path.suffix != ".h5":
        return [KickedRun(signal) for signal in signals]
    return [KickedRun(signal, stated_error(path), read_response(path)) for signal in signals]


def lines_of_run(path: Path, runs: list[KickedRun]) -> tuple[AbsorptionLine, ...]:
    """The lines of a trajectory file's kicked runs: those of the summary beside it, else fitted anew.

    Raises SpectrumError: see `absorption_lines`.
    """
    stored = _summary(path).get("lines")
    if stored is None:
        return absorption_lines(runs)
    try:
        return tuple(map(_line, stored))
    except (TypeError, KeyError) as error:
        raise _no_summary(path, error) from error


def _line(values: dict[str, Any]) -> AbsorptionLine:
    parts = {
        "direction": tuple(values["direction"]),
        "transitions": tuple(Transition(**part) for part in values["transitions"]),
        "atoms": tuple(AtomShare(**part) for part in values["atoms"]),
    }
    return AbsorptionLine(**{**values, **parts})


def stated_error(path: Path) -> float:
    """Of the induced dipole of a trajectory file, from the summary beside it; 0 without one."""
    summary = _summary(path)
    try:
        return float(summary["estimated_error"]) if summary else 0.0
    except (ValueError, KeyError, TypeError) as error:
        raise _no_summary(path, error) from error


def _summary(path: Path) -> dict[str, Any]:
    """What stands beside a trajectory file; empty where nothing does. Raises SpectrumError."""
    try:
        found = json.loads(read_regular(path.with_suffix(".json"), _MOST_BYTES))
        return {**found}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise _no_summary(path, error) from error


def _no_summary(path: Path, error: Exception) -> SpectrumError:
    return SpectrumError(f"{path.with_suffix('.json')}: not the summary of a run ({error})")
