"""Dipoles of `hybrid-propagate` against a real NWChem run of the same deck.

    OMP_NUM_THREADS=1 python benchmarks/nwchem_agreement.py

Kicks along x, y, z: PBE0 with NWChem's default grid and tolerances over 200 au, and Hartree-Fock (no
quadrature) with `tolerances interpol 1d-12` and `nchecks 0` over 40 au.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.log_reader import RunLog, read_log
from runs import HERE, ROOT, markdown


def logs(deck: Path) -> dict[str, list[RunLog]]:
    """NWChem's log of a deck and ours, by reference steps alone and hybrid."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ours = [
        sys.executable,
        "-m",
        "hybrid_propagate.driver.propagate_command",
        deck.name,
        "--save-density",
        "0",
    ]
    commands = {
        "NWChem": ["nwchem", deck.name],
        "reference steps": [*ours, "--surrogate", "none"],
        "hybrid": ours,
    }
    found = {}
    for name, command in commands.items():
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / deck.name).write_text(deck.read_text())
            with open(Path(folder) / "log", "w") as log:
                subprocess.run(
                    command, cwd=folder, stdout=log, stderr=subprocess.DEVNULL, env=environment, check=True
                )
            found[name] = read_log(Path(folder) / "log")
    return found


def main() -> None:
    """One row a deck, kick and way of running."""
    print(markdown(["deck", "kick", "steps by", "RMS difference / RMS signal", "largest difference, au"], []))
    for deck in (HERE / "decks/water_hf.nw", ROOT / "examples/water_spectrum.nw"):
        found = logs(deck)
        for mine in ("reference steps", "hybrid"):
            for theirs, ours in zip(found["NWChem"], found[mine], strict=True):
                a, b = theirs.find("Dipole moment", None), ours.find("Dipole moment", None)
                assert np.array_equal(a.time, b.time)
                signal, difference = (
                    a.values - a.values[0],
                    (b.values - b.values[0]) - (a.values - a.values[0]),
                )
                share = np.sqrt(np.mean(difference**2) / np.mean(signal**2))
                largest = np.abs(b.values - a.values).max()
                print(f"| {deck.stem} | {theirs.tag} | {mine} | {share:.1e} | {largest:.1e} |", flush=True)


if __name__ == "__main__":
    main()
