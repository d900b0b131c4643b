"""Train and ship the density network: `python -m hybrid_propagate.surrogate.training.train_density CONFIG`.

Computes the samples that are missing, solves the read-outs, measures held-out errors, writes graph and
read-outs, reloads both and compares them with torch on molecules of other sizes.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import yaml
from pyscf import gto

from ...adapters.regular_file import read_regular
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...atomic.whole_file import whole_file
from ..matrices.atom_pairs import atom_pairs
from ..network.density_network import DensityNetwork, DensityNetworkShape
from ..network.geometry_encoder import GeometryEncoderShape
from ..starting_density.blocks import IRREPS
from ..starting_density.neural import basis_shells, predict_fock
from ..starting_density.weights import (
    GRAPH,
    READOUTS,
    DensityReadout,
    DensityWeights,
    distance_bins,
    read_weights,
    write_weights,
)
from .density_readout import couplings, features, solve_readout, target
from .density_samples import (
    DensityData,
    GroundStateSamples,
    MoleculeSamples,
    make_samples,
    read_samples,
    samples_path,
)

#: Of a configuration.
_MOST_BYTES = 2**24
#: What the exported graph may differ from torch by, relative to the largest feature: single precision.
_ALIKE = 1e-4


@dataclass(frozen=True)
class DensityTraining:
    """A whole training: samples and where they lie, network, ridge, where the weights go, seed.

    held_out: file (extended xyz) for the geometries that are not trained on.
    """

    data: DensityData
    samples: Path
    held_out: Path
    network: DensityNetworkShape
    ridge: float
    output: Path
    seed: int


def read_training(path: Path) -> DensityTraining:
    """A training from YAML; paths count from the file. Raises ValueError naming a key that is wrong."""
    given: dict[str, Any] = yaml.safe_load(read_regular(path, _MOST_BYTES))
    try:
        data = dict(given["data"])
        molecules = tuple(MoleculeSamples(name, *counts) for name, counts in data.pop("molecules").items())
        samples, held_out = (path.parent / data.pop(key) for key in ("samples", "held_out"))
        data = DensityData(
            molecules,
            tuple(data.pop("basis_sets")),
            tuple(data.pop("functionals")),
            **data,
            seed=given["seed"],
        )
        network = dict(given["network"])
        encoder = GeometryEncoderShape(elements=tuple(network.pop("elements")), **network.pop("encoder"))
        shape = DensityNetworkShape(encoder, **network)
        return DensityTraining(
            data,
            samples,
            held_out,
            shape,
            float(given["ridge"]),
            path.parent / given["output"],
            given["seed"],
        )
    except KeyError as key:
        raise ValueError(f"{path}: {key} is missing") from None
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from None


def train(training: DensityTraining, report: Callable[[str], None] = print) -> None:
    """Everything that the module's docstring says."""
    make_samples(training.data, training.samples, report)
    _write_held_out(training)
    network = make_network(training)
    names = [molecule.name for molecule in training.data.molecules]
    readouts = []
    seconds = time.process_time()
    for basis_set in training.data.basis_sets:
        for functional in training.data.functionals:
            molecules, shells = [], {}
            for name in names:
                ground = read_samples(samples_path(training.samples, name), basis_set, functional, False)
                found = features(network, ground.atomic_numbers, ground.positions)
                molecules.append((ground.atomic_numbers, found, *target(ground, basis_set)))
                shells |= _shells(ground, basis_set)
            readout = DensityReadout(basis_set, functional, shells, solve_readout(molecules, training.ridge))
            readouts.append(readout)
            report(f"{basis_set} {functional}: solved, {time.process_time() - seconds:.0f} s")
    cutoff = training.network.encoder.cutoff / ANGSTROM_PER_BOHR
    attributes = {
        "molecules": " ".join(names),
        "temperature": training.data.temperature,
        "seed": training.seed,
        "ridge": training.ridge,
    }
    training.output.mkdir(parents=True, exist_ok=True)
    write_weights(
        training.output / READOUTS,
        DensityWeights(couplings(), tuple(readouts), cutoff, seen_distances(training), attributes),
    )
    path = training.output / GRAPH
    # The graph depends on shape and seed alone, and export takes minutes: one that agrees is kept.
    if not path.exists() or compare(network, path) > _ALIKE:
        export(network, path)
    difference = compare(network, path)
    if not difference < _ALIKE:
        raise RuntimeError(f"{path}: the graph differs from torch by {difference:.1e}")
    report(f"{path}: differs from torch by {difference:.1e}")
    held_out_errors(training, report)


def seen_distances(training: DensityTraining) -> dict[tuple[int, int], np.ndarray]:
    """Bins of distances between elements in the samples trained on, 0.1 bohr wider on both sides."""
    found: dict[tuple[int, int], set[int]] = {}
    basis, functional = training.data.basis_sets[0], training.data.functionals[0]
    for molecule in training.data.molecules:
        ground = read_samples(samples_path(training.samples, molecule.name), basis, functional, False)
        pairs = atom_pairs(np.array([len(ground.atomic_numbers)]))
        bins = distance_bins(ground.positions, pairs)
        for (left, right), column in zip(ground.atomic_numbers[pairs].T.tolist(), bins.T, strict=True):
            if left <= right:
                around = column[:, None] + np.arange(-1, 2)
                found.setdefault((left, right), set()).update(np.unique(around).tolist())
    return {key: np.array(sorted(bins)) for key, bins in sorted(found.items())}


def make_network(training: DensityTraining) -> DensityNetwork:
    """The network with its seeded weights, in double precision: read-outs are solved in it."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(training.seed)
        return DensityNetwork(training.network)
    finally:
        torch.set_default_dtype(before)


def export(network: DensityNetwork, path: Path) -> None:
    """Write the graph in single precision, atoms and pairs of any number. The network stays as it is."""
    precision = next(network.parameters()).dtype
    network.float()
    numbers, positions, pairs = _example(network, 3, 2)
    n, e = torch.export.Dim("atoms"), torch.export.Dim("pairs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(
            network, (numbers, positions, pairs), dynamic_shapes=({0: n}, {0: n}, {1: e})
        ).run_decompositions()
        graph = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            input_names=["atomic_numbers", "positions", "pairs"],
            output_names=[f"{rows}_{irrep}" for rows in ("pair", "atom") for irrep in IRREPS],
        )
    assert graph is not None
    # Stack traces of every node would double the file.
    model = graph.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    with whole_file(path) as part:
        onnx.save(model, part)
    network.to(precision)


def compare(network: DensityNetwork, path: Path) -> float:
    """Largest difference between the graph's features and torch's, relative to the largest, at least one.

    On batches of other sizes than the graph was traced with.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    precision = next(network.parameters()).dtype
    worst = 0.0
    for sizes in ((2,), (5,), (7, 4)):
        numbers, positions, pairs = _example(network, *sizes)
        inputs = {"atomic_numbers": numbers.numpy(), "positions": positions.numpy(), "pairs": pairs.numpy()}
        with torch.no_grad():
            expected = network(numbers, positions.to(precision), pairs)
        for found, wanted in zip(session.run(None, inputs), expected, strict=True):
            scale = max(float(wanted.abs().max()), 1.0)
            worst = max(worst, float(np.abs(found - wanted.numpy()).max()) / scale)
    return worst


def _example(network: DensityNetwork, *sizes: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Atoms on a jittered grid of about a bond's spacing."""
    generator = np.random.default_rng(sizes)
    elements = network.shape.encoder.elements
    n = sum(sizes)
    grid = np.stack(np.unravel_index(np.arange(n), (3, 3, 3)), axis=1) * 2.2
    positions = torch.tensor(grid + generator.normal(scale=0.2, size=(n, 3)), dtype=torch.float32)
    numbers = torch.tensor(generator.choice(elements, n), dtype=torch.long)
    return numbers, positions, torch.tensor(atom_pairs(np.array(sizes)))


def _write_held_out(training: DensityTraining) -> None:
    """Held-out geometries of all molecules as frames of one file, Å, the molecule's name in each comment."""
    from ase import Atoms
    from ase.io import write

    frames = []
    basis, functional = training.data.basis_sets[0], training.data.functionals[0]
    for molecule in training.data.molecules:
        ground = read_samples(samples_path(training.samples, molecule.name), basis, functional, True)
        for xyz in ground.positions * ANGSTROM_PER_BOHR:
            frames.append(Atoms(ground.atomic_numbers, xyz, info={"name": molecule.name}))
    with whole_file(training.held_out) as part:
        write(part, frames, format="extxyz")


def _shells(ground: GroundStateSamples, basis_set: str) -> dict[int, Any]:
    mole = _mole(ground, 0, basis_set)
    return {int(z): basis_shells(mole, k) for k, z in enumerate(ground.atomic_numbers)}


def _mole(ground: GroundStateSamples, k: int, basis_set: str) -> gto.Mole:
    atoms = list(zip(ground.atomic_numbers.tolist(), ground.positions[k].tolist(), strict=True))
    return gto.M(atom=atoms, unit="Bohr", basis=basis_set, verbose=0)


def held_out_errors(
    training: DensityTraining, report: Callable[[str], None] = print
) -> dict[tuple[str, str, str], float]:
    """Error of the density on held-out geometries, ‖ΔP‖/‖P‖ in Löwdin's basis, by the shipped files alone."""
    import onnxruntime

    weights = read_weights(training.output / READOUTS)
    session = onnxruntime.InferenceSession(training.output / GRAPH, providers=["CPUExecutionProvider"])
    errors = {}
    for molecule in training.data.molecules:
        line = f"{molecule.name:8s}"
        for readout in weights.readouts:
            path = samples_path(training.samples, molecule.name)
            ground = read_samples(path, readout.basis_set, readout.functional, True)
            values, vectors = np.linalg.eigh(ground.overlap)
            inverse = (vectors / np.sqrt(values)[:, None, :]) @ vectors.swapaxes(1, 2)
            moles = [_mole(ground, k, readout.basis_set) for k in range(len(ground.positions))]
            predicted = np.array([predict_fock(mole, weights, readout, session) for mole in moles])
            n = int(ground.atomic_numbers.sum()) // 2
            P, exact = (_density(inverse @ F @ inverse, n) for F in (predicted, ground.fock))
            error = float(np.mean(np.linalg.norm(P - exact, axis=(1, 2)) / np.sqrt(n)))
            errors[molecule.name, readout.basis_set, readout.functional] = error
            line += f"  {readout.basis_set}/{readout.functional} {error:.1e}"
        report(line)
    return errors


def _density(fock: np.ndarray, n: int) -> np.ndarray:
    C = np.linalg.eigh(fock)[1][..., :n]
    return C @ C.swapaxes(-1, -2)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Train the density network and export it.")
    parser.add_argument("config", type=Path, help="YAML, as examples/density.yaml")
    torch.set_num_threads(1)
    try:
        training = read_training(parser.parse_args().config)
    except (OSError, ValueError, yaml.YAMLError) as error:
        print(f"train_density: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    train(training, lambda line: print(line, file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
