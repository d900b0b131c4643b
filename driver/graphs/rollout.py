"""From a deck, or a run's trajectory file, to the ONNX graphs of its surrogate."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck, DeckError, Place
from ...adapters.deck.reader import read_deck
from ...adapters.engine import FockBuild
from ...adapters.files.plain_hdf5 import open_hdf5
from ...adapters.files.read_errors import reason
from ...adapters.files.stored_system import stored_system
from ...adapters.files.trajectory import TrajectoryError
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from ...adapters.system.formula import basis_words, formula
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...adapters.working_basis import WorkingBasis
from ...surrogate.nonlinear.nonlinear_response import NonlinearResponse, PointSource
from ...surrogate.on_the_fly.functional_response import NoPoints
from ...surrogate.rollout.export import export_graphs
from ...surrogate.rollout.functionals import parts
from ...surrogate.rollout.graphs import Precision
from ...surrogate.rollout.molecule import RolloutMatrices, molecule_of, points_of
from ..loop.segment import Limits
from ..reporters.phase import phase
from ..run.check import check_deck
from ..run.embedded import EmbeddedBackend
from ..run.graph_surrogate import check_steps
from ..run.ground import GroundStates
from ..run.job import Job, file_names
from ..run.machine import half_of_memory
from ..run.options import Options
from ..run.setup import set_up

#: Error of the points on held-out rotations that is wanted.
POINTS_ERROR = 1e-3
#: Largest difference of the core Hamiltonian that a file kept from the engine's, Hartree.
SAME_CORE = 1e-6
#: Occupations that differ by less are the same.
EVERYWHERE = 1e-6


@dataclass(frozen=True, eq=False)
class GroundOfGraphs:
    """Where trajectories start from.

    density: P0, AO basis, real (n_spin, n, n); build: the Fock build there. dt: au.
    carried: points that a run has learned, (n, 6), or None.
    """

    engine: PySCFEngine
    basis: WorkingBasis
    density: np.ndarray
    build: FockBuild
    dt: float
    carried: np.ndarray | None


def export_rollout(
    source: Path, folder: Path, say: Callable[[str], None], precision: Precision = "float64"
) -> list[Path]:
    """Write the graphs of a deck's first propagation, or of a run (`.h5`); their paths.

    say: takes lines of progress. Raises DeckError, TrajectoryError, NoFormula, TooLarge, TooLong, NoPoints,
    GraphsDiffer, NotConverged, OSError.
    """
    ground = ground_of(source)
    engine, system = ground.engine, ground.engine.system
    molecule, learned = molecule_with_points(ground, source)
    if learned is not None:
        say(f"{len(learned.weights)} points, error {learned.error:.1e} on held-out rotations")
    about = {
        "molecule": formula(system.geometry.atomic_numbers),
        "geometry": json.dumps(
            {
                "tags": [str(tag) for tag in system.geometry.tags],
                "angstrom": (system.geometry.positions * ANGSTROM_PER_BOHR).tolist(),
            }
        ),
        "charge": str(system.charge),
        "multiplicity": str(system.multiplicity),
        "functional": str(system.functional.directive),
        "libxc": system.functional.pyscf,
        "basis": basis_words(system),
        "precision": precision,
    }
    return export_graphs(engine, molecule, ground.dt, folder, about, say)


def ground_of(source: Path) -> GroundOfGraphs:
    """Of a deck's first propagation, or a run (`.h5`). Raises DeckError, TrajectoryError, NoFormula, ..."""
    memory = half_of_memory()
    return _of_run(source, memory) if source.suffix == ".h5" else _of_deck(source, memory)


def molecule_with_points(
    ground: GroundOfGraphs, source: Path
) -> tuple[RolloutMatrices, NonlinearResponse | None]:
    """What the graphs hold, and the points as they were learned; None for Hartree-Fock.

    source: named where there are none. Raises NoFormula, TooLarge, NoPoints.
    """
    engine = ground.engine
    molecule = molecule_of(engine, ground.basis, ground.density, ground.build, half_of_memory())
    if engine.quadrature is None:
        return molecule, None
    learned = _learned(ground, source)
    return replace(molecule, points=points_of(engine, molecule.basis, learned)), learned


def _learned(ground: GroundOfGraphs, source: Path) -> NonlinearResponse:
    engine, basis = ground.engine, ground.basis
    assert engine.quadrature is not None
    inside = basis.density_in(ground.density).astype(complex)
    if np.ptp(np.linalg.eigvalsh(inside), axis=1).max() < EVERYWHERE:
        raise NoPoints(f"{source}: every orbital is as full as the others, so that nothing can move")
    with phase(f"{source.name}: points", live=False) as tell:
        given = PointSource(
            engine.quadrature, basis, ground.density, inside, POINTS_ERROR, POINTS_ERROR, 0.0, tell
        )
        found = replace(given, carried=ground.carried, whole=True).make()
    if found is None:
        raise NoPoints(f"{source}: no points were found that give this molecule's functional")
    return found


def _of_deck(path: Path, memory: float) -> GroundOfGraphs:
    """Converge the ground state of a deck's first propagation."""
    deck = read_deck(path)
    check_deck(deck, "pyscf", None)
    _check_task(deck)
    options = Options("none", 1e-3, 1, Limits(), memory, False, None, time.perf_counter(), frames=True)
    grounds = GroundStates(deck, options, lambda _: None)
    for ground in deck.ground_states:
        grounds.add(ground)
    task, stem = deck.propagations[0], deck.permanent_dir / file_names(deck)[0]
    job = Job(task, deck, stem, options, options.started, lambda _: None, lambda: False)
    number = grounds.named().get(job.orbitals)
    setup = set_up(job, EmbeddedBackend(job, grounds, number), None)
    density = np.real(setup.ground.orbitals.density())
    basis, dt = setup.problem.basis, task.real_time.dt
    return GroundOfGraphs(setup.ground.engine, basis, density, setup.ground.build, dt, None)


def _check_task(deck: Deck) -> None:
    if not deck.propagations:
        raise DeckError(Place(str(deck.path), 1), "no task dft rt_tddft, whose time step the graphs have")
    task = deck.propagations[0]
    parts(task.system.functional.pyscf, task.system.functional.directive)
    if any(ground.relax is not None for ground in deck.ground_states):
        raise DeckError(task.place, "task dft optimize: give the graphs the geometry that it ends at")
    check_steps(task)


def _of_run(path: Path, memory: float) -> GroundOfGraphs:
    """The ground state that a trajectory file keeps, and the points of its run."""
    system = stored_system(path)
    parts(system.functional.pyscf, system.functional.directive)
    names = ("coefficients", "dual", "to_canonical", "energies", "irreps")
    try:
        with open_hdf5(path) as file:
            dt, settings = float(np.asarray(file.attrs["dt"])), json.loads(str(file.attrs["settings"]))
            kept = {name: np.asarray(file[f"ground/{name}"]) for name in file["ground"]}  # type: ignore[union-attr]
            core = np.asarray(file["matrices/core_hamiltonian"])
            learned = file.get("checkpoint/surrogate/nonlinear_points")
            carried = None if learned is None else np.asarray(learned)
        basis = WorkingBasis(*(kept[f"basis_{name}"] for name in names))
        orbitals = Orbitals(kept["coefficients"], kept["energies"], kept["occupations"], 0.0, 0)
        usual = {"propagator": "magnus", "static": False, "mocap": None, "spatial_cap": None}
        unusual = [name for name, value in usual.items() if json.loads(settings[name]) != value]
    except (OSError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise TrajectoryError(f"{path}: not the trajectory file of a run ({reason(error)})") from error
    if unusual:
        raise TrajectoryError(
            f"{path}: graphs have the magnus propagator, without static, mocap and spatialcap"
        )
    density = np.real(orbitals.density())
    engine = expanded_about(make_engine(system, memory), density, kernel=False)
    if core.shape != engine.integrals.core.shape or np.abs(core - engine.integrals.core).max() > SAME_CORE:
        raise TrajectoryError(
            f"{path}: does not keep its ECPs or charges that are no nuclei's: give the deck"
        )
    build = engine.fock(density.astype(complex))
    points = carried if carried is not None and len(carried) else None
    return GroundOfGraphs(engine, basis, density, build, dt, points)
