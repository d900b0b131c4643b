"""One deck, run by `hybrid-propagate` in a process of its own: what the scripts of benchmarks/ measure."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.deck.reader import read_deck
from ...adapters.files.plain_hdf5 import open_hdf5
from .case import with_steps
from .pieces import Piece, python, run_piece
from .reference import single_propagation


@dataclass(frozen=True, eq=False)
class DeckRun:
    """A finished run.

    summary: its `.json` file.
    wall, cpu: seconds of the whole process, start-up included.
    peak: bytes.
    n_basis: functions.
    time: (n,) au.
    dipole: (n, 3) au.
    """

    summary: Mapping[str, Any]
    wall: float
    cpu: float
    peak: int
    n_basis: int
    time: np.ndarray
    dipole: np.ndarray


def deck_with_steps(deck: Path, n_steps: int) -> str:
    """A deck's text with `tmax` for so many steps. Raises DeckError, BenchError."""
    _, task = single_propagation(read_deck(deck))
    return with_steps(deck.read_text(encoding="utf-8"), n_steps, task.real_time.dt, deck)


def run_deck(text: str, *options: str, command: Sequence[str] | None = None) -> DeckRun:
    """Run a deck with one propagation in one thread; nothing is left on disk. Raises PieceFailed.

    command: what runs `deck.nw`, in place of the command with these options.
    """
    if command is None:
        command = python("commands.propagate", "deck.nw", *options)
    with tempfile.TemporaryDirectory() as folder:
        done = run_piece(Path(folder), Piece("run", {"deck.nw": text}, command), "", lambda _: None)
        (trajectory,) = done.folder.glob("*.h5")
        with open_hdf5(trajectory) as file:
            time, dipole = (np.array(file[f"dynamics/{name}"]) for name in ("time", "dipole"))
            n_basis = int(np.array(file.attrs["n_basis"]))
        summary = json.loads(trajectory.with_suffix(".json").read_text(encoding="utf-8"))
    return DeckRun(summary, done.wall, done.cpu, done.peak, n_basis, time, dipole)
