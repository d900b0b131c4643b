"""Kicked runs with what lines need of them: the error that they state and the response that they keep.

Lines are fitted once, at the end of a run, and kept in its summary: pages and tables take them from there.
"""

from pathlib import Path
from typing import Any

import numpy as np

from .lines import AbsorptionLine, KickedRun, absorption_lines
from .parts import AtomShare, Transition
from .records import no_summary, stated_error, summary_of
from .response import read_response
from .signals import read_signals


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
    stored = summary_of(path).get("lines")
    if stored is None:
        return absorption_lines(runs)
    try:
        return tuple(map(_line, stored))
    except (TypeError, KeyError) as error:
        raise no_summary(path, error) from error


def _line(values: dict[str, Any]) -> AbsorptionLine:
    parts = {
        "direction": tuple(values["direction"]),
        "transitions": tuple(Transition(**part) for part in values["transitions"]),
        "atoms": tuple(AtomShare(**part) for part in values["atoms"]),
    }
    return AbsorptionLine(**{**values, **parts})
