"""The process of a benchmark piece that is not a command: `reference DECK` or `METHOD DECK REFERENCE`.

Run in the piece's folder: `reference` leaves reference.npz, the methods of `extrapolated` result.json.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ...adapters.deck.reader import read_deck
from ...atomic.errors import HybridPropagateError
from .extrapolated import as_rows, dynamic_modes, esprit, linear_response, pade, truth_of
from .reference import ReferenceRun, make_reference_run, single_propagation

#: What `reference` leaves.
REFERENCE_FILE = "reference.npz"


def main(arguments: Sequence[str]) -> int:
    """Carry out one piece; 1 after one line on standard error."""
    try:
        _run(*arguments)
    except HybridPropagateError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def load_reference(folder: Path) -> ReferenceRun:
    """What `reference` left in a folder."""
    with np.load(folder / REFERENCE_FILE, allow_pickle=False) as file:
        return ReferenceRun(**{name: file[name] for name in file.files})


def _run(method: str, deck: str, reference: str = "") -> None:
    if method == "reference":
        np.savez(REFERENCE_FILE, allow_pickle=False, **asdict(make_reference_run(Path(deck))))
        return
    run = load_reference(Path(reference))
    _, task = single_propagation(read_deck(Path(deck)))
    truth = truth_of(run, magnus=task.real_time.propagator == "magnus")
    if method == "linear-response":
        points = linear_response(Path(deck), run, truth)
    else:
        points = {"dmd": dynamic_modes, "esprit": esprit, "pade": pade}[method](run, truth)
    Path("result.json").write_text(json.dumps(as_rows(points)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
