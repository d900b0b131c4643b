"""Kicked runs with what lines need of them: the error that they state and the response that they keep.

Lines are fitted once, at the end of a run, and kept in its summary: pages and tables take them from there.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.files.trajectory import Contents, read_contents
from .lines import AbsorptionLine, KickedRun, absorption_lines
from .parts import AtomShare, Transition
from .records import no_summary, stated_error, stored_record, summary_of
from .response import read_response
from .signals import read_signals, signal_of
from .spectrum import SpectrumError


def read_kicked_runs(path: Path, kick: tuple[np.ndarray, float] | None = None) -> list[KickedRun]:
    """The runs of a trajectory file or a log; kick: see `read_signals`. Raises SpectrumError.

    The error stated is the one in the summary beside a trajectory file; a log states none.
    """
    signals = read_signals(path, kick=kick)
    if path.suffix != ".h5":
        return [KickedRun(signal) for signal in signals]
    return [KickedRun(signal, stated_error(path), read_response(path)) for signal in signals]


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A run of this process, read once for all that is made of it.

    contents: of its trajectory file. kicked: what lines are found from; None where it was not kicked.
    """

    contents: Contents
    kicked: KickedRun | None


def read_finished(path: Path, error: float) -> FinishedRun:
    """The run whose trajectory file this process has just written; error: that of the dipole that it states.

    Raises TrajectoryError.
    """
    contents = read_contents(path, own=True)
    try:
        record = stored_record(path, contents.attributes, contents.series, error)
        signal = signal_of(record, None, pulses=False)
        return FinishedRun(contents, KickedRun(signal, error, read_response(path, own=True)))
    except SpectrumError:
        return FinishedRun(contents, None)


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
