"""How far `hybrid-propagate --check` is from what decks take: memory, and processor seconds of one thread.

    benchmarks/runs/forecast.py [--fit] [FIRST+]DECK[:STEPS]...

Runs each deck (with STEPS, to that many steps of its dt) in a folder of its own, after FIRST where it goes on
from that deck's files. Prints a table of what was forecast, what the process took (its peak of resident
memory and its processor time), and their ratio.
Before and after each run a reference is timed: 60 steps of water by the reference code. A processor that is
shared is slower, so seconds are divided by the reference's, and multiplied by those it takes on the machine
that the rates belong to.
--fit: prints the rates of `driver/forecast/cost.py` fitted to these runs, by least squares of logarithms.
"""

import argparse
import json
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
    Asked,
    bytes_counts,
    cost_of,
    seconds_counts,
)
from hybrid_propagate.driver.forecast.work import size_of
from hybrid_propagate.driver.run.machine import half_of_memory
from scipy.optimize import least_squares

EXAMPLES = Path(__file__).parents[2] / "examples"
#: Steps of water, all by the reference code, and the processor seconds of the whole process on the machine
#: that the rates in force belong to.
REFERENCE_STEPS, REFERENCE_SECONDS = 60, 3.4
#: How firmly a rate's logarithm is held to that of the one in force.
_HOLD = 0.25


@dataclass(frozen=True, eq=False)
class Run:
    """A deck that was run: its name and counts, and what it took: bytes, CPU seconds of a reference machine.

    builds: Fock builds of its propagations.
    slower: how much slower than the reference machine this one was.
    """

    name: str
    deck: Deck
    forecast: tuple[float, float]
    counts: tuple[Mapping[str, float], Mapping[str, float]]
    took: tuple[float, float]
    builds: int
    slower: float


def process(folder: Path, deck: str, *arguments: str) -> tuple[float, float]:
    """Bytes at the peak and CPU seconds of a run of one thread; raises CalledProcessError where it fails."""
    program = Path(sys.executable).with_name("hybrid-propagate")
    command = [str(program), deck, "--threads", "1", *arguments]
    with Path(folder, "log").open("w") as log:
        run = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command)
    return 1024.0 * usage.ru_maxrss, usage.ru_utime + usage.ru_stime


def with_steps(path: Path, steps: int | None) -> str:
    """A deck's text, its `tmax` that of so many steps."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if steps is None:
        return text
    dt = float(re.search(r"(?im)^\s*dt\s+(\S+)", text)[1].lower().replace("d", "e"))
    return re.sub(r"(?im)^(\s*tmax)\s+\S+", rf"\g<1> {steps * dt:.10g}", text)


def reference_seconds() -> float:
    """CPU seconds of the reference."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "water.nw").write_text(with_steps(EXAMPLES / "water.nw", REFERENCE_STEPS))
        return process(Path(name), "water.nw", "--surrogate", "none")[1]


def measure(given: str) -> Run:
    """Run `[FIRST+]DECK[:STEPS]` to its end; raises CalledProcessError where it fails."""
    named, _, steps = given.partition(":")
    *first, path = map(Path, named.split("+"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for earlier in first:
            Path(folder, earlier.name).write_text(with_steps(earlier, None))
            process(folder, earlier.name)
        copy = folder / path.name
        copy.write_text(with_steps(path, int(steps) if steps else None), encoding="utf-8")
        deck = read_deck(copy)
        before = reference_seconds()
        earlier_summaries = set(folder.rglob("*.json"))
        peak, seconds = process(folder, copy.name)
        slower = 0.5 * (before + reference_seconds()) / REFERENCE_SECONDS
        summaries = [json.loads(made.read_text()) for made in set(folder.rglob("*.json")) - earlier_summaries]
    asked = Asked(half_of_memory())
    sizes = {k: size_of(task.system) for k, task in enumerate(deck.tasks)}
    cost = cost_of(deck, sizes, asked)
    return Run(
        path.name + (f":{steps}" if steps else ""),
        deck,
        (cost.memory, cost.seconds),
        (bytes_counts(deck, sizes, asked), seconds_counts(deck, sizes, asked)),
        (peak, seconds / slower),
        sum(summary.get("fock_builds", 0) for summary in summaries),
        slower,
    )


def table(runs: Sequence[Run]) -> str:
    """Rows as Markdown."""
    rows = [
        "| deck | functions | MB told | MB taken | ratio | builds | s told | s taken | ratio | slower |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        (memory, seconds), (peak, cpu) = run.forecast, run.took
        rows.append(
            f"| {run.name} | {run.deck.tasks[-1].system.n_basis} | {memory / 1e6:.0f} | {peak / 1e6:.0f} | "
            f"{memory / peak:.2f} | {run.builds} | {seconds:.1f} | {cpu:.1f} | {seconds / cpu:.2f} | "
            f"{run.slower:.2f} |"
        )
    return "\n".join(rows)


def fitted(runs: Sequence[Run], which: int, rates: Mapping[str, float]) -> dict[str, float]:
    """Rates that make the ratios of what was told to what was taken nearest to one."""
    counts = np.array([[run.counts[which].get(name, 0.0) for name in rates] for run in runs])
    took = np.log([run.took[which] for run in runs])
    start = np.log(list(rates.values()))

    def misfit(logs: np.ndarray) -> np.ndarray:
        return np.concatenate([np.log(counts @ np.exp(logs)) - took, _HOLD * (logs - start)])

    return dict(zip(rates, np.exp(least_squares(misfit, start).x).tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("decks", nargs="+", metavar="[FIRST+]DECK[:STEPS]")
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    runs = []
    for deck in given.decks:
        try:
            runs.append(measure(deck))
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
