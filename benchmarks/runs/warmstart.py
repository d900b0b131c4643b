"""SCF iterations and seconds from every starting guess.

    python benchmarks/runs/warmstart.py molecules            14 molecules, two bases, two functionals
    python benchmarks/runs/warmstart.py held-out             the network's held-out geometries
    python benchmarks/runs/warmstart.py nwchem               the same in NWChem, from the network
    python benchmarks/runs/warmstart.py scan [--nwchem]      20 points along a bond, each from those before
    python benchmarks/runs/warmstart.py hard                 open shells, ions, ECPs, transition metals

PySCF's RKS or UKS with its default DIIS and thresholds, grid level 1 for all. `extrapolated` knows four
earlier geometries, the molecule scaled by 0.96 to 0.99. Seconds are processor seconds of one thread with the
prediction, as ratios to minao's; integrals are made once for all. `--guesses` runs some columns only.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import molecule as ase_molecule
from ase.io import read
from hybrid_propagate.adapters.deck import GroundStateTask, Place, Vectors
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.pyscf.scf import run_pyscf_scf
from hybrid_propagate.adapters.system import Functional, Geometry, System
from hybrid_propagate.adapters.system.geometry import ANGSTROM_PER_BOHR
from hybrid_propagate.driver.bench.tables import markdown
from hybrid_propagate.driver.warmstart.measure import Code, compare_along, compare_scf, find_start
from hybrid_propagate.driver.warmstart.named import NAMED
from hybrid_propagate.surrogate.starting_density.extrapolation import Extrapolation, snapshot
from hybrid_propagate.surrogate.starting_density.predictor import DensityPredictor, NotApplicable
from pyscf import gto

MOLECULES = (
    *("H2O", "NH3", "CH4", "HF", "CO", "N2", "HCN", "C2H2"),
    *("C2H4", "H2CO", "CH3OH", "CO2", "SH2", "HCl"),
)
BASES = ("6-31g", "def2-svp")
FUNCTIONALS = {"PBE": Functional("xpbe96 cpbe96", "PBE,PBE"), "B3LYP": Functional("b3lyp", "B3LYPG")}
SCALES = (0.96, 0.97, 0.98, 0.99)
GUESSES = (*NAMED, "extrapolated")
MEMORY = 1e9


@dataclass(frozen=True)
class Hard:
    """A molecule whose SCF is not easy. atoms: Å."""

    name: str
    atoms: Atoms
    charge: int = 0
    multiplicity: int = 1
    basis: str = "def2-svp"


def diatomic(a: str, b: str, length: float) -> Atoms:
    """Two atoms along z, Å."""
    return Atoms([a, b], [(0.0, 0.0, 0.0), (0.0, 0.0, length)])


#: Directions of a tetrahedron's corners.
CORNERS = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / np.sqrt(3.0)
METHYL = np.array([(1.03, 0.0, 2.3), (-0.515, 0.892, 2.3), (-0.515, -0.892, 2.3)])
HARD = (
    Hard("O2, triplet", ase_molecule("O2"), multiplicity=3),
    Hard("CH3, doublet", ase_molecule("CH3"), multiplicity=2),
    Hard("NO2, doublet", ase_molecule("NO2"), multiplicity=2),
    Hard("H2O+", ase_molecule("H2O"), charge=1, multiplicity=2),
    Hard("OH-", ase_molecule("OH"), charge=-1),
    Hard("NH4+", Atoms("NH4", np.vstack([np.zeros(3), 1.02 * CORNERS])), charge=1),
    Hard("HI, ECP", diatomic("I", "H", 1.61)),
    Hard("AgCl, ECP", diatomic("Ag", "Cl", 2.28)),
    Hard("CuCl", diatomic("Cu", "Cl", 2.05)),
    Hard("ScF", diatomic("Sc", "F", 1.79)),
    Hard("TiO, triplet", diatomic("Ti", "O", 1.62), multiplicity=3),
    Hard("ZnCH3+", Atoms("ZnCH3", np.vstack([(0, 0, 0), (0, 0, 1.95), METHYL])), charge=1),
)


def system_of(
    atoms: Atoms, basis: str, functional: Functional, charge: int = 0, multiplicity: int = 1
) -> System:
    """An ASE molecule, in spherical functions, on the coarse grid (PySCF's level 1)."""
    tags = tuple(atoms.get_chemical_symbols())
    geometry = Geometry(
        "m", tags, atoms.numbers, atoms.numbers.astype(float), atoms.positions / ANGSTROM_PER_BOHR
    )
    ecp = {tag: gto.basis.load_ecp(basis, tag) for tag in set(tags)}
    return System(
        geometry=geometry,
        geometries=(geometry,),
        basis={tag: gto.basis.load(basis, tag) for tag in set(tags)},
        spherical=True,
        ecp={tag: potential for tag, potential in ecp.items() if potential},
        fitting_basis=None,
        charge=charge,
        multiplicity=multiplicity,
        open_shell=multiplicity > 1,
        functional=functional,
        grid="coarse",
    )


def ground_of(system: System) -> GroundStateTask:
    """The task that a deck without any thresholds asks for."""
    return GroundStateTask(Place("benchmark", 1), system, Vectors(), "m.movecs", 1e-6, 1e-5, 50, False)


def scaled(system: System, factor: float) -> System:
    """The system with all distances multiplied."""
    geometry = system.geometry
    return replace(system, geometry=replace(geometry, positions=geometry.positions * factor))


def earlier(system: System) -> Extrapolation:
    """Four converged densities on the way to this geometry."""
    known = []
    density = None
    for factor in SCALES:
        there = scaled(system, factor)
        run = run_pyscf_scf(there, density, max_iterations=100)
        density = run.orbitals.density()
        known.append(snapshot(there, density))
    return Extrapolation(tuple(known))


def molecules(guesses: Sequence[str], names: Sequence[str]) -> None:
    """One row a basis and functional: mean iterations and median time ratio of every guess."""
    rows, detail = [], []
    for basis in BASES:
        for name, functional in FUNCTIONALS.items():
            counts: dict[str, list[int]] = {guess: [] for guess in guesses}
            ratios: dict[str, list[float]] = {guess: [] for guess in guesses}
            for formula in names:
                system = system_of(ase_molecule(formula), basis, functional)
                found = {guess: run for guess in guesses if (run := one(system, guess)) is not None}
                for guess, (iterations, seconds) in found.items():
                    counts[guess].append(iterations)
                    ratios[guess].append(seconds / found["minao"][1])
                shown = [str(found[g][0]) if g in found else "" for g in guesses]
                detail.append([f"{formula}, {name}/{basis}", *shown])
                print("|", " | ".join(detail[-1]), "|", file=sys.stderr, flush=True)
            rows.append(
                [
                    f"{name}/{basis}",
                    *(_summary(counts[g], ratios[g], len(names)) for g in guesses),
                ]
            )
    print(markdown(["iterations, mean (seconds to minao's, median)", *guesses], rows))
    print()
    print(markdown(["iterations", *guesses], detail))


def _summary(counts: list[int], ratios: list[float], n_molecules: int) -> str:
    if not counts:
        return ""
    of = "" if len(counts) == n_molecules else f", {len(counts)} molecules"
    return f"{np.mean(counts):.2f} ({statistics.median(ratios):.2f}{of})"


def one(system: System, guess: str) -> tuple[int, float] | None:
    """Iterations and processor seconds of one SCF, prediction included; None where it does not apply."""
    predictor: DensityPredictor = earlier(system) if guess == "extrapolated" else NAMED[guess]
    packed = molecule(system).intor("int2e", aosym="s8")
    try:
        # Libraries load and atoms are solved once, at the first call.
        predictor.predict(system)
    except NotApplicable:
        return None
    began = time.process_time()
    run = run_pyscf_scf(system, predictor.predict(system), packed)
    if not run.converged:
        print(f"{guess}: not converged", file=sys.stderr)
    return run.iterations, time.process_time() - began


def scan(nwchem: bool) -> None:
    """Water's OH, formaldehyde's CO and ethylene's CC bond, 20 points each, both functionals."""
    rows = []
    code = Code("nwchem" if nwchem else None, MEMORY)
    for formula, k, group, lengths in (
        ("H2O", 0, (1,), np.linspace(0.85, 1.2, 20)),
        ("H2CO", 0, (1, 2, 3), np.linspace(1.1, 1.4, 20)),
        ("C2H4", 0, (1, 4, 5), np.linspace(1.2, 1.5, 20)),
    ):
        for name, functional in FUNCTIONALS.items():
            atoms = ase_molecule(formula)
            system = system_of(atoms, "def2-svp", functional)
            axis = atoms.positions[group[0]] - atoms.positions[k]
            frames = []
            for length in lengths:
                positions = atoms.positions.copy()
                positions[list(group)] += axis * (length / np.linalg.norm(axis) - 1.0)
                frames.append(replace(system.geometry, positions=positions / ANGSTROM_PER_BOHR))
            runs = list(compare_along(ground_of(system), frames, [], code))
            cold, warm = ([getattr(run, kind).iterations for run in runs] for kind in ("cold", "warm"))
            seconds = sum(run.warm.seconds + run.guess_seconds for run in runs)
            rows.append(
                [
                    f"{formula}, {name}/def2-svp",
                    f"{np.mean(cold):.2f}",
                    f"{np.mean(warm):.2f}",
                    f"{100.0 * (1.0 - sum(warm) / sum(cold)):.0f} %",
                    f"{seconds / sum(run.cold.seconds for run in runs):.2f}",
                    f"{max(abs(run.difference) for run in runs):.0e}",
                    "yes" if all(run.same for run in runs) else "NO",
                ]
            )
            print("|", " | ".join(rows[-1]), "|", file=sys.stderr, flush=True)
    heads = [f"from {code.standard}", "extrapolated", "fewer", "seconds, ratio", "ΔE, Ha", "same energy"]
    print(markdown(["20 points", *heads], rows))


def nwchem(names: Sequence[str]) -> None:
    """NWChem's iterations from its atomic guess and from the network's orbitals, its default thresholds."""
    rows = []
    for basis in BASES:
        for formula in names:
            ground = ground_of(system_of(ase_molecule(formula), basis, FUNCTIONALS["PBE"]))
            engine, start, seconds = find_start(ground, [NAMED["neural"]], MEMORY)
            if start.name == "neural":
                run = compare_scf(ground, engine, start, seconds, Code("nwchem", MEMORY))
                counts = [str(run.cold.iterations), str(run.warm.iterations)]
                rows.append([f"{formula}, PBE/{basis}", *counts, f"{run.difference:.0e}"])
                print("|", " | ".join(rows[-1]), "|", file=sys.stderr, flush=True)
    print(markdown(["NWChem's iterations", "its atomic guess", "neural", "ΔE, Ha"], rows))


def held_out() -> None:
    """The geometries of held_out.xyz, on which the network was not trained: mean iterations by molecule."""
    counts: dict[str, list[tuple[int, int]]] = {}
    for atoms in read(Path(__file__).parents[1] / "decks/held_out.xyz", index=":"):
        system = system_of(atoms, "6-31g", FUNCTIONALS["PBE"])
        predicted = one(system, "neural")
        if predicted is not None and (standard := one(system, "minao")) is not None:
            name = atoms.get_chemical_formula()
            counts.setdefault(name, []).append((standard[0], predicted[0]))
            print("|", name, "|", standard[0], "|", predicted[0], "|", file=sys.stderr, flush=True)
    rows = [[name, str(len(v)), *(f"{m:.2f}" for m in np.mean(v, axis=0))] for name, v in counts.items()]
    every = np.mean([pair for pairs in counts.values() for pair in pairs], axis=0)
    rows.append(["all", str(sum(map(len, counts.values()))), *(f"{m:.2f}" for m in every)])
    print(markdown(["PBE/6-31g, held out", "geometries", "minao", "neural"], rows))


def hard() -> None:
    """Every start that the command might choose, against PySCF's default, checks counted."""
    rows = []
    for case in HARD:
        system = system_of(case.atoms, case.basis, FUNCTIONALS["PBE"], case.charge, case.multiplicity)
        ground = replace(ground_of(system), max_iterations=100)
        cold = run_pyscf_scf(system, None, max_iterations=100)
        row = [case.name, str(cold.iterations) + ("" if cold.converged else " (not converged)")]
        for predictors in ([NAMED["atomic-density"]], [earlier(system)]):
            engine, start, _ = find_start(ground, predictors, MEMORY)
            warm = run_pyscf_scf(system, start.density, engine.two_electron.packed, 100)
            row += [start.name, str(warm.iterations), f"{warm.energy - cold.energy:.0e}"]
        rows.append(row)
        print("|", " | ".join(row), "|", file=sys.stderr, flush=True)
    heads = [
        "minao",
        "--guess atomic-density",
        "iterations",
        "ΔE, Ha",
        "with four earlier geometries",
        "iterations",
        "ΔE, Ha",
    ]
    print(markdown(["case, PBE/def2-svp", *heads], rows))


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("molecules", "held-out", "nwchem", "scan", "hard"))
    parser.add_argument("--guesses", nargs="+", choices=GUESSES, default=GUESSES)
    parser.add_argument("--names", nargs="+", default=MOLECULES)
    parser.add_argument("--nwchem", action="store_true")
    options = parser.parse_args()
    if options.what == "molecules":
        molecules(options.guesses, options.names)
    elif options.what == "held-out":
        held_out()
    elif options.what == "nwchem":
        nwchem(options.names)
    elif options.what == "scan":
        scan(options.nwchem)
    else:
        hard()


if __name__ == "__main__":
    main()
