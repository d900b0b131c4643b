"""The functional on a grid coarser than the reference's: more points than learned ones, and always good.

Where exact exchange takes most of a step few points spare little. Where a pass is not good enough, the next
finer grid takes its place, up to the reference's own.
"""

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
        made = (self.learned.make() if self.worth else None) or self.coarse(COARSE_LEVEL)
        return self._measured(made) if np.isnan(made.error) else made

    def better(self, response: NonlinearResponse, visited: Sequence[np.ndarray]) -> NonlinearResponse | None:
        """See `NonlinearSource`."""
        if self.worth:
            found = self.learned.better(response, visited)
            if found is not None:
                return found
        for level in range(COARSE_LEVEL, GRID_LEVEL[self.grid] + 1):
            finer = self.coarse(level)
            if len(finer.weights) > len(response.weights):
                finer = self._measured(finer)
                if finer.error < response.error:
                    return finer
        return None

    def again(self, points: np.ndarray) -> NonlinearResponse:
        """See `NonlinearSource`."""
        return self.learned.again(points)

    def coarse(self, level: int) -> NonlinearResponse:
        """On PySCF's grid of a level, if the reference's is not coarser; its error is not measured."""
        source = self.learned
        grid = make_quadrature(source.fine.mol, source.fine.xc, min(level, GRID_LEVEL[self.grid]), 0.0)
        return on_points(source.fine, source.basis, source.density, (grid.coords, grid.weights), whole=True)

    def _measured(self, response: NonlinearResponse) -> NonlinearResponse:
        source = self.learned
        fine = beyond_first_order(source.fine, source.density, whole=True)
        held_out = rotations(source.ground, HELD_OUT, np.random.default_rng(SEED + 1))
        return replace(response, error=held_out_error(response, fine, held_out))
