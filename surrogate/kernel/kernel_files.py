"""Kernels of weak motion in files, one irrep of one ground state each: a later run need not make them.

A kernel belongs to orbitals. An SCF that ends with other signs of these turns rows and columns. Where it ends
with other orbitals, as it may with degenerate ones, none of the files is theirs.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...adapters.files.checksum import check_seal
from ...adapters.files.plain_hdf5 import new_hdf5, open_hdf5
from ...adapters.files.read_errors import reason
from ...atomic.errors import BadInput
from ...atomic.whole_file import remove_left
from ..matrices.occupied_empty import OccupiedEmpty
from .pair_kernel import PairBlock

#: Of the files; with another one they have other names.
_LAYOUT = 1
#: Largest difference of an orbital's coefficients that is none: kernels are off by as much.
_SAME = 1e-5


class KernelFileError(BadInput):
    """A file of a kernel that cannot be read. One line."""


@dataclass(frozen=True, eq=False)
class KernelFolder:
    """Where kernels are kept, of one ground state.

    path: of the folder.
    name: of the molecule, for the files' names.
    physics: what the molecule is, as text by name.
    orbitals: (n_spin, n, m), the basis that the kernel's pairs are of.
    """

    path: Path
    name: str
    physics: Mapping[str, str]
    orbitals: np.ndarray


def read_blocks(
    folder: KernelFolder, pairs: OccupiedEmpty, indices: Sequence[np.ndarray], kind: type[np.floating]
) -> list[PairBlock]:
    """Those of the blocks with these pairs that are kept for these orbitals, in precision `kind`.

    Raises KernelFileError, RefusedFile.
    """
    found = (_read(folder, pairs, index, kind) for index in indices)
    return [block for block in found if block is not None]


def write_blocks(folder: KernelFolder, blocks: Sequence[PairBlock]) -> None:
    """A file for each, in the place of one of other orbitals. Raises OSError."""
    folder.path.mkdir(parents=True, exist_ok=True)
    for block in blocks:
        stem = _stem(folder, block.index, block.real.dtype)
        remove_left(stem)
        with new_hdf5(_path(stem), sealed=True) as file:
            file.attrs.update({"molecule": folder.name, "physics": json.dumps(dict(folder.physics))})
            file["orbitals"], file["index"] = folder.orbitals, block.index
            file["real"], file["coulomb"] = block.real, block.coulomb
            if block.imaginary is not None:
                file["imaginary"] = block.imaginary


def _stem(folder: KernelFolder, index: np.ndarray, kind: np.dtype) -> Path:
    """Of a file's name: molecule, level, pairs and precision are in it."""
    said = json.dumps([_LAYOUT, dict(folder.physics), str(kind)], sort_keys=True).encode()
    digest = hashlib.blake2b(said + index.astype("<i8").tobytes(), digest_size=8)
    return folder.path / f"{folder.name}_{digest.hexdigest()}"


def _path(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.kernel.h5")


def _read(
    folder: KernelFolder, pairs: OccupiedEmpty, index: np.ndarray, kind: type[np.floating]
) -> PairBlock | None:
    path = _path(_stem(folder, index, np.dtype(kind)))
    if not path.exists():
        return None
    try:
        check_seal(path, needed=True)
        with open_hdf5(path) as file:
            signs = _signs(np.asarray(file["orbitals"]), folder.orbitals)
            if signs is None:
                return None
            real, coulomb = np.asarray(file["real"]), np.asarray(file["coulomb"])
            imaginary = np.asarray(file["imaginary"]) if "imaginary" in file else None
    except KeyError as error:
        raise KernelFileError(f"{path}: no kernel between orbitals ({error}); remove it") from error
    except OSError as error:
        raise KernelFileError(f"{path}: {reason(error)}; remove it, and its kernel is made anew") from error
    spin, rest = np.divmod(pairs.index[index], pairs.shape[-1] ** 2)
    empty, occupied = np.divmod(rest, pairs.shape[-1])
    turned = (signs[spin, empty] * signs[spin, occupied]).astype(kind)
    for matrix in (real, imaginary, coulomb):
        _turn(matrix, turned)
    return PairBlock(index, real, imaginary, coulomb)


def _signs(known: np.ndarray, orbitals: np.ndarray) -> np.ndarray | None:
    """By what the known orbitals are to be multiplied, (n_spin, m); None where they are others."""
    if known.shape != orbitals.shape:
        return None
    largest = np.abs(known).argmax(axis=1)[:, None, :]
    product = np.take_along_axis(known, largest, axis=1) * np.take_along_axis(orbitals, largest, axis=1)
    signs = np.where(product < 0.0, -1.0, 1.0)
    return signs[:, 0] if np.abs(signs * known - orbitals).max() <= _SAME else None


def _turn(matrix: np.ndarray | None, signs: np.ndarray) -> None:
    """Columns and, unless they are vectors, rows; in place."""
    if matrix is None or (signs > 0.0).all():
        return
    matrix *= signs
    if len(matrix) == len(signs):
        matrix *= signs[:, None]
