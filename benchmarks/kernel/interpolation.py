"""f_xc between pairs of orbitals: summed over the grid, and interpolated in the cell of each nucleus.

    OMP_NUM_THREADS=1 python benchmarks/kernel/interpolation.py

Prints a Markdown table: processor seconds, and how far the matrices are apart. PBE0, no symmetry.
"""

import time

import numpy as np
from hybrid_propagate.adapters.pyscf.quadrature import make_expansion_point, make_kernel, make_quadrature
from hybrid_propagate.driver.bench.tables import markdown
from hybrid_propagate.surrogate.kernel.pair_interpolation import add_interpolated
from hybrid_propagate.surrogate.kernel.pair_quadrature import PairedOrbitals, add_exchange_correlation
from pyscf import dft, gto

LACTIC_ACID = """C -1.08265 0.85940 -0.18107; C -0.24993 -0.37664 -0.47223; O -1.01559 -1.52910 -0.11897
C 1.06741 -0.33145 0.29537; O 1.37110 -1.06883 1.22175; O 1.91372 0.62278 -0.13505
H -0.56181 1.77525 -0.47706; H -2.03950 0.81277 -0.71177; H -1.31455 0.93030 0.88776
H -0.02579 -0.45427 -1.54074; H -0.76781 -1.76129 0.79739; H 2.70540 0.52107 0.43461"""
CASES = (
    ("HBr", "H 0 0 0; Br 0.3 0.8 1.1", "6-31g"),
    ("H2CO", "C 0 0 0; O 0.3 0.6 0.95; H -0.9 0.3 -0.4; H 0.5 -0.9 -0.4", "aug-cc-pvdz"),
    ("lactic acid", LACTIC_ACID, "6-31g"),
    ("lactic acid", LACTIC_ACID, "6-31g*"),
)


def main() -> None:
    """Print the table."""
    header = ["molecule", "basis", "pairs", "points", "summed, CPU s", "interpolated, CPU s", "apart"]
    print(markdown(header, [row(*case) for case in CASES]))


def row(name: str, atoms: str, basis: str) -> list[str]:
    """Of one molecule."""
    mol = gto.M(atom=atoms, basis=basis, verbose=0)
    ground = dft.RKS(mol, xc="pbe0").run()
    quadrature = make_quadrature(mol, "pbe0", 3, 2e9)
    kernel = make_kernel(quadrature, make_expansion_point(quadrature, ground.make_rdm1()[None]))
    orbitals, occupied = np.asarray(ground.mo_coeff), mol.nelectron // 2
    a, i = (index.ravel() for index in np.indices((orbitals.shape[1] - occupied, occupied)))
    pairs = PairedOrbitals(0, orbitals, a + occupied, i, slice(0, len(a)))
    found, seconds = [], []
    for add in (add_exchange_correlation, add_interpolated):
        matrix, began = np.zeros((len(a), len(a))), time.process_time()
        add(quadrature, kernel, [[pairs]], [matrix])
        seconds.append(f"{time.process_time() - began:.1f}")
        found.append(matrix)
    apart = np.linalg.norm(found[1] - found[0]) / np.linalg.norm(found[0])
    return [name, basis, str(len(a)), str(len(quadrature.weights)), *seconds, f"{apart:.1e}"]


if __name__ == "__main__":
    main()
