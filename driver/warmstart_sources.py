"""Predictors for a system: those that need only the deck, and what earlier runs left in files."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..adapters.density_file import DensityFileError, read_density
from ..adapters.movecs import read_movecs
from ..adapters.nwchem_order import density_from_nwchem, nwchem_order
from ..adapters.restart_file import read_restart
from ..adapters.system import System
from ..surrogate.atomic_start import SuperposedAtoms
from ..surrogate.density_predictor import DensityPredictor
from ..surrogate.extrapolated_density import Extrapolation, snapshot
from ..surrogate.pyscf_start import PySCFStart

#: Predictors that need nothing but the deck.
NAMED: dict[str, DensityPredictor] = {
    "minao": PySCFStart("minao"),
    "atom": PySCFStart("atom"),
    "huckel": PySCFStart("huckel"),
    "sap": PySCFStart("sap"),
    "atomic-density": SuperposedAtoms("density"),
    "atomic-potential": SuperposedAtoms("potential"),
}


def own_predictors(guess: str) -> list[DensityPredictor]:
    """The predictor of that name; for `auto` all that may be better than the standard guess."""
    return [NAMED["atomic-density"]] if guess == "auto" else [NAMED[guess]]


def earlier_runs(paths: Sequence[Path], system: System) -> list[DensityPredictor]:
    """Predictors from files: all their ground states together, and each propagation's last density.

    Trajectories and starting densities (`.h5`) have a geometry; `.movecs` and `.rt_restart` files have none
    and are taken for the system's own. Raises DensityFileError, MovecsError, RestartError.
    """
    grounds, predictors = [], []
    for path in paths:
        if path.suffix == ".h5":
            stored = read_density(path)
            there = _moved(system, stored.atomic_numbers, stored.positions, stored.ground, path)
            grounds.append(snapshot(there, stored.ground))
            if stored.last is not None:
                predictors.append(Extrapolation((snapshot(there, stored.last),), f"last of {path.name}"))
        elif path.suffix == ".rt_restart":
            point = read_restart(path, system.n_spin, system.n_basis)
            density = density_from_nwchem(point.densities, nwchem_order(system))
            predictors.append(Extrapolation((snapshot(system, density),), f"last of {path.name}"))
        else:
            orbitals = read_movecs(path, nwchem_order(system), system.n_spin)
            grounds.append(snapshot(system, orbitals.density()))
    if grounds:
        name = "extrapolated" if len(grounds) > 1 else f"ground state of {paths[0].name}"
        predictors.insert(0, Extrapolation(tuple(grounds), name))
    return predictors


def _moved(
    system: System, numbers: np.ndarray, positions: np.ndarray, density: np.ndarray, path: Path
) -> System:
    """The system with the nuclei of a file."""
    if not np.array_equal(numbers, system.geometry.atomic_numbers):
        raise DensityFileError(f"{path}: has other atoms than the deck, or in another order")
    if density.shape != (system.n_spin, system.n_basis, system.n_basis):
        raise DensityFileError(
            f"{path}: densities are {density.shape}, not {(system.n_spin, system.n_basis, system.n_basis)}: "
            "another basis, or another number of spins"
        )
    return replace(system, geometry=replace(system.geometry, positions=positions))
