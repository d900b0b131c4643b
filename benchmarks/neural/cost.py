"""Seconds of one response by the exported network, through ONNX Runtime on one thread.

    OMP_NUM_THREADS=1 python benchmarks/neural/cost.py surrogate/weights/response

Inputs are random and of the right shapes: cost does not depend on values. Prints two Markdown tables, medians
of processor time. The first, of one density change: the response graph, which a propagation asks; the step
graph, with the memory's look ahead; the two matrix products alone (numpy) that any linear response costs; and
the encode graph, which runs once a geometry. The second, of the response graph by size and by how many
trajectories of one geometry are asked for together: milliseconds of all, responses a second, and the growth
exponents, over sizes from 13 functions on and over trajectories, by least squares in the logarithms.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hybrid_propagate.surrogate.matrices.atom_pairs import atom_pairs
from hybrid_propagate.surrogate.runtime.fitting_factors import N_CURRENTS, N_MOMENTS, N_TOKENS
from onnxruntime import InferenceSession, OrtValue, SessionOptions

#: Name, atoms, functions in 6-31G.
SIZES = (("water", 3, 13), ("ethylene", 6, 26), ("ethanol", 9, 39), ("benzene", 12, 66))
BATCHES = (1, 16, 64, 256)


@dataclass(frozen=True, eq=False)
class Graphs:
    """The sessions, by name."""

    encode: InferenceSession
    response: InferenceSession
    step: InferenceSession


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    settings = SessionOptions()
    settings.intra_op_num_threads = 1
    graphs = Graphs(
        *(
            InferenceSession(options.folder / f"{name}.onnx", settings, ["CPUExecutionProvider"])
            for name in Graphs.__dataclass_fields__
        )
    )
    print("| system | functions | response, ms | step with memory, ms | products alone, ms | encode, ms |")
    print("|---|---|---|---|---|---|")
    inputs = {name: _inputs(graphs, n_atoms, n) for name, n_atoms, n in SIZES}
    for name, _, n in SIZES:
        arrays = inputs[name]
        x, y, real, imaginary = (arrays[key] for key in ("x", "y", "real", "imag"))
        one = _feeds(graphs.response, arrays | {"x": x[None], "y": y[None]})
        seconds = (
            _median(_call(graphs.response, one), 60),
            _median(_call(graphs.step, _feeds(graphs.step, arrays)), 60),
            _median(_products(real, imaginary, x, y), 60),
            _median(_call(graphs.encode, _feeds(graphs.encode, arrays)), 5),
        )
        cells = (f"{1e3 * s:.{digits}f}" for s, digits in zip(seconds, (3, 2, 3, 0), strict=True))
        print(f"| {name} | {n} | " + " | ".join(cells) + " |", flush=True)
    _print_batches(graphs.response, inputs)
    return 0


def _print_batches(session: InferenceSession, inputs: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    found = np.zeros((len(SIZES), len(BATCHES)))
    for row, (name, _, _) in enumerate(SIZES):
        for column, batch in enumerate(BATCHES):
            rng = np.random.default_rng(batch)
            many = {
                key: rng.standard_normal((batch, len(inputs[name][key])), np.float32) for key in ("x", "y")
            }
            call = _call(session, _feeds(session, {**inputs[name], **many}))
            found[row, column] = _median(call, 60 if batch == 1 else 9)
    heads = " | ".join(f"{batch} together, ms (a second)" for batch in BATCHES)
    print(f"\n| system | functions | {heads} | exponent over trajectories |")
    print("|---" * (len(BATCHES) + 3) + "|")
    for (name, _, n), row in zip(SIZES, found, strict=True):
        cells = (f"{1e3 * s:.2f} ({batch / s:.0f})" for s, batch in zip(row, BATCHES, strict=True))
        print(f"| {name} | {n} | " + " | ".join(cells) + f" | {_exponent(BATCHES, row):.2f} |")
    exponents = (f"{_exponent([n for _, _, n in SIZES], column):.2f}" for column in found.T)
    print("| exponent over functions | | " + " | ".join(exponents) + " | |", flush=True)


def _inputs(graphs: Graphs, n_atoms: int, n: int) -> dict[str, np.ndarray]:
    """What the graphs take, of one change, by name; the kernel is the network's of a random geometry."""
    rng = np.random.default_rng(0)
    geometry = {
        "atomic_numbers": np.full(n_atoms, 6),
        "positions": rng.uniform(-4, 4, (n_atoms, 3)).astype(np.float32),
        "pairs": atom_pairs(np.array([n_atoms])),
        "basis_moments": rng.random((n_atoms, N_MOMENTS), np.float32),
    }
    metadata = graphs.step.get_modelmeta().custom_metadata_map
    names = [entry.name for entry in graphs.encode.get_outputs()]
    encoded = dict(zip(names, map(np.asarray, graphs.encode.run(names, geometry)), strict=True))
    assert encoded["kernel"].shape[0] == int(metadata["members"])
    p, a, rows = n * (n + 1) // 2, n * (n - 1) // 2, n_atoms * N_TOKENS
    shapes = {
        "factors": (rows, p),
        "variance": (rows, rows),
        "currents": (n_atoms * N_CURRENTS, a),
        "real": (p, p),
        "imag": (a, a),
        "answers": (rows, p),
        "x": (p,),
        "y": (a,),
        "field": (3,),
        "state": (n_atoms, int(metadata["state"])),
    }
    return geometry | encoded | {key: rng.standard_normal(shape, np.float32) for key, shape in shapes.items()}


def _feeds(session: InferenceSession, arrays: Mapping[str, np.ndarray]) -> dict[str, object]:
    wanted = (entry.name for entry in session.get_inputs())
    return {name: OrtValue.ortvalue_from_numpy(arrays[name]) for name in wanted}


def _call(session: InferenceSession, feeds: Mapping[str, object]) -> Callable[[], object]:
    return lambda: session.run_with_ort_values(None, feeds)


def _products(real: np.ndarray, imaginary: np.ndarray, x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
    return lambda: (real @ x, imaginary @ y)


def _exponent(sizes, seconds: np.ndarray) -> float:
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


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
