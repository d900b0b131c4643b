"""The trained density network as files: a graph for ONNX Runtime and the linear read-outs on its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np

from ...adapters.files.plain_hdf5 import new_hdf5, open_hdf5
from ...adapters.system import Shells
from .blocks import IRREPS, Coefficients, Couplings

#: Graph and read-outs, beside each other.
GRAPH, READOUTS = "density.onnx", "density.h5"
#: Irreps of atoms that get the sums over pairs.
SUMMED = ("2o", "3o", "3e", "4e")
#: A kind of block: both atomic numbers, and whether it is of one atom.
BlockKind = tuple[int, int, bool]


@dataclass(frozen=True, eq=False)
class DensityReadout:
    """What is read out for one basis set and functional.

    basis: shells of each element as PySCF sorts them, by atomic number.
    weights: by kind of block and irrep, (features, coefficients).
    """

    basis_set: str
    functional: str
    basis: dict[int, Shells]
    weights: dict[BlockKind, dict[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class DensityWeights:
    """Everything but the graph.

    cutoff: bohr. distances: by elements, ascending, the bins of `distance_bins` that training has seen.
    attributes: of the training, for the reader.
    """

    couplings: Couplings
    readouts: tuple[DensityReadout, ...]
    cutoff: float
    distances: dict[tuple[int, int], np.ndarray]
    attributes: dict[str, str | float | int]


def distance_bins(positions: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Bins of a tenth of a bohr of the distances of pairs, (..., n_pairs) from (..., n_atoms, 3)."""
    vectors = positions[..., pairs[1], :] - positions[..., pairs[0], :]
    return np.floor(np.linalg.norm(vectors, axis=-1) / 0.1).astype(int)


def read_out(features: dict[str, np.ndarray], weights: dict[str, np.ndarray]) -> Coefficients:
    """Features (rows, features, 2L+1) by irrep to coefficients, for the irreps that have weights."""
    return {name: np.einsum("rfm,fc->rcm", features[name], W, optimize=True) for name, W in weights.items()}


def named_features(
    outputs: Sequence[Any], pairs: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The graph's outputs as features of pairs (receiver, sender) and of atoms, by irrep.

    An atom's highest irreps also get the sum over its pairs: products of its own s, p and d features cannot
    make the octupole of a tetrahedral neighbourhood, in which p and d features vanish.
    """
    n = len(IRREPS)
    of_pairs: dict[str, np.ndarray] = dict(zip(IRREPS, outputs[:n], strict=True))
    of_atoms: dict[str, np.ndarray] = dict(zip(IRREPS, outputs[n:], strict=True))
    for name in SUMMED:
        around = np.zeros((len(of_atoms[name]), *of_pairs[name].shape[1:]), of_pairs[name].dtype)
        np.add.at(around, pairs[0], of_pairs[name])
        of_atoms[name] = np.concatenate([of_atoms[name], around], axis=1)
    return of_pairs, of_atoms


def write_weights(path: Path, weights: DensityWeights) -> None:
    """Write to HDF5, read-outs in single precision; whole or not at all."""
    with new_hdf5(path) as file:
        file.attrs.update(weights.attributes)
        file.attrs["cutoff"] = weights.cutoff
        for (first, second, total), coupling in weights.couplings.items():
            file[f"couplings/{first}{second}{total}"] = coupling
        distances = file.create_group("distances")
        for (left, right), bins in weights.distances.items():
            distances[f"{left}-{right}"] = bins
        for readout in weights.readouts:
            group = file.create_group(f"readouts/{readout.basis_set}/{readout.functional}")
            for number, shells in readout.basis.items():
                for k, (momentum, *primitives) in enumerate(shells):
                    shell = group.create_dataset(f"basis/{number}/{k:02d}", data=np.array(primitives))
                    shell.attrs["l"] = momentum
            for (left, right, on_site), by_irrep in readout.weights.items():
                kind = "atom" if on_site else "pair"
                for name, W in by_irrep.items():
                    # 18 of 24 bits: the rest would not compress, and moves densities by 2e-6 at most.
                    bits = (W.astype(np.float32).view(np.uint32) + np.uint32(0x20)) & np.uint32(0xFFFFFFC0)
                    group.create_dataset(
                        f"weights/{left}-{right}-{kind}/{name}",
                        data=bits.view(np.float32),
                        compression="gzip",
                        shuffle=True,
                        chunks=W.shape,
                    )


def read_weights(path: Path) -> DensityWeights:
    """Read what `write_weights` wrote."""
    with open_hdf5(path) as file:
        couplings = {
            (int(k[0]), int(k[1]), int(k[2])): np.asarray(v) for k, v in _children(file, "couplings").items()
        }
        readouts = []
        for basis_set, functionals in _children(file, "readouts").items():
            for functional, group in functionals.items():
                basis = {
                    int(number): [
                        [int(s.attrs["l"]), *np.asarray(s).tolist()] for _, s in sorted(shells.items())
                    ]
                    for number, shells in group["basis"].items()
                }
                weights = {}
                for key, by_irrep in group["weights"].items():
                    left, right, kind = key.split("-")
                    weights[int(left), int(right), kind == "atom"] = {
                        n: np.asarray(w) for n, w in by_irrep.items()
                    }
                readouts.append(DensityReadout(basis_set, functional, basis, weights))
        distances = {}
        for key, bins in _children(file, "distances").items():
            left, right = key.split("-")
            distances[int(left), int(right)] = np.asarray(bins)
        attributes = {k: v for k, v in file.attrs.items() if k != "cutoff"}
        cutoff = float(np.asarray(file.attrs["cutoff"]))
        return DensityWeights(couplings, tuple(readouts), cutoff, distances, attributes)


def _children(file: h5py.File, name: str) -> dict[str, Any]:
    """Members of a group, which h5py's types do not tell from arrays."""
    return dict(cast(h5py.Group, file[name]).items())
