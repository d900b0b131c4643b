"""The NWChem input deck, read into a system and tasks; refusals by file and line."""

from .deck import Deck, GroundStateTask, LinearResponseTask, PropagationTask, Task, Vectors
from .errors import DeckError, Place

__all__ = [
    "Deck",
    "DeckError",
    "GroundStateTask",
    "LinearResponseTask",
    "Place",
    "PropagationTask",
    "Task",
    "Vectors",
]
