"""Points of the nonlinear response: how many are learned, their error on rotations held out, and the seconds.

OMP_NUM_THREADS=1 python benchmarks/kernel/points.py
OMP_NUM_THREADS=1 python benchmarks/kernel/points.py --sizes

PBE0/6-31G. Grids of PySCF with nothing learned stand below.
With --sizes: molecules of 13 to 120 functions and one set with diffuse ones, points as a run at --tol 1e-2 or
1e-3 chooses them, and milliseconds of r beside those of the reference's exchange-correlation matrix.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import ase.build
import numpy as np
from hybrid_propagate.adapters.pyscf.beyond_first_order import beyond_first_order
from hybrid_propagate.adapters.pyscf.engine import one_electron
from hybrid_propagate.adapters.pyscf.quadrature import (
    exchange_correlation,
    make_expansion_point,
    make_quadrature,
)
from hybrid_propagate.adapters.working_basis import make_working_basis
from hybrid_propagate.surrogate.nonlinear import nonlinear_response
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import (
    PointSource,
    held_out_error,
    on_points,
    real_out,
    rotations,
)
from pyscf import dft, gto

MOLECULES = {
    "water": "O 0 0 0.1173; H 0 0.7572 -0.4692; H 0 -0.7572 -0.4692",
    "LiH": "Li 0 0 0; H 0 0 1.5949",
}
PER_ATOM = (100, 200, 350, 600)
GRIDS = ((16, 38), (30, 110))
#: Names in ASE's G2 set, basis, and whether there are six d functions, as NWChem has them by default.
SIZES = (
    ("H2O", "6-31g", False),
    ("H2CO", "6-31g", False),
    ("CH3CH2OH", "6-31g", False),
    ("C6H6", "6-31g", False),
    ("C6H6", "6-31g*", False),
    ("C6H6", "6-31g**", True),
    ("H2O", "aug-cc-pvdz", False),
)
#: Error of r that a run of some length asks for at both tolerances.
WANTED = 5e-3
#: Evaluations that are timed.
TIMED = 20
#: Rotations that neither learning nor its own choice of size has seen.
HELD_OUT, SEED = 12, 77


def main() -> None:
    """One of the two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", action="store_true")
    if parser.parse_args().sizes:
        by_size()
    else:
        by_points()


def by_size() -> None:
    """A row for every molecule and basis."""
    header = ("molecule", "basis", "functions", "points", "of the grid", "error", "first order")
    header = (*header, "CPU s to learn", "ms an r", "ms a reference V_xc")
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for name, basis, cartesian in SIZES:
        molecule = ase.build.molecule(name)
        atoms = list(zip(molecule.get_chemical_symbols(), molecule.positions.tolist(), strict=True))
        source = replace(source_of(atoms, basis, cartesian=cartesian), wanted=WANTED, wanted_whole=WANTED)
        began = time.process_time()
        with patch.object(nonlinear_response, "USELESS", np.inf):
            made = source.make()
        seconds = time.process_time() - began
        assert made is not None
        fine = beyond_first_order(source.fine, source.density, whole=made.whole)
        held_out = rotations(source.ground, HELD_OUT, np.random.default_rng(SEED))
        error = held_out_error(made, fine, held_out)
        point = make_expansion_point(source.fine, source.density)
        changed = source.density + real_out(source.basis, held_out[0])
        of_points = milliseconds(lambda of=made, change=held_out[0]: of(change))
        of_grid = milliseconds(
            lambda fine=source.fine, point=point, at=changed: exchange_correlation(fine, point, at)
        )
        sizes = (source.fine.mol.nao, len(made.weights), source.fine.weights.size)
        cells = [name, basis, *map(str, sizes), f"{error:.1e}", "left in" if made.whole else "apart"]
        cells += [f"{seconds:.1f}", f"{of_points:.2f}", f"{of_grid:.1f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


def milliseconds(call: Callable[[], object]) -> float:
    """Processor time of a call, after a first."""
    call()
    began = time.process_time()
    for _ in range(TIMED):
        call()
    return 1e3 * (time.process_time() - began) / TIMED


def by_points() -> None:
    """A row for every size and grid."""
    print("| molecule | points an atom, asked | points | error | first order | CPU s |")
    print("|---|---|---|---|---|---|")
    for name, atoms in MOLECULES.items():
        source = source_of(atoms)
        held_out = rotations(source.ground, HELD_OUT, np.random.default_rng(SEED))
        for per_atom in PER_ATOM:
            began = time.process_time()
            with (
                patch.object(nonlinear_response, "PER_ATOM", (per_atom,)),
                patch.object(nonlinear_response, "USELESS", np.inf),
            ):
                made = source.make()
            seconds = time.process_time() - began
            assert made is not None
            fine = beyond_first_order(source.fine, source.density, whole=made.whole)
            error = held_out_error(made, fine, held_out)
            first = "left in" if made.whole else "apart"
            cells = [name, str(per_atom), str(len(made.weights)), f"{error:.1e}", first, f"{seconds:.1f}"]
            print("| " + " | ".join(cells) + " |", flush=True)
        for size in GRIDS:
            grids = dft.gen_grid.Grids(source.fine.mol)
            grids.atom_grid = size
            grids.build()
            places = (grids.coords, grids.weights)
            plain = on_points(source.fine, source.basis, source.density, places, whole=made.whole)
            error = held_out_error(plain, fine, held_out)
            print(f"| {name} | PySCF's {size} | {grids.weights.size} | {error:.1e} | {first} | |", flush=True)


def source_of(
    atoms: str | list[tuple[str, list[float]]], basis_set: str = "6-31g", *, cartesian: bool = False
) -> PointSource:
    """Where points are learned from. cartesian: six d functions, not five."""
    mol = gto.M(atom=atoms, basis=basis_set, cart=cartesian, verbose=0)
    mean_field = dft.RKS(mol, xc="pbe0").run(conv_tol=1e-11)
    density = np.asarray(mean_field.make_rdm1())[None]
    basis = make_working_basis(one_electron(mol, mol.atom_charges()), np.asarray(mean_field.get_fock())[None])
    ground = basis.density_in(density).astype(complex)
    return PointSource(make_quadrature(mol, "pbe0", 3, np.inf), basis, density, ground, 0.0, 0.0, 0.0)


if __name__ == "__main__":
    main()
