"""What adaptation to a geometry's own pairs can know: errors by their number, within their span and outside.

    OMP_NUM_THREADS=1 python benchmarks/neural/adaptation.py training/shipped/weights.pt datasets/training

Prints a Markdown table, one row a molecule and number of pairs, at most four test geometries each: relative
errors of ΔF in percent, root mean square over the pairs not adapted to. A change x is split by the span of
the changes adapted to, x = x_in + x_out, and what the analytic kernel answers to either is compared with what
the adapted network does; both over the whole |ΔF|. *share*: of x that lies within the span.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from hybrid_propagate.surrogate.kernel.exchange_correlation import quadrature_cells, xc_kernel
from hybrid_propagate.surrogate.runtime.adaptation import adapt_token_kernel
from hybrid_propagate.surrogate.runtime.fitting_factors import lowdin_orbitals
from hybrid_propagate.surrogate.samples.pairs_file import SPLITS, read_pairs
from hybrid_propagate.surrogate.training.evaluate import load_model, token_kernels
from hybrid_propagate.surrogate.training.kernel_samples import LINEAR, geometry_pairs

NUMBERS, GEOMETRIES, GRID = (5, 10, 20), 4, 1


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--molecules", nargs="+")
    options = parser.parse_args()
    model, about = load_model(options.weights)
    levels = about["levels"]
    assert isinstance(levels, list)
    print("| molecule | pairs | zero-shot | adapted | within the span | outside | share |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for level in levels:
        for path in sorted((options.data / "pairs").glob(f"*_{level}.h5")):
            name = path.stem.removesuffix(f"_{level}")
            if options.molecules is None or name in options.molecules:
                _print_rows(model, path, name)
    return 0


def _print_rows(model, path: Path, name: str) -> None:
    content = read_pairs(path)
    chosen = np.flatnonzero(content.geometries.split == SPLITS.index("test"))[:GEOMETRIES]
    found: dict[int, list[np.ndarray]] = {n: [] for n in NUMBERS}
    for k in chosen:
        pairs = geometry_pairs(path, content, int(k))
        orbitals = lowdin_orbitals(pairs.mol)
        density = (orbitals @ pairs.density @ orbitals.T)[None]
        xc, cells = str(content.attributes["pyscf_xc"]), quadrature_cells(pairs.mol, GRID)
        kernel = xc_kernel(pairs.mol, density, xc, orbitals, cells, np.float64)
        start = token_kernels(model, content.atomic_numbers, pairs).astype(float).mean(0)
        for n in NUMBERS:
            found[n].append(_errors(pairs, kernel, start, content.atomic_numbers, n))
    for n in NUMBERS:
        zero, adapted, inside, outside, share = np.concatenate(found[n], axis=1)
        if len(zero):
            four = " | ".join(f"{100 * _rms(e):.2f}" for e in (zero, adapted, inside, outside))
            print(f"| {name} | {n} | {four} | {_rms(share):.2f} |", flush=True)


def _errors(pairs, kernel: np.ndarray, start: np.ndarray, numbers: np.ndarray, n: int) -> np.ndarray:
    """Zero-shot, adapted, within, outside, share: (5, pairs left)."""
    linear = np.flatnonzero(pairs.sizes <= LINEAR)
    few, others = linear[:n], linear[n:]
    if len(few) < n or len(others) == 0:
        return np.zeros((5, 0))
    B, x = pairs.factors.factors, pairs.x[others]
    missing = pairs.response_x - pairs.base_x
    sizes = np.hypot(np.linalg.norm(pairs.response_x, axis=1), np.linalg.norm(pairs.response_y, axis=1))
    rest = np.linalg.norm((pairs.response_y - pairs.base_y)[others], axis=1)
    adapted = adapt_token_kernel(start, B, numbers, pairs.x[few], missing[few]).token_kernel
    basis = np.linalg.qr(pairs.x[few].T)[0]
    inside = x @ basis @ basis.T

    def of_pairs(token_kernel: np.ndarray) -> np.ndarray:
        return (
            np.hypot(np.linalg.norm(missing[others] - x @ B.T @ token_kernel @ B, axis=1), rest)
            / sizes[others]
        )

    def of_kernel(part: np.ndarray) -> np.ndarray:
        return np.linalg.norm(part @ kernel - part @ B.T @ adapted @ B, axis=1) / sizes[others]

    share = np.linalg.norm(inside, axis=1) / np.linalg.norm(x, axis=1)
    return np.array([of_pairs(start), of_pairs(adapted), of_kernel(inside), of_kernel(x - inside), share])


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


if __name__ == "__main__":
    sys.exit(main())
