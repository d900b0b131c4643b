"""Seconds of one response by the exported network, through ONNX Runtime on one thread.

    OMP_NUM_THREADS=1 python benchmarks/neural_cost.py surrogate/weights/response

Inputs are random and of the right shapes: cost does not depend on values. Prints a Markdown table: of water
(13 functions), ethanol (39) and benzene (66) the medians of the step graph, of one matrix product with the
base alone (what any linear response costs), and of the encode graph, which runs once a geometry.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from hybrid_propagate.surrogate.atom_pairs import atom_pairs
from hybrid_propagate.surrogate.fitting_factors import N_CURRENTS, N_MOMENTS, N_TOKENS

SIZES = (("water", 3, 13), ("ethanol", 9, 39), ("benzene", 12, 66))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    sessions = [
        onnxruntime.InferenceSession(
            options.folder / f"{name}.onnx", settings, providers=["CPUExecutionProvider"]
        )
        for name in ("encode", "step")
    ]
    metadata = sessions[1].get_modelmeta().custom_metadata_map
    members, width = int(metadata["members"]), int(metadata["state"])
    print("| system | functions | step, ms | base alone, ms | encode, ms |\n|---|---|---|---|---|")
    for name, n_atoms, n in SIZES:
        rng = np.random.default_rng(0)
        numbers = np.full(n_atoms, 6)
        positions = rng.uniform(-4, 4, (n_atoms, 3)).astype(np.float32)
        geometry = {
            "atomic_numbers": numbers,
            "positions": positions,
            "pairs": atom_pairs(np.array([n_atoms])),
            "basis_moments": rng.random((n_atoms, N_MOMENTS), np.float32),
        }
        encoded = dict(
            zip((o.name for o in sessions[0].get_outputs()), sessions[0].run(None, geometry), strict=True)
        )
        assert np.asarray(encoded["metric"]).shape[0] == members
        p, a = n * (n + 1) // 2, n * (n - 1) // 2
        shapes = {
            "factors": (n_atoms * N_TOKENS, p),
            "currents": (n_atoms * N_CURRENTS, a),
            "base_real": (p, p),
            "base_imag": (a, a),
            "x": (p,),
            "y": (a,),
            "field": (3,),
            "state": (n_atoms, width),
        }
        feeds = encoded | {k: rng.standard_normal(shape, np.float32) for k, shape in shapes.items()}
        wanted = {entry.name for entry in sessions[1].get_inputs()}
        feeds = {k: onnxruntime.OrtValue.ortvalue_from_numpy(v) for k, v in feeds.items() if k in wanted}
        real, imaginary, x, y = (feeds[k].numpy() for k in ("base_real", "base_imag", "x", "y"))
        step = _median(lambda: sessions[1].run_with_ort_values(None, feeds), 60)  # noqa: B023
        base = _median(lambda: (real @ x, imaginary @ y), 60)  # noqa: B023
        encode = _median(lambda: sessions[0].run(None, geometry), 5)  # noqa: B023
        print(f"| {name} | {n} | {1e3 * step:.2f} | {1e3 * base:.2f} | {1e3 * encode:.0f} |", flush=True)
    return 0


def _median(work: Callable[[], object], count: int) -> float:
    """Seconds of processor time; the machine may be busy."""
    work()
    seconds = []
    for _ in range(count):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    sys.exit(main())
