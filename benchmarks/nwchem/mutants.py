"""Decks with a mistake or a change in them, here and in NWChem: the same ones accepted, the same numbers.

    OMP_NUM_THREADS=1 python benchmarks/nwchem/mutants.py compared.jsonl --compare 300
    OMP_NUM_THREADS=1 python benchmarks/nwchem/mutants.py --read 20000

`--compare N`: until N mutants that are read, and that change what is computed, have been run by plain NWChem
and by `--surrogate none`. Prints counts, and every one that only one of the two carries out or whose numbers
differ; `neither` and `SCF`, where NWChem's SCF alone does not converge, are not among the N. What is in the
file is not run again. `--read N`: N mutants are read only, and anything but a deck or
one line that says where it is wrong is counted as a fault, as is more than ten seconds.
"""

import argparse
import dataclasses
import json
import os
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from both_codes import compare
from hybrid_propagate.adapters.deck import Deck, DeckError, PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from mutant_decks import DECKS
from mutation import mutant

#: Properties of more and larger molecules take NWChem longer.
_MOST_POINTS, _MOST_FUNCTIONS = 60, 16
_READ_SECONDS = 10


def meaning(value: object) -> object:
    """A deck's tasks as plain values, without where they stand."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value) if field.name != "place")
        return type(value).__name__, {name: meaning(getattr(value, name)) for name in names}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): meaning(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [meaning(item) for item in value]
    return sorted(map(str, value)) if isinstance(value, frozenset) else value


def small(deck: Deck) -> bool:
    """Whether NWChem runs it in seconds, and prints what can be compared."""
    for task in deck.tasks:
        if task.system.n_basis > _MOST_FUNCTIONS:
            return False
        if isinstance(task, PropagationTask):
            run = task.real_time
            if run.n_points > _MOST_POINTS or run.exponential == "diag" or run.load.kind == "restart":
                return False
            if run.quantities & {"moocc", "dipcontribs"}:
                # Not in Debian's build (PEIGS).
                return False
    return True


def accepted_mutants(start: int) -> Iterator[tuple[int, str, str, Deck]]:
    """Mutants that are read and change something, from a number on."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        path = Path("deck.nw")
        originals = {}
        for name, text in DECKS.items():
            path.write_text(text)
            originals[name] = meaning(read_deck(path).tasks)
        number = start
        while True:
            number += 1
            name, text = mutant(number)
            path.write_text(text, encoding="utf-8", newline="")
            try:
                deck = read_deck(path)
            except DeckError:
                continue
            if small(deck) and meaning(deck.tasks) != originals[name]:
                yield number, name, text, deck


def run_comparison(path: Path, wanted: int) -> None:
    """Go on where the file ends, and say what is in it."""
    path = path.absolute()
    done = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    start = max((entry["number"] for entry in done), default=0)
    for number, name, text, deck in accepted_mutants(start):
        if sum(entry["verdict"] not in ("neither", "SCF") for entry in done) >= wanted:
            break
        done.append(compare(number, name, text, deck))
        with path.open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
        print(f"{number} {name} {done[-1]['verdict']} {done[-1]['nwchem']} {done[-1]['ours']}", flush=True)
    for entry in done:
        if entry["verdict"] in ("numbers", "acceptance"):
            print(f"\n{entry['number']} ({entry['deck']}): {entry['verdict']}")
            print(f"  NWChem: {entry['nwchem']}\n  here: {entry['ours']}\n  {entry['apart']}")
            changes = set(entry["text"].splitlines()) ^ set(DECKS[entry["deck"]].splitlines())
            print("\n".join(f"  {line}" for line in sorted(changes)))
    print(f"\n{dict(Counter(entry['verdict'] for entry in done))}, of mutants up to {done[-1]['number']}")


def run_reading(wanted: int) -> None:
    """Read mutants and count how it ends."""

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    counts: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        path = Path("deck.nw")
        for number in range(1, wanted + 1):
            path.write_text(mutant(number)[1], encoding="utf-8", newline="")
            began = time.perf_counter()
            signal.alarm(_READ_SECONDS)
            try:
                read_deck(path)
                outcome = "read"
            except DeckError as error:
                one_line = re.fullmatch(r"deck\.nw:\d+: [^\n]+", str(error))
                outcome = "refused" if one_line else "fault"
            except Exception as error:
                outcome = "hang" if isinstance(error, TimeoutError) else "traceback"
                print(f"{number}: {error!r}")
            signal.alarm(0)
            slowest = max(slowest, time.perf_counter() - began)
            counts[outcome] += 1
    print(f"{dict(counts)}; the slowest took {slowest:.2f} s")


def main() -> None:
    """Compare, or read."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", nargs="?", type=Path, help="JSON lines, gone on with")
    parser.add_argument("--compare", type=int, metavar="N", default=300)
    parser.add_argument("--read", type=int, metavar="N", default=0)
    options = parser.parse_args()
    if options.read:
        run_reading(options.read)
    elif options.results is None:
        parser.error("name a file for the results")
    else:
        run_comparison(options.results, options.compare)


if __name__ == "__main__":
    main()
