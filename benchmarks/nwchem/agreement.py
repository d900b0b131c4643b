"""Dipoles of `hybrid-propagate` against real NWChem runs of the same decks, kicks along x, y and z.

    OMP_NUM_THREADS=1 python benchmarks/nwchem/agreement.py [deck ...]

- water_hf: Hartree-Fock (no quadrature), `tolerances interpol 1d-12`, `nchecks 0`, 40 au.
- water_tight: PBE0, NWChem's default grid and RT tolerances, its SCF converged tightly, 200 au.
- water_spectrum: the same with NWChem's default SCF thresholds, whose ground state moves by itself:
  the rows NWChem against NWChem (the tight deck) show by how much.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.log.reader import RunLog, read_log
from hybrid_propagate.driver.bench.tables import markdown

ROOT = Path(__file__).parents[2]

DECKS = tuple(
    ROOT / name
    for name in (
        "benchmarks/decks/water_hf.nw",
        "benchmarks/decks/water_tight.nw",
        "examples/water_spectrum.nw",
    )
)


def log_of(deck: Path, command: list[str]) -> list[RunLog]:
    """The log of one run of a deck, a run a tag."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / deck.name).write_text(deck.read_text())
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with open(Path(folder) / "log", "w") as log:
            subprocess.run(
                command, cwd=folder, stdout=log, stderr=subprocess.DEVNULL, env=environment, check=True
            )
        return read_log(Path(folder) / "log")


def compare(deck: str, who: str, theirs: list[RunLog], ours: list[RunLog]) -> None:
    """One row a kick."""
    for a_run, b_run in zip(theirs, ours, strict=True):
        a, b = a_run.find("Dipole moment", None), b_run.find("Dipole moment", None)
        assert np.array_equal(a.time, b.time)
        signal = a.values - a.values[0]
        difference = b.values - b.values[0] - signal
        along = "xyz".index(a_run.tag[-1])
        whole = np.sqrt(np.mean(difference**2) / np.mean(signal**2))
        part = np.sqrt(np.mean(difference[:, along] ** 2) / np.mean(signal[:, along] ** 2))
        largest = np.abs(b.values - a.values).max()
        row = [deck, a_run.tag, who, f"{whole:.1e}", f"{part:.1e}", f"{largest:.1e}"]
        print("| " + " | ".join(row) + " |", flush=True)


def main() -> None:
    """Run every deck by NWChem, by reference steps alone and by the hybrid."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("decks", nargs="*", metavar="deck", help="the names of some; without, all")
    names = parser.parse_args().decks
    header = [
        "deck",
        "kick",
        "against NWChem",
        "RMS difference / RMS signal",
        "along the kick",
        "largest, au",
    ]
    print(markdown(header, []), flush=True)
    ours = [sys.executable, "-m", "hybrid_propagate.driver.commands.propagate"]
    tight = None
    for deck in DECKS:
        if names and deck.stem not in names:
            continue
        nwchem = log_of(deck, ["nwchem", deck.name])
        compare(deck.stem, "reference steps", nwchem, log_of(deck, [*ours, deck.name, "--surrogate", "none"]))
        compare(deck.stem, "hybrid", nwchem, log_of(deck, [*ours, deck.name]))
        if deck.stem == "water_tight":
            tight = nwchem
        if deck.stem == "water_spectrum" and tight is not None:
            compare(deck.stem, "NWChem, SCF converged tightly", nwchem, tight)


if __name__ == "__main__":
    main()
