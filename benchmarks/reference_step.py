"""Processor seconds of one reference step of the embedded engine, from two runs of different length.

OMP_NUM_THREADS=1 python benchmarks/reference_step.py
"""

from runs import ROOT, run_deck, with_steps


def main() -> None:
    """One line a molecule."""
    for name, short, long in (("water", 300, 1300), ("benzene", 20, 70)):
        deck = ROOT / f"examples/{name}.nw"
        options = ("--surrogate", "none", "--save-density", "0")
        first, second = (run_deck(with_steps(deck, n), *options).cpu for n in (short, long))
        print(f"{name}: {(second - first) / (long - short):.4f} CPU s a step", flush=True)


if __name__ == "__main__":
    main()
