"""A deck's trajectory by reference steps alone, its density kept in double precision: what methods are
compared with, and the training stretch of those that extrapolate.

Trajectory files keep densities in single precision; of a weak kick that would leave three digits.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck, DeckError, GroundStateTask, PropagationTask
from ...adapters.deck.reader import read_deck
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine, make_engine
from ...adapters.pyscf.ground_state import solve_ground_state
from ...adapters.system.real_time import applied_field
from ...adapters.working_basis import make_working_basis
from ..loop.problem import initial_state, make_problem
from ..loop.segment import reference_segment
from ..reporters.observables import dipoles, make_observables
from ..run.machine import half_of_memory


@dataclass(frozen=True, eq=False)
class ReferenceRun:
    """Points of a reference trajectory; point k is at time k dt.

    time: (n,) au; dipole: (n, 3) au; field: (n, 3), as it acts on the total density.
    builds: (n,) Fock builds made before point k; wall, cpu: (n,) seconds before it, the start included.
    changes: (n, N) P' - P'(0) as real vectors; dipole_rows: (3, N): μ = μ(0) + dipole_rows @ change.
    """

    time: np.ndarray
    dipole: np.ndarray
    field: np.ndarray
    builds: np.ndarray
    wall: np.ndarray
    cpu: np.ndarray
    changes: np.ndarray
    dipole_rows: np.ndarray


def single_propagation(deck: Deck) -> tuple[GroundStateTask, PropagationTask]:
    """The deck's one propagation and the ground state it starts from. Raises DeckError."""
    propagations = [task for task in deck.tasks if isinstance(task, PropagationTask)]
    if len(propagations) != 1:
        place = propagations[1].place if propagations else deck.tasks[-1].place
        raise DeckError(place, f"{len(propagations)} propagations; the benchmark takes decks with one")
    (task,) = propagations
    grounds = [t for t in deck.tasks if isinstance(t, GroundStateTask) and t.output == task.vectors]
    if task.real_time.load.kind != "scf" or not grounds or grounds[-1].vectors.files:
        raise DeckError(
            task.place, "the benchmark starts from a ground state that the deck's own task dft energy makes"
        )
    if task.real_time.spatial_cap is not None:
        raise DeckError(task.place, "the benchmark takes decks without spatialcap")
    return grounds[-1], task


def converge(ground: GroundStateTask) -> tuple[PySCFEngine, Orbitals]:
    """Engine and orbitals of a ground state. Raises NotConverged."""
    engine = make_engine(ground.system, half_of_memory())
    return solve_ground_state(engine, None, ground.max_iterations, filling=ground.filling)


def make_reference_run(path: Path) -> ReferenceRun:
    """Every reference step of the deck at `path`. Raises DeckError, NotConverged, NoFixedPoint."""
    # What Python and its imports took before is not on the wall's clock; all of it was the processor's.
    started = time.perf_counter() - time.process_time()
    ground, task = single_propagation(read_deck(path))
    engine, orbitals = converge(ground)
    density = orbitals.density()
    base = engine.fock(density.astype(complex))
    basis = make_working_basis(engine.integrals, np.real(base.fock))
    problem = make_problem(task, engine, basis, base, density)
    observables = make_observables(task.system, engine.integrals, basis)
    active = [g.name for g in task.system.geometries].index(task.system.geometry.name)
    state = initial_state(problem, problem.ground_density, basis.fock_in(base.fock).astype(complex), 0, 0.0)
    energies = base.energies
    times, moments, changes, builds, wall, cpu = [], [], [], [0], [], []
    for _ in range(problem.n_steps):
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time())
        times.append(state.time)
        moments.append(dipoles(observables, state.density[None])[0, active, -1])
        changes.append(_as_vector(state.density - problem.ground_density))
        segment, energies = reference_segment(problem, state, energies, 1, np.inf, "CONTINUE")
        builds.append(builds[-1] + segment.fock_builds)
        state = segment.end
    return ReferenceRun(
        np.array(times),
        np.array(moments),
        np.array([applied_field(task.real_time, t) for t in times]),
        np.array(builds[:-1]),
        np.array(wall),
        np.array(cpu),
        np.array(changes),
        np.array([-_as_vector(matrix) for matrix in observables.dipole[active]]),
    )


def _as_vector(matrix: np.ndarray) -> np.ndarray:
    """Upper triangle of a Hermitian (n_spin, m, m), real parts then imaginary ones, products kept: (N,)."""
    i, j = np.triu_indices(matrix.shape[1])
    weight = np.where(i == j, 1.0, np.sqrt(2.0))
    upper = (matrix[:, i, j] * weight).ravel()
    return np.concatenate([np.real(upper), np.imag(upper).reshape(len(matrix), -1)[:, i != j].ravel()])
