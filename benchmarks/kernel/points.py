"""Points of the nonlinear response: how many are learned, their error on rotations held out, and the seconds.

OMP_NUM_THREADS=1 python benchmarks/kernel/points.py

PBE0/6-31G. Grids of PySCF with nothing learned stand below.
"""

import time
from unittest.mock import patch

import numpy as np
from hybrid_propagate.adapters.pyscf.beyond_first_order import beyond_first_order
from hybrid_propagate.adapters.pyscf.engine import one_electron
from hybrid_propagate.adapters.pyscf.quadrature import make_quadrature
from hybrid_propagate.adapters.working_basis import make_working_basis
from hybrid_propagate.surrogate.nonlinear import nonlinear_response
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import (
    PointSource,
    held_out_error,
    on_points,
    rotations,
)
from pyscf import dft, gto

MOLECULES = {
    "water": "O 0 0 0.1173; H 0 0.7572 -0.4692; H 0 -0.7572 -0.4692",
    "LiH": "Li 0 0 0; H 0 0 1.5949",
}
PER_ATOM = (100, 200, 350, 600)
GRIDS = ((16, 38), (30, 110))
#: Rotations that neither learning nor its own choice of size has seen.
HELD_OUT, SEED = 12, 77


def main() -> None:
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


def source_of(atoms: str) -> PointSource:
    """Where points are learned from."""
    mol = gto.M(atom=atoms, basis="6-31g", verbose=0)
    mean_field = dft.RKS(mol, xc="pbe0").run(conv_tol=1e-11)
    density = np.asarray(mean_field.make_rdm1())[None]
    basis = make_working_basis(one_electron(mol, mol.atom_charges()), np.asarray(mean_field.get_fock())[None])
    ground = basis.density_in(density).astype(complex)
    return PointSource(make_quadrature(mol, "pbe0", 3, np.inf), basis, density, ground, 0.0, 0.0, 0.0)


if __name__ == "__main__":
    main()
