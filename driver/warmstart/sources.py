"""Predictors from what earlier tasks and earlier runs left, and the start of a run's own SCF."""

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...adapters.files.density_file import DensityFileError, StoredDensity, read_density
from ...adapters.files.stored_system import stored_system
from ...adapters.files.trajectory import TrajectoryError
from ...adapters.nwchem.basis_order import density_from_nwchem, nwchem_order
from ...adapters.nwchem.movecs import MovecsError, read_movecs
from ...adapters.nwchem.rt_restart import RestartError, read_restart
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.pyscf.molecule import molecule
from ...adapters.system import System
from ...surrogate.starting_density.extrapolation import Extrapolation, snapshot
from ...surrogate.starting_density.predictor import DensityPredictor
from ...surrogate.starting_density.projection import Projection
from ...surrogate.starting_density.pyscf_guess import STANDARD
from .choice import choose_among, make_predictions
from .named import own_predictors

#: Functions from which on loading the network may pay in a run's own SCF: at 48 it saves 0.2 s and takes
#: 0.5, 0.1 of it without the loading (docs/warmstart/README.md).
_NETWORK_PAYS = 60


def earlier_runs(paths: Sequence[Path], system: System) -> list[DensityPredictor]:
    """Predictors from files: all their ground states together, and each propagation's last density.

    Trajectories and starting densities (`.h5`) have a geometry; a trajectory's orbitals in another basis, or
    with other spins, are projected. `.movecs` and `.rt_restart` files have no geometry
    and are taken for the system's own. Raises DensityFileError, MovecsError, RestartError.
    """
    grounds, predictors = [], []
    for path in paths:
        if path.suffix == ".h5":
            stored = read_density(path)
            there = _moved(system, stored.atomic_numbers, stored.positions, path)
            if not _fits(stored, system):
                predictors.append(_projection(path, stored, system))
                continue
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


def _moved(system: System, numbers: np.ndarray, positions: np.ndarray, path: Path) -> System:
    """The system with the nuclei of a file."""
    if not np.array_equal(numbers, system.geometry.atomic_numbers):
        raise DensityFileError(f"{path}: has other atoms than the deck, or in another order")
    return replace(system, geometry=replace(system.geometry, positions=positions))


def _fits(stored: StoredDensity, system: System) -> bool:
    """Whether a density has the basis, the spins and the electrons of a system."""
    if stored.ground.shape != (system.n_spin, system.n_basis, system.n_basis):
        return False
    counts = np.array(molecule(system).nelec[: system.n_spin]) * 2.0 / system.n_spin
    return bool(np.abs(stored.electrons - counts).max() < 0.5)


def _projection(path: Path, stored: StoredDensity, system: System) -> Projection:
    """Orbitals of another basis or other spins, of a trajectory file, which tells its basis."""
    try:
        source = stored_system(path)
    except TrajectoryError:
        raise DensityFileError(
            f"{path}: densities are {stored.ground.shape}, not "
            f"{(system.n_spin, system.n_basis, system.n_basis)}: another basis, charge or multiplicity; "
            "accepted: a trajectory file (<start>.h5), which tells its basis"
        ) from None
    return Projection(source, stored.orbitals, f"projected from {path.name}")


def known_density(
    engine: PySCFEngine, solved: Sequence[tuple[System, Orbitals]], trajectories: Sequence[Path]
) -> np.ndarray | None:
    """The best density to start a run's own SCF from, (n_spin, n, n); None: the standard guess.

    solved: ground states of the deck's earlier tasks. trajectories: where earlier runs of it may have left
    theirs. Says on standard error where it starts, and what it does not start from.
    """
    system = engine.system
    alike = [
        snapshot(there, orbitals.density())
        for there, orbitals in solved
        if there.geometry.n_atoms == system.geometry.n_atoms and there.n_spin == system.n_spin
    ]
    predictors: list[DensityPredictor] = [Extrapolation(tuple(alike), "earlier tasks")] if alike else []
    for path in trajectories:
        # A file of some other run is no reason to stop this one.
        with contextlib.suppress(DensityFileError, MovecsError, RestartError):
            predictors += earlier_runs([path], system)
    if system.n_basis >= _NETWORK_PAYS:
        predictors += own_predictors("auto")
    predictions = make_predictions(engine, predictors)
    notes, start = predictions.notes, None
    if predictions.densities:
        start = choose_among(engine, predictions)
        notes = (*start.notes, f"the SCF starts from {start.name}")
    for note in notes:
        # What was never meant for this system is not worth a line.
        if "dropped" in note or "starts" in note:
            print(f"hybrid-propagate: {note}", file=sys.stderr)
    return None if start is None or start.name == STANDARD else start.density
