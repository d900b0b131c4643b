"""What is not linear along a pass, carried on from its last points to the next one, and kept.

A step looks for its own end: its first guess of that needs r only nearly, and r at the end is then evaluated
for itself. So a step takes one evaluation, not two, and ends where it would.
"""

from collections.abc import Sequence
from itertools import islice

import numpy as np

#: Weights of the last points, the very last one first: polynomials through them, by their number.
WEIGHTS = {1: (1.0,), 2: (2.0, -1.0), 3: (3.0, -3.0, 1.0), 4: (4.0, -6.0, 4.0, -1.0)}


class CarriedOn:
    """r (d,) at the last points of one pass."""

    def __init__(self) -> None:
        self._past: list[np.ndarray] = []
        self._number: int | None = None
        self._latest: np.ndarray | None = None
        self._kept: dict[int, np.ndarray | None] = {}
        self._guess = False

    def begins(self, number: int) -> None:
        """A step begins at the point of this number; one that is made again begins there once more."""
        if self._latest is not None and number != self._number:
            self._past = [self._latest, *islice(self._past, len(WEIGHTS) - 1)]
        self._number, self._latest = number, None
        self._guess = len(self._past) == len(WEIGHTS)

    def guess(self) -> np.ndarray | None:
        """r at the next point, nearly; None where it is to be evaluated."""
        if not self._guess:
            return None
        self._guess = False
        return _combined(self._past)

    def note(self, beyond: np.ndarray | None) -> None:
        """r as evaluated, at what may be the step's end; None: nothing is evaluated yet."""
        self._latest = beyond
        if self._number is not None:
            self._kept[self._number + 1] = beyond

    def at(self, number: int) -> np.ndarray | None:
        """r at the pass's point of this number; None where it was not evaluated."""
        return self._kept.get(number)


def _combined(past: Sequence[np.ndarray]) -> np.ndarray:
    return sum((w * r for w, r in zip(WEIGHTS[len(past)], past, strict=True)), np.zeros_like(past[0]))
