"""What a run is, in a few words and numbers: the same in its trajectory file and in its summary."""

import importlib.metadata

from ...adapters.deck import PropagationTask
from ...adapters.files.meanings import FORMAT_VERSION
from ...adapters.system.formula import basis_words, formula
from ...adapters.system.real_time import field_words


def about(task: PropagationTask, title: str) -> dict[str, str | int | float]:
    """By the names that docs/files.md lists; one level, so that many runs make a table."""
    system, real_time = task.system, task.real_time
    return {
        "format_version": FORMAT_VERSION,
        "creator": f"hybrid-propagate {importlib.metadata.version('hybrid-propagate')}",
        # The reader marks quoted words by a type of their own, which HDF5 does not know.
        "title": str(title),
        "formula": formula(system.geometry.atomic_numbers),
        "functional": system.functional.directive,
        "basis": basis_words(system),
        "n_atoms": system.geometry.n_atoms,
        "n_basis": system.n_basis,
        "charge": system.charge,
        "multiplicity": system.multiplicity,
        "tag": str(real_time.tag),
        "dt": real_time.dt,
        "tmax": real_time.tmax,
        "field": field_words(real_time),
    }
