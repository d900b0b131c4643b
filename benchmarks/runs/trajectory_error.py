"""The hybrid against the same engine's reference steps alone: trajectory error and Fock builds.

OMP_NUM_THREADS=1 python benchmarks/runs/trajectory_error.py [--share 0.2] [case ...]
"""

import argparse
from pathlib import Path

from hybrid_propagate.driver.bench.deck_run import deck_with_steps, run_deck
from hybrid_propagate.driver.bench.score import trajectory_error
from hybrid_propagate.driver.bench.tables import markdown

ROOT = Path(__file__).parents[2]
DECKS = ROOT / "benchmarks/decks"

#: Case: deck, steps, --tol.
CASES = {
    "water, z kick": (ROOT / "examples/water.nw", 5000, 1e-3),
    "water, resonant pulse": (DECKS / "water_pulse.nw", 2500, 1e-2),
    "water, resonant pulse, tighter": (DECKS / "water_pulse.nw", 2500, 1e-3),
    "H2O+, z kick": (DECKS / "water_cation.nw", 2000, 1e-3),
    "NO2, y kick": (DECKS / "nitrogen_dioxide.nw", 1000, 1e-3),
    "ethanol, kick": (ROOT / "examples/ethanol.nw", 1500, 1e-3),
    "water, ionising field": (DECKS / "water_ionised.nw", 600, 1e-2),
    "HI, iodine with an ECP": (DECKS / "hydrogen_iodide.nw", 2000, 1e-3),
    "AgCl, B3LYP, silver with an ECP": (DECKS / "silver_chloride.nw", 1000, 1e-3),
    "H2CO, CAM-B3LYP": (DECKS / "formaldehyde_cam.nw", 1000, 1e-3),
    "Ag8, PBE, ECP": (DECKS / "silver_cluster.nw", 300, 1e-3),
}


def main() -> None:
    """Run the cases named (all without names) and print one row each as it comes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="case", help="; ".join(CASES))
    parser.add_argument("--share", type=float, default=1.0, help="of each case's steps")
    arguments = parser.parse_args()
    names = arguments.cases
    if unknown := set(names) - set(CASES):
        parser.error(f"{', '.join(sorted(unknown))}: no such case; accepted: {'; '.join(CASES)}")
    header = [
        "case",
        "steps",
        "--tol",
        "trajectory error",
        "stated",
        "met",
        "builds, reference",
        "builds, hybrid",
    ]
    header += ["anchors", "refinements", "rejected", "audits", "seconds"]
    print(markdown(header, []), flush=True)
    references = {}
    for name in names or CASES:
        deck, n_steps, tolerance = CASES[name]
        n_steps = round(n_steps * arguments.share)
        if deck not in references:
            references[deck] = run_deck(
                deck_with_steps(deck, n_steps), "--surrogate", "none", "--save-density", "0"
            )
        reference = references[deck]
        run = run_deck(deck_with_steps(deck, n_steps), "--tol", str(tolerance), "--save-density", "0")
        s = run.summary
        row = [name, str(n_steps), f"{tolerance:g}", f"{trajectory_error(run.dipole, reference.dipole):.1e}"]
        row += [f"{s['estimated_error']:.1e}", "yes" if s["tolerance_met"] else "no"]
        row += [str(reference.summary["fock_builds"]), str(s["fock_builds"])]
        row += [str(s["anchors"]), str(s["refinements"]), str(s["rejected"]), str(len(s["audits"]))]
        row.append(f"{run.cpu:.0f}")
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
