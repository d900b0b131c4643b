"""Geometries that `task dft optimize` ends at, by an installed NWChem, before anything else runs.

The task becomes the ground state there, and every later task of the geometry moves with it.
"""

from dataclasses import replace

import numpy as np

from ...adapters.deck import Deck, GroundStateTask, Task
from ...adapters.deck.deck import of_other_system
from ...adapters.nwchem.deck_writer import optimization_deck
from ...adapters.nwchem.process import NWChemError, command_words
from ...adapters.nwchem.scf import last_lines, run_to_end
from ...adapters.nwchem.scratch import scratch_folder
from ...adapters.rtdb.entries import read_entries
from ...adapters.rtdb.nuclei import geometry_lines
from ...adapters.system import Geometry, System

_NAME, _DONE = "scf", "Optimization converged"


def relaxed(deck: Deck, command: str) -> Deck:
    """The deck with no optimisation left in it. Raises NWChemError where one does not converge."""
    tasks, journal, recorded = list(deck.tasks), list(deck.journal), list(deck.recorded)
    for k, task in enumerate(tasks):
        if not (isinstance(task, GroundStateTask) and task.relax is not None):
            continue
        before = task.system.geometry
        after = replace(before, positions=_final_positions(task, command))
        tasks[k:] = [_moved(later, before, after) for later in tasks[k:]]
        # A later `restart` reads the journal, where the geometry's own block stands ahead of the task.
        lines = geometry_lines(after)
        journal[recorded[k] : recorded[k]] = lines
        recorded[k:] = [count + len(lines) for count in recorded[k:]]
    return replace(deck, tasks=tuple(tasks), journal=tuple(journal), recorded=tuple(recorded))


def _final_positions(task: GroundStateTask, command: str) -> np.ndarray:
    """(n_atoms, 3) bohr."""
    scratch = scratch_folder()
    folder = scratch.path
    geometry = task.system.geometry
    try:
        (folder / f"{_NAME}.nw").write_text(optimization_deck(_NAME, task))
        log = run_to_end(command_words(command), folder)
        if _DONE not in log:
            raise NWChemError("NWChem's task dft optimize has not converged", last_lines(log))
        found = read_entries(folder / f"{_NAME}.db").array(f"geometry:{geometry.name}:coords")
    finally:
        scratch.remove()
    if found.size != 3 * geometry.n_atoms:
        raise NWChemError(f"NWChem left no geometry {geometry.name!r}")
    return np.reshape(found, (-1, 3)).copy()


def _moved(task: Task, before: Geometry, after: Geometry) -> Task:
    """The task with its geometry where the optimisation ended."""

    def follow(geometry: Geometry) -> Geometry:
        same = geometry.name == before.name and np.array_equal(geometry.positions, before.positions)
        return after if same else geometry

    def there(system: System) -> System:
        return replace(
            system, geometry=follow(system.geometry), geometries=tuple(map(follow, system.geometries))
        )

    if isinstance(task, GroundStateTask) and task.system.geometry is before:
        task = replace(task, relax=None)
    return of_other_system(task, there)
