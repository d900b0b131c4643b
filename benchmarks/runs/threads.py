"""What threads cost and bring: processor and wall seconds of a Fock build and of a step's response.

    python benchmarks/runs/threads.py [--threads 1 2] [deck ...]

Prints a Markdown table, the least of five turns for each number of threads. Every line is one process's, the
numbers of threads in turn, so that a busy machine disturbs all alike.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.engine import expanded_about, make_engine
from hybrid_propagate.adapters.pyscf.initial_guess import initial_guess
from hybrid_propagate.adapters.pyscf.mean_field import mean_field_of
from hybrid_propagate.atomic.threads import limited_to
from hybrid_propagate.surrogate.kernel.analytic import analytic_kernel, apply_auxiliary_kernel

EXAMPLES = Path(__file__).parents[2] / "examples"
TURNS = 5


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Processor and wall seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - processor, time.perf_counter() - wall


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "decks", nargs="*", type=Path, default=[EXAMPLES / "water.nw", EXAMPLES / "benzene.nw"]
    )
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    given = parser.parse_args()
    print(
        "| deck | functions | what | " + " | ".join(f"{n}: processor, wall / s" for n in given.threads) + " |"
    )
    print("|---|---|---|" + "---|" * len(given.threads))
    for deck in given.decks:
        system = read_deck(deck).tasks[0].system
        engine = make_engine(system, 4e9)
        density = initial_guess(mean_field_of(system, engine.mol), "minao", system.n_spin)
        engine = expanded_about(engine, density, kernel=True)
        kernel = analytic_kernel(engine, density, 4e9)
        change = (1e-3 * density)[None] * (1 + 1j)
        tasks: dict[str, Callable[[], object]] = {
            "Fock build": lambda engine=engine, density=density: engine.fock(density.astype(complex))
        }
        if kernel is not None:
            tasks["100 responses"] = lambda kernel=kernel, change=change: [
                apply_auxiliary_kernel(kernel, change) for _ in range(100)
            ]
        for what, work in tasks.items():
            work()
            found: dict[int, list[tuple[float, float]]] = {n: [] for n in given.threads}
            for _ in range(TURNS):
                for n in given.threads:
                    with limited_to(n):
                        found[n].append(seconds(work))
            columns = " | ".join(
                f"{min(p for p, _ in found[n]):.4f}, {min(w for _, w in found[n]):.4f}" for n in given.threads
            )
            print(f"| {deck.stem} | {engine.mol.nao} | {what} | {columns} |", flush=True)


if __name__ == "__main__":
    main()
