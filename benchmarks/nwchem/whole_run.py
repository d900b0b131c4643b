"""Whole runs against real NWChem on the same deck, one core each, in the same session.

    OMP_NUM_THREADS=1 python benchmarks/nwchem/whole_run.py [--steps 10000] [water ethanol anthracene ...]

NWChem's run is extrapolated from the processor seconds of its steps (marked), plus what it does before the
first one. Wall and processor seconds of the hybrid count everything: start-up, imports, ground state, log,
files, figure.
"""

import argparse
from pathlib import Path

import numpy as np
from hybrid_propagate.driver.bench.deck_run import deck_with_steps, run_deck
from hybrid_propagate.driver.bench.score import trajectory_error
from hybrid_propagate.driver.bench.tables import markdown
from seconds import measure

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "examples", ROOT / "benchmarks/decks", ROOT / "benchmarks/decks/acenes")


def main() -> None:
    """Measure and print one row a molecule, then where the seconds went."""
    parser = argparse.ArgumentParser()
    parser.add_argument("molecules", nargs="*", default=["water", "ethanol", "benzene"])
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--nwchem-steps", type=int, default=100)
    parser.add_argument(
        "--compare", type=int, default=500, help="steps also made by the reference, for the error"
    )
    parser.add_argument("--memory", default=[], type=lambda given: ["--memory", given], metavar="MB")
    options = parser.parse_args()
    header = [
        "molecule",
        "functions",
        "NWChem s a step",
        "NWChem s (extrapolated)",
        "hybrid wall s",
        "hybrid CPU s",
    ]
    header += ["ratio wall", "ratio CPU", "builds", "estimate", "error over first steps", "peak MiB"]
    print(markdown(header, []), flush=True)
    splits = []
    for name in options.molecules:
        deck = next(path for folder in FOLDERS if (path := folder / f"{name}.nw").exists())
        nwchem = measure(deck, options.nwchem_steps)
        whole = nwchem.seconds(options.steps)
        run = run_deck(deck_with_steps(deck, options.steps), "--save-density", "0", *options.memory)
        compared = min(options.compare, options.steps)
        alone = ("--surrogate", "none", "--save-density", "0", *options.memory)
        reference = run_deck(deck_with_steps(deck, compared), *alone)
        first = run.dipole[: len(reference.dipole)]
        s = run.summary
        row = [
            name,
            str(run.n_basis),
            f"{np.median(nwchem.cpu):.4f}",
            f"{whole:.0f}",
            f"{run.wall:.1f}",
            f"{run.cpu:.1f}",
        ]
        row += [f"{whole / run.wall:.0f}", f"{whole / run.cpu:.0f}", str(s["fock_builds"])]
        row += [
            f"{s['estimated_error']:.1e}",
            f"{trajectory_error(first, reference.dipole):.1e} ({compared})",
        ]
        row += [f"{run.peak / 2**20:.0f}"]
        print("| " + " | ".join(row) + " |", flush=True)
        parts = ", ".join(f"{what} {seconds:.2f}" for what, seconds in s["seconds"].items())
        splits.append(
            f"{name}: {parts}; reference {reference.cpu / compared:.4f} CPU s a step, start included"
        )
    print("\n".join(splits))


if __name__ == "__main__":
    main()
