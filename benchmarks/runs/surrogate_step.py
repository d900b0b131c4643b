"""Cost of a surrogate step against the number of basis functions, and its growth exponent.

    OMP_NUM_THREADS=1 python benchmarks/runs/surrogate_step.py [--steps 500]
    OMP_NUM_THREADS=1 python benchmarks/runs/surrogate_step.py --driven anthracene pentacene [--steps 500]

Kicked water, ethanol and benzene in 6-31G, and benzene in cartesian 6-31G** (13, 39, 66, 120 functions),
PBE0; or acenes in a weak field that lasts throughout. A step's processor seconds are those of the surrogate
segments over the steps made in them, repeated ones too.
"""

import argparse
from pathlib import Path

import numpy as np
from hybrid_propagate.driver.bench.deck_run import deck_with_steps, run_deck
from hybrid_propagate.driver.bench.tables import markdown

ROOT = Path(__file__).parents[2]
KICKED = [("water", "6-31G"), ("ethanol", "6-31G"), ("benzene", "6-31G"), ("benzene", "6-31G**")]
FIELD = "type cw\n    polarization x\n    frequency 0.06\n    max 1e-6\n"


def kicked(molecule: str, basis: str, steps: int) -> str:
    """An example's deck in a basis."""
    text = deck_with_steps(ROOT / f"examples/{molecule}.nw", steps)
    return text.replace("library 6-31G", f"library {basis}")


def driven(molecule: str, steps: int) -> str:
    """An acene's deck with a weak field in place of its kick."""
    head, _, tail = deck_with_steps(ROOT / f"benchmarks/decks/acenes/{molecule}.nw", steps).partition(
        "type delta"
    )
    return head + FIELD + tail[tail.index("  end\n") :]


def main() -> None:
    """One row a molecule, then the exponent."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--driven", nargs="+", default=[], help="acenes, in a field")
    given = parser.parse_args()
    decks = [(name, "6-31G", driven(name, given.steps)) for name in given.driven]
    decks = decks or [(*case, kicked(*case, given.steps)) for case in KICKED]
    header = ["molecule", "basis", "functions", "ms a surrogate step", "ms a reference step", "builds"]
    print(markdown([*header, "stated", "CPU s", "peak MiB"], []), flush=True)
    sizes, costs = [], []
    for molecule, basis, deck in decks:
        run = run_deck(deck, "--save-density", "0")
        s = run.summary
        sizes.append(run.n_basis)
        costs.append(s["surrogate_seconds_per_step"])
        row = [molecule, basis, str(run.n_basis), f"{1e3 * costs[-1]:.2f}"]
        row += [f"{1e3 * s['reference_seconds_per_step']:.0f}", str(s["fock_builds"])]
        row += [f"{s['estimated_error']:.1e}", f"{run.cpu:.0f}", f"{run.peak / 2**20:.0f}"]
        print("| " + " | ".join(row) + " |", flush=True)
    if len(sizes) > 1:
        exponent = np.polyfit(np.log(sizes), np.log(costs), 1)[0]
        print(f"growth: functions to the power {exponent:.2f}")


if __name__ == "__main__":
    main()
