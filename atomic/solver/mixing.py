"""Anderson's acceleration of a fixed-point iteration, J. ACM 12, 547 (1965), with a linear preconditioner."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class Anderson:
    """The last `history` inputs, residuals and preconditioned residuals.

    weight: (...,), of the inner product in which the residual is minimised, broadcast against the input.
    """

    weight: Array
    history: int = 8
    inputs: deque[Array] = field(default_factory=deque)
    residuals: deque[Array] = field(default_factory=deque)
    steps: deque[Array] = field(default_factory=deque)

    def next(self, value: Array, residual: Array, step: Array) -> Array:
        """The next input: the combination of past ones with the least residual, moved along its step.

        step: the preconditioned residual, always by the same preconditioner.
        """
        self.inputs.append(value)
        self.residuals.append(residual)
        self.steps.append(step)
        if len(self.inputs) > self.history:
            self.inputs.popleft()
            self.residuals.popleft()
            self.steps.popleft()
        if len(self.inputs) > 1:
            change = np.array([r - residual for r in list(self.residuals)[:-1]])
            flat = (change * self.weight).reshape(len(change), -1)
            share = np.linalg.lstsq(flat.T, (residual * self.weight).ravel(), rcond=1e-10)[0]
            ends = [x + s for x, s in zip(self.inputs, self.steps, strict=True)]
            return (1 + share.sum()) * ends[-1] - np.tensordot(share, np.array(ends[:-1]), 1)
        return value + step
