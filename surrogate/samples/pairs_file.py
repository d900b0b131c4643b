"""Files of response pairs (δP, ΔF), what the neural surrogate is trained on: one a molecule and level.

All matrices are in the Löwdin basis of their geometry, in which the response hardly depends on geometry:

    δP_L = S^½ δP S^½,   ΔF_L = S^(−½) ΔF S^(−½)

with P and F as everywhere else: of a closed shell the total density, of an open one alpha and beta; atomic
units. Functions are in the order of the basis table (PySCF's). Layout: docs/files.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.files.basis_table import BasisTable
from ...adapters.files.plain_hdf5 import new_hdf5, open_hdf5
from ...adapters.files.read_errors import reason
from ...atomic.errors import BadInput

#: Which part of a data set a geometry belongs to, as stored.
SPLITS = ("train", "validation", "test")
#: Where a pair's density comes from, as stored.
KINDS = ("rotation", "trajectory")


class PairsError(BadInput):
    """A file of response pairs that cannot be read. One line."""


@dataclass(frozen=True, eq=False)
class Geometries:
    """What belongs to a geometry, one row each.

    positions: (g, n_atoms, 3) Å. overlap: S, (g, n, n), AO basis. dipole: integrals ⟨μ|r|ν⟩ about the origin,
    (g, 3, n, n), and density, fock: P0 and F0, (g, n_spin, n, n), all three in the Löwdin basis.
    dipole_moment: of P0, nuclei included, (g, 3). split: (g,), index into `SPLITS`.
    """

    positions: np.ndarray
    overlap: np.ndarray
    dipole: np.ndarray
    density: np.ndarray
    fock: np.ndarray
    dipole_moment: np.ndarray
    split: np.ndarray


@dataclass(frozen=True, eq=False)
class Pairs:
    """(δP, ΔF) in the Löwdin basis, one row each.

    geometry: (p,), row of `Geometries`. kind: (p,), index into `KINDS`. density, fock: δP and the reference
    code's ΔF = F[P0 + δP] - F0, (p, n_spin, n, n) complex64. kernel: the analytic kernel's ΔF, None where
    there is no kernel for the functional.
    """

    geometry: np.ndarray
    kind: np.ndarray
    density: np.ndarray
    fock: np.ndarray
    kernel: np.ndarray | None


@dataclass(frozen=True, eq=False)
class ResponsePairs:
    """One file. attributes: molecule, functional, basis, charge, multiplicity, held_out and more."""

    attributes: Mapping[str, Any]
    atomic_numbers: np.ndarray
    basis: BasisTable
    geometries: Geometries
    pairs: Pairs


def write_pairs(path: Path, content: ResponsePairs) -> None:
    """Write the file, whole or not at all. Raises OSError."""
    with new_hdf5(path) as file:
        file.attrs.update(content.attributes)
        file["atomic_numbers"] = np.asarray(content.atomic_numbers, np.int32)
        for group in ("basis", "geometries"):
            rows = getattr(content, group)
            for field in fields(rows):
                file[f"{group}/{field.name}"] = getattr(rows, field.name)
        pairs = content.pairs
        file["pairs/geometry"], file["pairs/kind"] = pairs.geometry, pairs.kind
        for name in ("density", "fock", "kernel"):
            matrices = getattr(pairs, name)
            if matrices is not None:
                file[f"pairs/{name}_real"] = np.real(matrices).astype(np.float32)
                file[f"pairs/{name}_imag"] = np.imag(matrices).astype(np.float32)


def read_pairs(path: Path) -> ResponsePairs:
    """Read a file that `write_pairs` wrote. Raises PairsError."""
    try:
        with open_hdf5(path) as file:

            def array(name: str) -> np.ndarray:
                return np.asarray(file[name])

            def matrices(name: str) -> np.ndarray:
                return array(f"pairs/{name}_real") + 1j * array(f"pairs/{name}_imag")

            return ResponsePairs(
                dict(file.attrs),
                array("atomic_numbers"),
                BasisTable(*(array(f"basis/{field.name}") for field in fields(BasisTable))),
                Geometries(*(array(f"geometries/{field.name}") for field in fields(Geometries))),
                Pairs(
                    array("pairs/geometry"),
                    array("pairs/kind"),
                    matrices("density"),
                    matrices("fock"),
                    matrices("kernel") if "pairs/kernel_real" in file else None,
                ),
            )
    except (OSError, KeyError) as error:
        raise PairsError(f"{path}: not a file of response pairs ({reason(error)})") from error
