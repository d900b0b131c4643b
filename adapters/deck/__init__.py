"""The NWChem input deck, read into a system and tasks; refusals by file and line."""

from ..free_format.errors import DeckError, Place
from .deck import Deck, DensityPlotTask, GroundStateTask, LinearResponseTask, PropagationTask, Task, Vectors

__all__ = [
    "Deck",
    "DeckError",
    "DensityPlotTask",
    "GroundStateTask",
    "LinearResponseTask",
    "Place",
    "PropagationTask",
    "Task",
    "Vectors",
]
