"""Seconds that a reference code takes for the steps of a deck, from the processor time its own log prints.

Both NWChem and `hybrid-propagate --surrogate none` print `CPU time` where the deck asks for it: set-up and
steps are told apart in the same way. A run longer than what was measured is extrapolated from the mean step.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...adapters.log.reader import LogError, read_log
from .case import BenchError, Case, with_steps
from .pieces import Done, Piece, PieceFailed, python

_RT_TDDFT = re.compile(r"^\s*rt_tddft\s*$", re.MULTILINE | re.IGNORECASE)
_PRINT = re.compile(r"^(\s*print\s.*)$", re.MULTILINE | re.IGNORECASE)
_VERSION = re.compile(r"\(NWChem\)\s+(\d\S*)")
_ITERATIONS = re.compile(r"^.*?(\d+)\s+# Magnus total interpolations", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Timing:
    """Steps of a reference code.

    n_steps: how many were timed. before: processor seconds ahead of them; steps: (n,) of each; other: wall
    seconds over processor seconds of the whole process. builds: Fock builds a step, mean; peak: bytes.
    time: (k,) au; dipole: (k, 3) of the points printed. version: as the log says it, of NWChem alone.
    """

    n_steps: int
    before: float
    steps: np.ndarray
    other: float
    builds: float
    peak: int
    time: np.ndarray
    dipole: np.ndarray
    version: str

    def seconds(self, n_steps: int) -> float:
        """Processor seconds of a run of n steps at the mean step timed."""
        return self.before + n_steps * float(self.steps.mean())


def timing_piece(engine: str, case: Case, n_steps: int, nwchem: str, key: str) -> Piece:
    """The first `n_steps` steps of a case by `nwchem` or `pyscf`. Raises BenchError."""
    deck = {"deck.nw": _timed(case, n_steps)}
    if engine == "nwchem":
        return Piece(key, deck, (*shlex.split(nwchem), "deck.nw"))
    options = ("--surrogate", "none", "--save-density", "0")
    return Piece(key, deck, python("commands.propagate", "deck.nw", *options))


def read_timing(done: Done) -> Timing:
    """From what a timing piece left. Raises PieceFailed."""
    log = done.folder / "log"
    try:
        (run,) = read_log(log)
        cpu, dipole = run.find("CPU time"), run.find("Dipole moment")
    except (LogError, ValueError) as error:
        raise PieceFailed(f"{done.folder}: no log that tells its time: {error}") from error
    seconds = np.diff(cpu.values[:, 0])
    if len(seconds) < 2:
        raise PieceFailed(f"{done.folder}: {len(seconds)} steps are too few to time")
    text = log.read_text(encoding="utf-8", errors="replace")
    iterations = [int(n) for n in _ITERATIONS.findall(text)]
    version = _VERSION.search(text)
    return Timing(
        len(seconds) + 1,
        float(cpu.values[0, 0]),
        seconds,
        done.wall / done.cpu,
        float(np.mean(iterations)) if iterations else float("nan"),
        done.peak,
        dipole.time,
        dipole.values,
        version[1] if version else "",
    )


def _timed(case: Case, n_steps: int) -> str:
    """The case's text with fewer steps, each printing the processor time before it. Raises BenchError."""
    path = Path(f"{case.name}.nw")
    text = with_steps(case.text, n_steps, case.dt, path)
    if _PRINT.search(text):
        return _PRINT.sub(r"\1 cputime", text)
    text, count = _RT_TDDFT.subn("rt_tddft\n  print dipole field energy convergence cputime", text)
    if count != 1:
        raise BenchError(f"{path}: {count} rt_tddft blocks; accepted: one")
    return text
