"""Reads the RT-TDDFT lines of any NWChem log (or ours): one series per run, quantity, geometry and spin.

A line is `tag time values... # label`, its columns parted by blanks. A restarted run prints its first point
again and may repeat more: what was printed before at or beyond the restart's time gives way. Points whose
time overflowed its column are left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...atomic.errors import BadInput
from .log_lines import log_lines
from .run_header import HeaderReader, RunHeader

# NWChem's tags have at most 24 characters; without a bound a long line is searched from every place in it.
_LINE = re.compile(
    r"(?P<tag>.{0,40}?\S)\s+(?P<time>-?\d+\.\d{5})(?P<values>(?:\s+\S+)+?)\s+# "
    r"(?P<name>Dipole moment|Magnetic moment|Applied E-field|Charge|Quadrupole moment|MO Occupations|CPU time"
    r"|<S\^2>|Enuc|Ecore|Ecoul|Exc\(1\)|Exc\(2\)|Etot|Eadded)"
    r"(?: \[(?P<geometry>.*)\])?(?: \((?P<spin>alpha|beta|total) spin\))?\s*$"
)
_STARTED = re.compile(r"(?P<tag>.{0,40}?\S)\s+-?\d+\.\d{5}\s+### Propagation started ###")
_STEP = re.compile(r"\s*Time step \(dt\)\s*:\s*(\S+) au")
# The misspelling is NWChem's.
_METHOD = re.compile(r"\s*Progagation method\s*:\s*(.*\S)")


class LogError(BadInput):
    """A log that cannot be used. The text is one line: which file, and what is wrong with it."""


@dataclass(frozen=True)
class SeriesKey:
    """What a series is of: NWChem's label, with geometry and spin empty where the label names none."""

    name: str
    geometry: str = ""
    spin: str = ""


@dataclass(frozen=True, eq=False)
class Series:
    """A quantity over time: time (n,) au, strictly increasing; values (n, m) au."""

    time: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class RunLog:
    """One propagation.

    series: in the order of their first line.
    dt: time step (au) of its header, to the five digits printed there; None without a header.
    magnus: whether its header names the Magnus propagator, NWChem's default.
    header: what else its header tells; empty without one.
    """

    tag: str
    series: Mapping[SeriesKey, Series]
    dt: float | None
    magnus: bool
    header: RunHeader = field(default_factory=RunHeader)

    def find(self, name: str, geometry: str | None = None, spin: str | None = None) -> Series:
        """The series of a label: of the only geometry and the total spin, unless named.

        Raises LogError naming what there is when none or several fit.
        """
        named = [key for key in self.series if key.name == name]
        fitting = [
            key
            for key in named
            if geometry in (None, key.geometry) and key.spin in (("", "total") if spin is None else (spin,))
        ]
        if len(fitting) != 1:
            there = ", ".join(f"{k.name} [{k.geometry}] {k.spin}".strip() for k in named) or "none"
            raise LogError(f"tag {self.tag!r}: {len(fitting)} series fit {name!r}; there are: {there}")
        return self.series[fitting[0]]


def read_log(path: Path) -> list[RunLog]:
    """All propagations of a log (plain or gzip), in order: one a tag, and one a start where a tag is used
    again.

    Raises LogError when the file cannot be read or holds no RT-TDDFT line.
    """
    runs: list[_Run] = []
    current: dict[str, _Run] = {}
    dt: float | None = None
    magnus = True
    header = HeaderReader()
    try:
        for line in log_lines(path):
            if "#" in line:
                started, match = _STARTED.match(line), _LINE.match(line)
                tag = (started or match or {"tag": None})["tag"]
                if tag is not None and (started or tag not in current):
                    current[tag] = _Run(tag, {}, dt, magnus, header.header)
                    runs.append(current[tag])
                if match is not None:
                    _add(current[match["tag"]], match)
                continue
            header.take(line)
            if found := _STEP.match(line):
                dt = _step(found[1])
            elif found := _METHOD.match(line):
                magnus = "Magnus" in found[1]
    except (OSError, ValueError) as error:
        raise LogError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    runs = [run for run in runs if run.rows]
    if not runs:
        raise LogError(f"{path}: no RT-TDDFT lines (`tag time values # Dipole moment [...]`) in it")
    return [
        RunLog(
            run.tag, {key: _series(rows) for key, rows in run.rows.items()}, run.dt, run.magnus, run.header
        )
        for run in runs
    ]


@dataclass(frozen=True)
class _Run:
    """A propagation being read: rows (time, values...) of each series."""

    tag: str
    rows: dict[SeriesKey, list[tuple[float, ...]]]
    dt: float | None
    magnus: bool
    header: RunHeader


def match_line(line: str) -> tuple[SeriesKey, tuple[float, ...]] | None:
    """What a time-dependent line is of, and its numbers; None for any other line and for a garbled one."""
    match = _LINE.match(line)
    return None if match is None else _parts(match)


def _parts(match: re.Match[str]) -> tuple[SeriesKey, tuple[float, ...]] | None:
    try:
        numbers = tuple(map(_number, match["values"].split()))
    except ValueError:
        return None
    return SeriesKey(match["name"], match["geometry"] or "", match["spin"] or ""), numbers


def _add(run: _Run, match: re.Match[str]) -> None:
    """Add a line's numbers to its series; a line that a kill garbled is left out."""
    found = _parts(match)
    if found is not None:
        key, numbers = found
        run.rows.setdefault(key, []).append((float(match["time"]), *numbers))


def _step(text: str) -> float | None:
    """The time step of a header; None where it is garbled."""
    try:
        return float(text)
    except ValueError:
        return None


def _number(field: str) -> float:
    """A Fortran number; stars stand for one that did not fit."""
    return float("nan") if field.startswith("*") else float(field)


def _series(lines: list[tuple[float, ...]]) -> Series:
    """Points in order of time, restarts resolved; lines cut short are dropped."""
    width = max(map(len, lines))
    table = np.array([line for line in lines if len(line) == width])
    time = table[:, 0]
    # The earliest restart behind each point.
    restarts = np.append(np.where(np.diff(time) <= 0.0, time[1:], np.inf), np.inf)
    keep = time < np.minimum.accumulate(restarts[::-1])[::-1]
    return Series(table[keep, 0], table[keep, 1:])
