"""A starting density and its orbitals in HDF5: for PySCF to start from, and for this package to read back.

`dm0` has the shape that PySCF's `kernel(dm0=...)` takes: (n, n), or (2, n, n) for an open shell; the
attribute `mol` is PySCF's molecule, as `gto.loads` takes it. Geometry and orbitals stand where a trajectory
file has its own (docs/files.md), so that both are read alike.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from pyscf import gto

from ...atomic.errors import BadInput
from ..orbitals import Orbitals
from ..system.geometry import ANGSTROM_PER_BOHR
from .checksum import check_seal
from .plain_hdf5 import new_hdf5, open_hdf5
from .read_errors import reason


class DensityFileError(BadInput):
    """A file of densities that cannot be used. The text is one line: which file, and what is wrong."""


@dataclass(frozen=True, eq=False)
class StoredDensity:
    """A density and where its nuclei are.

    atomic_numbers: (n_atoms,); positions: (n_atoms, 3) bohr; ground: (n_spin, n, n) of the orbitals.
    orbitals: (n_spin, n, m) of the ground state, by energy. electrons: (n_spin,) in them.
    last: (n_spin, n, n), real part of the last density of a propagation, where the file has one.
    """

    atomic_numbers: np.ndarray
    positions: np.ndarray
    ground: np.ndarray
    orbitals: np.ndarray
    electrons: np.ndarray
    last: np.ndarray | None


def write_density(path: Path, mol: gto.Mole, density: np.ndarray, orbitals: Orbitals, name: str) -> None:
    """Write a density (n_spin, n, n) and its orbitals; name: what predicted it. Raises OSError."""
    with new_hdf5(path) as file:
        file.attrs.update({"guess": name, "mol": mol.dumps()})
        file["dm0"] = density[0] if len(density) == 1 else density
        file["geometry/positions"] = mol.atom_coords() * ANGSTROM_PER_BOHR
        file["geometry/atomic_numbers"] = np.array(
            [gto.charge(mol.atom_pure_symbol(k)) for k in range(mol.natm)], np.int32
        )
        file["ground/coefficients"] = orbitals.coefficients
        file["ground/energies"] = orbitals.energies
        file["ground/occupations"] = orbitals.occupations


def read_density(path: Path) -> StoredDensity:
    """The densities in a file of `write_density` or a trajectory file. Raises DensityFileError."""
    try:
        check_seal(path, needed=False)
        with open_hdf5(path) as file:
            arrays = [
                np.asarray(file[name])
                for name in (
                    "geometry/atomic_numbers",
                    "geometry/positions",
                    "ground/coefficients",
                    "ground/occupations",
                )
            ]
            rows = file.get("dynamics/density_real")
            last = np.asarray(rows[-1], float) if isinstance(rows, h5py.Dataset) and len(rows) else None
    except OSError as error:
        raise DensityFileError(f"{path}: not an HDF5 file that can be read ({reason(error)})") from error
    except KeyError as error:
        raise DensityFileError(f"{path}: neither a trajectory nor a starting density ({error})") from error
    numbers, positions, C, occupations = arrays
    ground = np.einsum("smi,si,sni->smn", C, occupations, C)
    return StoredDensity(numbers, positions / ANGSTROM_PER_BOHR, ground, C, occupations.sum(axis=1), last)
