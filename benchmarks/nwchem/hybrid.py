"""The hybrid with NWChem as its reference, whole runs, beside plain NWChem on the same deck and core.

    OMP_NUM_THREADS=1 python benchmarks/nwchem/hybrid.py examples/water.nw:10000 --plain 10000
    OMP_NUM_THREADS=1 python benchmarks/nwchem/hybrid.py examples/benzene.nw:5000

Plain NWChem makes `--plain` steps (120 at least); its whole run is its seconds before the first step plus the
mean CPU seconds of a step times the steps, marked `extrapolated`, unless it makes them all. The trajectory
error is over the steps that both have made. On a machine with other work only processor seconds mean much:
both are given, NWChem's own within the hybrid included.

A second table gives what driving costs: an entry (from handing over a state to the first point back), the
first one left out, and a streamed step beside one of plain NWChem, both in CPU seconds of NWChem's own clock.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.deck import GroundStateTask, PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.log.reader import RunLog, read_log
from hybrid_propagate.adapters.nwchem.basis_order import density_to_nwchem, nwchem_order
from hybrid_propagate.adapters.nwchem.deck_writer import ResidentTasks, nwchem_deck
from hybrid_propagate.adapters.nwchem.movecs import read_movecs
from hybrid_propagate.adapters.nwchem.process import NAME, NWChemProcess
from hybrid_propagate.adapters.nwchem.rt_restart import RestartPoint
from hybrid_propagate.driver.bench.deck_run import deck_with_steps, run_deck
from hybrid_propagate.driver.bench.tables import markdown
from seconds import shortened

LEAST_PLAIN = 120
_POINTS = 1000


def plain_log(deck: Path, n_steps: int) -> RunLog:
    """The log of plain NWChem's first `n_steps` points, with its CPU time at each."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / deck.name).write_text(shortened(deck.read_text(), n_steps))
        with open(Path(folder) / "log", "w") as log:
            subprocess.run(
                ["nwchem", deck.name],
                cwd=folder,
                stdout=log,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                check=True,
            )
        return read_log(Path(folder) / "log")[-1]


def whole_run(deck: Path, n_steps: int, n_plain: int) -> tuple[list[str], RunLog]:
    """One row of the first table, and plain NWChem's log."""
    plain = plain_log(deck, n_plain)
    run = run_deck(deck_with_steps(deck, n_steps), "--engine", "nwchem", "--save-density", "0")
    cpu = plain.find("CPU time").values[:, 0]
    seconds = cpu[0] + n_steps * np.diff(cpu).mean()
    reference = plain.find("Dipole moment").values
    n = min(len(reference), len(run.dipole))
    signal = reference[:n] - reference[0]
    change = run.dipole[:n] - run.dipole[0] - signal
    error = float(np.sqrt(np.sum(change**2) / np.sum(signal**2)))
    split = ", ".join(f"{what} {value:.1f}" for what, value in run.summary["seconds"].items())
    row = [
        *(deck.stem, str(n_steps), f"{seconds:.0f}{'' if n_plain >= n_steps else ' (extrapolated)'}"),
        *(f"{run.cpu:.1f}", f"{run.wall:.1f}", f"{seconds / run.cpu:.0f}", f"{seconds / run.wall:.0f}"),
        *(f"{error:.1e} over {n}", f"{run.summary['estimated_error']:.1e}"),
        *(f"{run.summary['nwchem']['seconds']:.1f}", split),
    ]
    return row, plain


def driving(deck: Path, plain: RunLog) -> list[str]:
    """One row of the second table."""
    read = read_deck(deck)
    task = next(t for t in reversed(read.tasks) if isinstance(t, PropagationTask))
    grounds = [t for t in read.tasks if isinstance(t, GroundStateTask)]
    system = task.system
    order = nwchem_order(system)
    with NWChemProcess("nwchem", system.n_spin, system.n_basis) as process:
        files = {ground.output: "o.movecs" for ground in grounds}
        process.start(nwchem_deck(NAME, grounds, task, files, ResidentTasks(_POINTS, 0, 50)))
        orbitals = read_movecs(process.folder / "o.movecs", order, system.n_spin)
        state = density_to_nwchem(orbitals.density().astype(complex), order)
        entries = []
        for _ in range(6):
            began = time.perf_counter()
            process.send(RestartPoint(_POINTS - 1, 0.0, state))
            process.receive()
            entries.append(time.perf_counter() - began)
            process.finish()
        process.send(RestartPoint(_POINTS - 31, 0.0, state))
        streamed = [process.receive()[1].values["CPU time", "", ""][0] for _ in range(31)]
    step, own = np.median(np.diff(plain.find("CPU time").values[:31, 0])), np.median(np.diff(streamed))
    return [
        *(deck.stem, str(system.n_basis), f"{np.median(entries[1:]):.3f}"),
        *(f"{step:.4f}", f"{own:.4f}", f"{100 * (own / step - 1):.1f} %"),
    ]


def main() -> None:
    """Measure each deck; print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("decks", nargs="+", metavar="DECK:STEPS")
    parser.add_argument("--plain", type=int, default=LEAST_PLAIN, help="steps of plain NWChem (default 120)")
    arguments = parser.parse_args()
    if arguments.plain < LEAST_PLAIN:
        sys.exit(f"at least {LEAST_PLAIN} steps of plain NWChem are needed")
    rows, costs = [], []
    for word in arguments.decks:
        name, _, steps = word.rpartition(":")
        row, plain = whole_run(Path(name), int(steps), arguments.plain)
        rows.append(row)
        costs.append(driving(Path(name), plain))
    header = ["deck", "steps", "NWChem CPU s", "hybrid CPU s", "hybrid wall s", "times (CPU)", "times (wall)"]
    split = ["of it in NWChem, wall s", "wall s by part"]
    print(markdown([*header, "trajectory error", "estimate", *split], rows))
    print()
    header = ["deck", "functions", "entry, wall s", "plain step, CPU s", "streamed step, CPU s", "difference"]
    print(markdown(header, costs))


if __name__ == "__main__":
    main()
