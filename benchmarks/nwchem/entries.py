"""What entering a resident NWChem again changes: ten entries in 50 steps beside an uninterrupted run.

    OMP_NUM_THREADS=1 python benchmarks/nwchem/entries.py DECK...

The change of the dipole, rms, relative to the signal's, for `tolerances interpol 1d-12` with `nchecks 0`, for
the deck's own tolerance with `nchecks 0`, and for the deck as it is. The resident NWChem has no check points.
A signal well above the ten digits of a restart file is wanted: kicks of 0.01 au and more.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.deck import GroundStateTask, PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.nwchem.basis_order import density_to_nwchem, nwchem_order
from hybrid_propagate.adapters.nwchem.deck_writer import ResidentTasks, nwchem_deck
from hybrid_propagate.adapters.nwchem.movecs import read_movecs
from hybrid_propagate.adapters.nwchem.process import NAME, NWChemProcess
from hybrid_propagate.adapters.nwchem.rt_restart import RestartPoint
from hybrid_propagate.driver.bench.tables import markdown

N_STEPS, N_ENTRIES = 50, 10


def dipoles(grounds: list[GroundStateTask], task: PropagationTask, length: int) -> np.ndarray:
    """NWChem's dipoles (N_STEPS + 1, 3) when it is given its own state again every `length` steps."""
    system = task.system
    order = nwchem_order(system)
    whole = length == N_STEPS
    n_points, n_checks = (N_STEPS + 1, task.real_time.n_checks) if whole else (1000, 0)
    label = ("Dipole moment", system.geometry.name, "total" if system.open_shell else "")
    with NWChemProcess("nwchem", system.n_spin, system.n_basis) as process:
        files = {ground.output: "o.movecs" for ground in grounds}
        process.start(
            nwchem_deck(NAME, grounds, task, files, ResidentTasks(n_points, n_checks, N_ENTRIES + 1))
        )
        orbitals = read_movecs(process.folder / "o.movecs", order, system.n_spin)
        state = RestartPoint(0, 0.0, density_to_nwchem(orbitals.density().astype(complex), order))
        found = []
        for _ in range(0, N_STEPS, length):
            process.send(RestartPoint(n_points - length - 1, state.time, state.densities))
            for k in range(length + 1):
                state, printed = process.receive()
                if k > 0 or not found:
                    found.append(printed.values[label])
    return np.array(found)


def change(deck: Path, tolerance: float | None, n_checks: int | None) -> float:
    """Relative change of the dipole by ten entries; None: as the deck has it."""
    read = read_deck(deck)
    task = next(t for t in reversed(read.tasks) if isinstance(t, PropagationTask))
    real_time = task.real_time
    if tolerance is not None:
        real_time = replace(real_time, tolerances=replace(real_time.tolerances, interpol=tolerance))
    if n_checks is not None:
        real_time = replace(real_time, n_checks=n_checks)
    task = replace(task, real_time=real_time)
    grounds = [t for t in read.tasks if isinstance(t, GroundStateTask)]
    whole, parts = (dipoles(grounds, task, length) for length in (N_STEPS, N_STEPS // N_ENTRIES))
    signal = whole - whole[0]
    return float(np.sqrt(np.mean((parts - whole) ** 2) / np.mean(signal**2)))


def main() -> None:
    """Measure each deck; print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("decks", nargs="+", type=Path, metavar="DECK")
    rows = []
    for deck in parser.parse_args().decks:
        found = (change(deck, 1e-12, 0), change(deck, None, 0), change(deck, None, None))
        rows.append([deck.stem, *(f"{value:.1e}" for value in found)])
    print(markdown(["deck", "interpol 1d-12, nchecks 0", "nchecks 0", "as it is"], rows))


if __name__ == "__main__":
    main()
