"""Cost of a surrogate step against the number of basis functions, and its growth exponent.

    OMP_NUM_THREADS=1 python benchmarks/runs/surrogate_step.py [--steps 500]

Kicked water, ethanol and benzene in 6-31G, and benzene in cartesian 6-31G** (13, 39, 66, 120 functions),
PBE0. A step's seconds are those of the surrogate segments over the steps made in them, repeated ones too.
"""

import argparse
from pathlib import Path

import numpy as np
from hybrid_propagate.driver.bench.deck_run import deck_with_steps, run_deck
from hybrid_propagate.driver.bench.tables import markdown

ROOT = Path(__file__).parents[2]


def main() -> None:
    """One row a molecule, then the exponent."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=500)
    steps = parser.parse_args().steps
    cases = [("water", "6-31G"), ("ethanol", "6-31G"), ("benzene", "6-31G"), ("benzene", "6-31G**")]
    header = ["molecule", "basis", "functions", "ms a surrogate step", "ms a reference step", "peak MiB"]
    print(markdown(header, []), flush=True)
    sizes, costs = [], []
    for molecule, basis in cases:
        deck = deck_with_steps(ROOT / f"examples/{molecule}.nw", steps).replace(
            "library 6-31G", f"library {basis}"
        )
        run = run_deck(deck, "--save-density", "0")
        s = run.summary
        sizes.append(run.n_basis)
        costs.append(s["surrogate_seconds_per_step"])
        row = [molecule, basis, str(run.n_basis), f"{1e3 * costs[-1]:.2f}"]
        row += [f"{1e3 * s['reference_seconds_per_step']:.0f}", f"{run.peak / 2**20:.0f}"]
        print("| " + " | ".join(row) + " |", flush=True)
    exponent = np.polyfit(np.log(sizes), np.log(costs), 1)[0]
    print(f"growth: functions to the power {exponent:.2f}")


if __name__ == "__main__":
    main()
