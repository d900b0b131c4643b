"""SCF iterations from the trained density network at geometries it was not trained on.

    python benchmarks/runs/neural_start.py                    benchmarks/decks/held_out.xyz, PySCF
    python benchmarks/runs/neural_start.py --nwchem           the same, the SCF by NWChem
    python benchmarks/runs/neural_start.py --unseen           molecules that it refuses, predicted anyway

PySCF: RKS, default DIIS and thresholds, grid level 1, from minao and from the network. NWChem: its own guess,
default thresholds. `--frames` takes so many geometries of each molecule, `--names` some molecules only.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.build import molecule as ase_molecule
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.pyscf.scf import run_pyscf_scf
from hybrid_propagate.adapters.system import System
from hybrid_propagate.driver.bench.tables import markdown
from hybrid_propagate.driver.warmstart.measure import Code, compare_scf, find_start
from hybrid_propagate.surrogate.starting_density.neural import (
    SHIPPED,
    NeuralDensity,
    find_readout,
    predict_fock,
)
from hybrid_propagate.surrogate.starting_density.purification import density_of_fock
from hybrid_propagate.surrogate.starting_density.weights import GRAPH, READOUTS, read_weights
from onnxruntime import InferenceSession
from warmstart import BASES, FUNCTIONALS, MEMORY, ground_of, system_of

HELD_OUT = Path(__file__).parents[1] / "decks/held_out.xyz"
UNSEEN = ("C2H6", "HCOOH", "H2CCO", "CH3CN", "N2H4", "C3H4_C3v")


def geometries(unseen: bool, frames: int, names: list[str] | None) -> Iterator[tuple[str, list[Atoms]]]:
    """Names and geometries of the molecules to measure."""
    if unseen:
        yield from ((name, [ase_molecule(name)]) for name in names or UNSEEN)
        return
    stored: dict[str, list[Atoms]] = {}
    for atoms in ase.io.iread(HELD_OUT):
        stored.setdefault(atoms.info["name"], []).append(atoms)
    yield from ((name, stored[name][:frames]) for name in names or stored)


def unchecked(system: System) -> np.ndarray:
    """The network's density of a molecule whose distances it has not seen, which `NeuralDensity` refuses."""
    weights = read_weights(SHIPPED / READOUTS)
    session = InferenceSession(SHIPPED / GRAPH, providers=["CPUExecutionProvider"])
    mole = molecule(system)
    readout = find_readout(weights, mole, "B3LYP" in system.functional.pyscf)
    fock = predict_fock(mole, weights, readout, session)
    return density_of_fock(fock[None], mole.intor("int1e_ovlp"), mole.nelec[:1])


def iterations(system: System, nwchem: bool, unseen: bool) -> tuple[int, int]:
    """SCF iterations from the code's own guess and from the network; energies must agree."""
    if nwchem:
        ground = ground_of(system)
        engine, start, seconds = find_start(ground, [NeuralDensity()], MEMORY)
        run = compare_scf(ground, engine, start, seconds, Code("nwchem", MEMORY))
        cold, warm = run.cold, run.warm
    else:
        cold = run_pyscf_scf(system, None)
        warm = run_pyscf_scf(system, unchecked(system) if unseen else NeuralDensity().predict(system))
    if not (cold.converged and warm.converged) or abs(cold.energy - warm.energy) > 1e-5:
        print(f"energies: {cold.energy:.8f} {warm.energy:.8f}", file=sys.stderr)
    return cold.iterations, warm.iterations


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--nwchem", action="store_true")
    parser.add_argument("--unseen", action="store_true")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--names", nargs="+")
    options = parser.parse_args()
    levels = [(basis, name, xc) for basis in BASES for name, xc in FUNCTIONALS.items()]
    rows, totals = [], np.zeros((len(levels), 2))
    for name, frames in geometries(options.unseen, options.frames, options.names):
        row = [name]
        for k, (basis, _, functional) in enumerate(levels):
            systems = [system_of(frame, basis, functional) for frame in frames]
            counts = np.array([iterations(s, options.nwchem, options.unseen) for s in systems])
            totals[k] += counts.mean(axis=0)
            row.append(" → ".join(f"{c:.1f}" for c in counts.mean(axis=0)))
        rows.append(row)
        print("|", " | ".join(row), "|", file=sys.stderr, flush=True)
    mean = totals / len(rows)
    rows.append(["mean", *(f"{cold:.2f} → {warm:.2f}" for cold, warm in mean)])
    rows.append(["fewer", *(f"{100 * (1 - warm / cold):.0f} %" for cold, warm in mean)])
    print(markdown(["iterations", *(f"{name}/{basis}" for basis, name, _ in levels)], rows))


if __name__ == "__main__":
    main()
