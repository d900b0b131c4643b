"""Anderson's acceleration of a fixed-point iteration, J. ACM 12, 547 (1965), with a preconditioner."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class Anderson:
    """The last `history` inputs and residuals.

    weight: (...,), of the inner product in which the residual is minimised, broadcast against the input.
    """

    weight: Array
    history: int = 8
    inputs: deque[Array] = field(default_factory=deque)
    residuals: deque[Array] = field(default_factory=deque)

    def next(self, value: Array, residual: Array, precondition: Callable[[Array], Array]) -> Array:
        """The next input: the combination of past steps with the least residual, moved along it."""
        self.inputs.append(value)
        self.residuals.append(residual)
        if len(self.inputs) > self.history:
            self.inputs.popleft()
            self.residuals.popleft()
        if len(self.inputs) > 1:
            change = np.array([r - residual for r in list(self.residuals)[:-1]])
            moves = np.array([x - value for x in list(self.inputs)[:-1]])
            flat = (change * self.weight).reshape(len(change), -1)
            share = np.linalg.lstsq(flat.T, (residual * self.weight).ravel(), rcond=1e-10)[0]
            value = value - np.tensordot(share, moves, 1)
            residual = residual - np.tensordot(share, change, 1)
        return value + precondition(residual)
