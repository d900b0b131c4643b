"""What threads cost and bring: processor and wall seconds of a Fock build and of a step's response.

    OMP_NUM_THREADS=1 python benchmarks/runs/threads.py [--threads 1 2] [--pairs 15] [deck ...]

Prints a Markdown table. A pair is one turn of each number of threads, of a quarter of a second and more.
Pairs in which other processes used more than a twentieth of a core are left out, as counted by /proc/stat.
No pair is begun while others work. Seconds are medians over the pairs that are left, and so is the ratio of
walls within a pair. OMP_NUM_THREADS is 1 as the commands start with one thread, and then ask for more.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.engine import expanded_about, make_engine
from hybrid_propagate.adapters.pyscf.initial_guess import initial_guess
from hybrid_propagate.adapters.pyscf.mean_field import mean_field_of
from hybrid_propagate.atomic.threads import limited_to
from hybrid_propagate.surrogate.kernel.analytic import analytic_kernel, apply_auxiliary_kernel

EXAMPLES = Path(__file__).parents[2] / "examples"
#: Least wall seconds of a turn; most share of a core that others may have used; pairs tried at most.
TURN, OTHERS, TRIED = 0.25, 0.05, 300
#: Seconds over which others are looked at, and between two looks.
LOOK, PAUSE = 0.2, 1.0


@dataclass(frozen=True)
class Turn:
    """What one call took, and what other processes took meanwhile.

    processor: seconds of this process, all threads.
    wall: seconds.
    others: cores that others kept busy.
    """

    processor: float
    wall: float
    others: float


def busy_seconds() -> float:
    """Processor seconds that the machine has worked since it started, stolen ones too."""
    user, nice, system, _, _, irq, soft, steal, *_ = map(
        int, Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def is_quiet() -> bool:
    """Whether the machine does nothing just now."""
    before = busy_seconds()
    time.sleep(LOOK)
    return busy_seconds() - before <= OTHERS * LOOK


def turn_of(work: Callable[[], object], times: int) -> Turn:
    """Seconds of a call, from so many."""
    busy, wall, processor = busy_seconds(), time.perf_counter(), time.process_time()
    for _ in range(times):
        work()
    processor, wall = time.process_time() - processor, time.perf_counter() - wall
    return Turn(processor / times, wall / times, (busy_seconds() - busy - processor) / wall)


def quiet_pairs(work: Callable[[], object], threads: list[int], pairs: int) -> list[list[Turn]]:
    """Turns by number of threads, of pairs that nobody disturbed."""
    work()
    times = max(1, round(TURN / turn_of(work, 1).wall))
    found: list[list[Turn]] = []
    for _ in range(TRIED):
        if not is_quiet():
            time.sleep(PAUSE)
            continue
        pair = []
        for n in threads:
            with limited_to(n):
                work()
                pair.append(turn_of(work, times))
        if max(turn.others for turn in pair) < OTHERS:
            found.append(pair)
        if len(found) == pairs:
            break
    return found


def tasks_of(deck: Path) -> tuple[int, dict[str, Callable[[], object]]]:
    """Functions of a deck's molecule, and what is timed of it."""
    system = read_deck(deck).tasks[0].system
    engine = make_engine(system, 4e9)
    density = initial_guess(mean_field_of(system, engine.mol), "minao", system.n_spin)
    engine = expanded_about(engine, density, kernel=True)
    kernel = analytic_kernel(engine, density, 4e9)
    change = (1e-3 * density)[None] * (1 + 1j)
    tasks: dict[str, Callable[[], object]] = {"Fock build": lambda: engine.fock(density.astype(complex))}
    if kernel is not None:
        tasks["100 responses"] = lambda: [apply_auxiliary_kernel(kernel, change) for _ in range(100)]
    return engine.mol.nao, tasks


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "decks", nargs="*", type=Path, default=[EXAMPLES / "water.nw", EXAMPLES / "benzene.nw"]
    )
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--pairs", type=int, default=15)
    given = parser.parse_args()
    columns = [f"{n}: processor, wall / s" for n in given.threads]
    print("| deck | functions | what | " + " | ".join(columns) + " | wall, first over last | quiet pairs |")
    print("|---|---|---|" + "---|" * (len(columns) + 2))
    for deck in given.decks:
        functions, tasks = tasks_of(deck)
        for what, work in tasks.items():
            pairs = quiet_pairs(work, given.threads, given.pairs)
            if not pairs:
                print(f"| {deck.stem} | {functions} | {what} | no quiet pair |", flush=True)
                continue
            cells = [
                f"{median(turn.processor for turn in turns):.3g}, {median(turn.wall for turn in turns):.3g}"
                for turns in zip(*pairs, strict=True)
            ]
            ratio = median(pair[0].wall / pair[-1].wall for pair in pairs)
            row = [deck.stem, str(functions), what, *cells, f"{ratio:.2f}", str(len(pairs))]
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
