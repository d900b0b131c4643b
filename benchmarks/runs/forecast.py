"""How far `hybrid-propagate --check` is from what decks take: memory, and processor seconds of one thread.

    benchmarks/runs/forecast.py [--fit] DECK[:STEPS]...

Runs each deck (with STEPS, to that many steps of its dt) in a folder of its own, and prints a table of what
was forecast, what the process took (its peak of resident memory and its processor time), and their ratio.
--fit: prints the rates of `driver/forecast/cost.py` fitted to these runs, by least squares of logarithms.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.deck import Deck
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.forecast.cost import (
    BYTES,
    SECONDS,
    bytes_counts,
    cost_of,
    seconds_counts,
)
from hybrid_propagate.driver.forecast.work import size_of
from hybrid_propagate.driver.run.machine import half_of_memory
from scipy.optimize import least_squares

#: How firmly a rate is held to the one in force; what every process spends is known best.
_HOLD, _HOLD_PROCESS = 0.03, 2.0


@dataclass(frozen=True, eq=False)
class Run:
    """A deck that was run: its name, its counts, and what it took (bytes, CPU seconds)."""

    name: str
    deck: Deck
    forecast: tuple[float, float]
    counts: tuple[Mapping[str, float], Mapping[str, float]]
    took: tuple[float, float]


def measure(path: Path, steps: int | None) -> Run:
    """Run a deck to its end; raises CalledProcessError where it fails."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if steps is not None:
        dt = float(re.search(r"(?im)^\s*dt\s+(\S+)", text)[1].lower().replace("d", "e"))
        text = re.sub(r"(?im)^(\s*tmax)\s+\S+", rf"\g<1> {steps * dt:.10g}", text)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, path.name)
        copy.write_text(text, encoding="utf-8")
        deck = read_deck(copy)
        program = Path(sys.executable).with_name("hybrid-propagate")
        with Path(folder, "log").open("w") as log:
            process = subprocess.Popen([program, copy.name], cwd=folder, stdout=log, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, [str(program), copy.name])
    memory = half_of_memory()
    sizes = {k: size_of(task.system) for k, task in enumerate(deck.tasks)}
    cost = cost_of(deck, sizes, memory)
    return Run(
        path.name + ("" if steps is None else f":{steps}"),
        deck,
        (cost.memory, cost.seconds),
        (bytes_counts(deck, sizes, memory), seconds_counts(deck, sizes, memory)),
        (1024.0 * usage.ru_maxrss, usage.ru_utime + usage.ru_stime),
    )


def table(runs: Sequence[Run]) -> str:
    """Rows as Markdown."""
    rows = [
        "| deck | functions | MB told | MB taken | ratio | s told | s taken | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        (memory, seconds), (peak, cpu) = run.forecast, run.took
        rows.append(
            f"| {run.name} | {run.deck.tasks[-1].system.n_basis} | {memory / 1e6:.0f} | {peak / 1e6:.0f} | "
            f"{memory / peak:.2f} | {seconds:.1f} | {cpu:.1f} | {seconds / cpu:.2f} |"
        )
    return "\n".join(rows)


def fitted(runs: Sequence[Run], which: int, rates: Mapping[str, float]) -> dict[str, float]:
    """Rates that make the ratios of what was told to what was taken nearest to one."""
    counts = np.array([[run.counts[which].get(name, 0.0) for name in rates] for run in runs])
    took = np.log([run.took[which] for run in runs])
    start = np.log(list(rates.values()))
    hold = [_HOLD_PROCESS if name in ("process", "figure") else _HOLD for name in rates]

    def misfit(logs: np.ndarray) -> np.ndarray:
        return np.concatenate([np.log(counts @ np.exp(logs)) - took, hold * (logs - start)])

    return dict(zip(rates, np.exp(least_squares(misfit, start).x).tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("decks", nargs="+", metavar="DECK[:STEPS]")
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    runs = []
    for deck in given.decks:
        path, _, steps = deck.partition(":")
        try:
            runs.append(measure(Path(path), int(steps) if steps else None))
        except subprocess.CalledProcessError as error:
            print(f"{deck}: {error}", file=sys.stderr)
        else:
            print(table(runs[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    print(table(runs))
    if given.fit:
        for which, rates in ((1, SECONDS), (0, BYTES)):
            for name, value in fitted(runs, which, rates).items():
                print(f"{name}: {value:.3g}")


if __name__ == "__main__":
    main()
