"""Processor seconds of one reference step of the embedded engine, from two runs of different length.

OMP_NUM_THREADS=1 python benchmarks/runs/reference_step.py
"""

import argparse
from pathlib import Path

from hybrid_propagate.driver.bench.deck_run import deck_with_steps, run_deck

ROOT = Path(__file__).parents[2]


def main() -> None:
    """One line a molecule."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    for name, short, long in (("water", 300, 1300), ("benzene", 20, 70)):
        deck = ROOT / f"examples/{name}.nw"
        options = ("--surrogate", "none", "--save-density", "0")
        first, second = (run_deck(deck_with_steps(deck, n), *options).cpu for n in (short, long))
        print(f"{name}: {(second - first) / (long - short):.4f} CPU s a step", flush=True)


if __name__ == "__main__":
    main()
