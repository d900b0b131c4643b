"""The NWChem input deck, read into a system and tasks; refusals by file and line."""

from ..free_format.errors import DeckError, Place
from .deck import (
    Deck,
    DensityPlotTask,
    ExcitedDensityTask,
    GroundStateTask,
    LinearResponseTask,
    PropagationTask,
    Task,
    Vectors,
    orbitals_read,
)

__all__ = [
    "Deck",
    "DeckError",
    "DensityPlotTask",
    "ExcitedDensityTask",
    "GroundStateTask",
    "LinearResponseTask",
    "Place",
    "PropagationTask",
    "Task",
    "Vectors",
    "orbitals_read",
]
