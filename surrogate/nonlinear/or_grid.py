"""Points that are learned, and where none are good enough those of a coarse grid: more, and always good."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...adapters.pyscf.beyond_first_order import beyond_first_order
from ...adapters.pyscf.quadrature import GRID_LEVEL, make_quadrature
from ..kernel.coarse_grid import COARSE_LEVEL
from .nonlinear_response import (
    HELD_OUT,
    SEED,
    NonlinearResponse,
    PointSource,
    held_out_error,
    on_points,
    rotations,
)


@dataclass(frozen=True, eq=False)
class PointsOrGrid:
    """Implements `NonlinearSource`.

    grid: that of the reference, by name. worth: whether learning is worth its time.
    """

    learned: PointSource
    grid: str
    worth: bool

    @property
    def wanted_from(self) -> float:
        """See `NonlinearSource`."""
        return self.learned.wanted_from

    def make(self) -> NonlinearResponse:
        """See `NonlinearSource`."""
        return (self.learned.make() if self.worth else None) or self._on_grid()

    def better(self, response: NonlinearResponse, visited: Sequence[np.ndarray]) -> NonlinearResponse | None:
        """See `NonlinearSource`."""
        return self.learned.better(response, visited)

    def again(self, points: np.ndarray) -> NonlinearResponse:
        """See `NonlinearSource`."""
        return self.learned.again(points)

    def _on_grid(self) -> NonlinearResponse:
        source = self.learned
        fine = beyond_first_order(source.fine, source.density, whole=True)
        coarse = make_quadrature(
            source.fine.mol, source.fine.xc, min(COARSE_LEVEL, GRID_LEVEL[self.grid]), 0.0
        )
        points = coarse.coords, coarse.weights
        made = on_points(source.fine, source.basis, source.density, points, whole=True)
        held_out = rotations(source.ground, HELD_OUT, np.random.default_rng(SEED + 1))
        return replace(made, error=held_out_error(made, fine, held_out))
