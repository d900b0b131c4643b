"""A run's molecule: nuclei and ground state as extended XYZ, starting orbitals as a Molden file."""

import io
from pathlib import Path

import numpy as np

from ...adapters.files.molden import write_molden as write_orbitals
from ...adapters.files.stored_system import stored_system
from ...adapters.files.trajectory import Contents, TrajectoryError
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.molecule import molecule
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...atomic.units import EV_PER_HARTREE
from ...atomic.whole_file import write_whole


def write_extxyz(run: Path, contents: Contents, path: Path) -> None:
    """One frame as ASE writes it: ångström; energy in eV and dipole in e Å, of the first point.

    Raises OSError, TrajectoryError.
    """
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import write

    system = stored_system(run)
    atoms = Atoms(
        numbers=system.geometry.atomic_numbers, positions=system.geometry.positions * ANGSTROM_PER_BOHR
    )
    for name in ("title", "formula", "functional", "basis", "charge", "multiplicity", "creator"):
        if name in contents.attributes:
            value = contents.attributes[name]
            atoms.info[name] = value.item() if isinstance(value, np.generic) else value
    results: dict[str, object] = {}
    if "total_energy" in contents.ground:
        results["energy"] = float(contents.ground["total_energy"]) * EV_PER_HARTREE
    if len(contents.series.get("dipole", ())):
        results["dipole"] = contents.series["dipole"][0] * ANGSTROM_PER_BOHR
    atoms.calc = SinglePointCalculator(atoms, **results)
    text = io.StringIO()
    write(text, atoms, format="extxyz")
    write_whole(path, text.getvalue())


def write_molden(run: Path, contents: Contents, path: Path) -> None:
    """The orbitals that the run started from. Raises OSError, TrajectoryError."""
    ground = contents.ground
    if "coefficients" not in ground:
        raise TrajectoryError(f"{run}: has no orbitals; a run of hybrid-propagate stores them")
    orbitals = Orbitals(
        ground["coefficients"], ground["energies"], ground["occupations"], float(ground["total_energy"]), 0
    )
    write_orbitals(path, molecule(stored_system(run)), orbitals)
