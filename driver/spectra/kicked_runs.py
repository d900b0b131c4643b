"""Kicked runs with what lines need of them: the error that they state and the response that they keep."""

import json
from pathlib import Path

import numpy as np

from ...adapters.regular_file import read_regular
from .lines import KickedRun
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


def stated_error(path: Path) -> float:
    """Of the induced dipole of a trajectory file, from the summary beside it; 0 without one."""
    summary = path.with_suffix(".json")
    try:
        return float(json.loads(read_regular(summary, _MOST_BYTES))["estimated_error"])
    except FileNotFoundError:
        return 0.0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpectrumError(f"{summary}: not the summary of a run ({error})") from error
