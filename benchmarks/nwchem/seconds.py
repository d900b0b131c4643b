"""Seconds that real NWChem takes per RT-TDDFT step of a deck, on one core.

    python benchmarks/nwchem/seconds.py examples/water.nw examples/ethanol.nw examples/benzene.nw --steps 120

Runs each deck in a temporary folder with OMP_NUM_THREADS=1, its `tmax` cut so that the given number of
steps is made and `cputime` added to what it prints. NWChem flushes every line of its log, so the arrival of
the lines gives the wall time of each step and the lines themselves its CPU time; on a busy machine only the
latter means much. The table gives medians and quartiles, the CPU seconds before the first step (ground
state, set-up), and what 10,000 steps would take at the mean CPU time.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Measurement:
    """Seconds of (n_steps,) single steps, by the clock and of the processor; CPU seconds before the first."""

    before: float
    wall: np.ndarray
    cpu: np.ndarray

    def seconds(self, n_steps: int) -> float:
        """CPU seconds of a run of n steps, at the mean step measured."""
        return self.before + n_steps * float(self.cpu.mean())


def shortened(deck: str, n_steps: int) -> str:
    """The deck with `tmax` such that NWChem makes n steps (nt = n + 1), printing the CPU time before each."""
    step = re.search(r"^\s*dt\s+(\S+)", deck, re.MULTILINE)
    if step is None or not re.search(r"^\s*print\s", deck, re.MULTILINE):
        raise SystemExit("the deck needs a dt and a print line")
    tmax = (n_steps + 0.5) * float(step[1])
    deck = re.sub(r"^(\s*tmax\s+)\S+", rf"\g<1>{tmax:.4f}", deck, flags=re.MULTILINE)
    return re.sub(r"^(\s*print\s.*)$", r"\1 cputime", deck, flags=re.MULTILINE)


def measure(deck: Path, n_steps: int) -> Measurement:
    """Run NWChem on a shortened copy of the deck and time its lines as they arrive."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, deck.name).write_text(shortened(deck.read_text(), n_steps))
        with subprocess.Popen(
            ["nwchem", deck.name],
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        ) as nwchem:
            assert nwchem.stdout is not None
            points = [
                (time.perf_counter(), float(line.split()[2]))
                for line in nwchem.stdout
                if "# CPU time" in line
            ]
    if nwchem.returncode or len(points) != n_steps:
        raise SystemExit(
            f"{deck}: NWChem ended with exit code {nwchem.returncode} after {len(points)} points"
        )
    wall, cpu = np.array(points).T
    return Measurement(float(cpu[0]), np.diff(wall), np.diff(cpu))


def main() -> None:
    """Measure each deck and print one row of the table for it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("decks", nargs="+", type=Path, metavar="DECK")
    parser.add_argument("--steps", type=int, default=120, help="steps to time (default %(default)s)")
    arguments = parser.parse_args()
    if shutil.which("nwchem") is None:
        sys.exit("nwchem is not on the PATH")
    print("| deck | before step 1, CPU s | CPU s a step (quartiles) | wall s a step | 10,000 steps, CPU s |")
    print("|---|---|---|---|---|")
    for deck in arguments.decks:
        m = measure(deck, arguments.steps)
        low, median, high = np.percentile(m.cpu, (25, 50, 75))
        print(
            f"| {deck.stem} | {m.before:.2f} | {median:.4f} ({low:.4f} to {high:.4f}) "
            f"| {np.median(m.wall):.4f} | {m.seconds(10_000):.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
