"""What the analytic kernel's error consists of: its grid, and what is not linear.

    OMP_NUM_THREADS=1 python benchmarks/kernel/grid_error.py datasets/training/pairs/LiH_pbe0_6-31g.h5

Prints a Markdown table of relative errors of ΔF in percent over the first six geometries of a pairs file,
root mean square (median in brackets), by the size of the change and by PySCF's level of the kernel's grid.
"""

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from hybrid_propagate.surrogate.kernel.exchange_correlation import quadrature_cells, xc_kernel
from hybrid_propagate.surrogate.runtime.fitting_factors import lowdin_orbitals, mean_field_kernel
from hybrid_propagate.surrogate.samples.pairs_file import read_pairs
from hybrid_propagate.surrogate.training.kernel_samples import geometry_pairs

LEVELS, SIZES, GEOMETRIES = (1, 3, 5), (0.0, 0.002, 0.005, 0.01, 0.02, 0.05), 6


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    path = parser.parse_args().pairs
    content = read_pairs(path)
    xc = str(content.attributes["pyscf_xc"])
    sizes, errors = [], []
    for k in range(GEOMETRIES):
        pairs = geometry_pairs(path, content, k)
        orbitals, base = lowdin_orbitals(pairs.mol), mean_field_kernel(pairs.mol, xc)
        density = (orbitals @ pairs.density @ orbitals.T)[None]
        rest = np.linalg.norm(pairs.response_y - pairs.base_y, axis=1)
        whole = np.hypot(np.linalg.norm(pairs.response_x, axis=1), np.linalg.norm(pairs.response_y, axis=1))
        of_levels = []
        for level in LEVELS:
            cells = quadrature_cells(pairs.mol, level)
            kernel = base.real + xc_kernel(pairs.mol, density, xc, orbitals, cells, np.float64)
            wrong = np.linalg.norm(pairs.response_x - pairs.x @ kernel, axis=1)
            of_levels.append(np.hypot(wrong, rest) / whole)
        sizes.append(pairs.sizes)
        errors.append(np.array(of_levels))
    size, error = np.concatenate(sizes), np.concatenate(errors, axis=1)
    print("| δP up to | pairs | " + " | ".join(f"grid {level}" for level in LEVELS) + " |")
    print("|---|---|" + "---|" * len(LEVELS))
    for low, high in pairwise(SIZES):
        part = error[:, (size > low) & (size <= high)]
        if part.size:
            cells = [f"{100 * np.sqrt((e**2).mean()):.2f} ({100 * np.median(e):.2f})" for e in part]
            print(f"| {high} | {part.shape[1]} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
