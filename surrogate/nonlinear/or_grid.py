"""The functional on a grid coarser than the reference's: more points than learned ones, and always good.

Where exact exchange takes most of a step few points spare little. Where a pass is not good enough, a grid of
a fifth of the error takes its place: at last the reference's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...adapters.pyscf.beyond_first_order import beyond_first_order
from ...adapters.pyscf.quadrature import GRID_LEVEL, make_quadrature
from ..kernel.coarse_grid import COARSE_LEVEL
from .nonlinear_response import (
    BETTER,
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
        for level in range(COARSE_LEVEL + 1, GRID_LEVEL[self.grid] + 1):
            finer = self._measured(self.coarse(level))
            if finer.error < BETTER * response.error:
                return finer
        return None

    def again(self, points: np.ndarray) -> NonlinearResponse:
        """See `NonlinearSource`."""
        whole = len(points) == len(self.learned.fine.weights)
        return replace(self._own(), error=float(points[0, 4])) if whole else self.learned.again(points)

    def coarse(self, level: int) -> NonlinearResponse:
        """On PySCF's grid of a level, if the reference's is finer; its error is not measured."""
        source = self.learned
        if level >= GRID_LEVEL[self.grid]:
            return self._own()
        grid = make_quadrature(source.fine.mol, source.fine.xc, level, 0.0)
        return on_points(source.fine, source.basis, source.density, (grid.coords, grid.weights), whole=True)

    def _own(self) -> NonlinearResponse:
        """On the reference's own quadrature, which is there."""
        source = self.learned
        part = beyond_first_order(source.fine, source.density, whole=True)
        return NonlinearResponse(source.basis, part, source.fine.coords, source.fine.weights, np.nan)

    def _measured(self, response: NonlinearResponse) -> NonlinearResponse:
        source = self.learned
        fine = beyond_first_order(source.fine, source.density, whole=True)
        held_out = rotations(source.ground, HELD_OUT, np.random.default_rng(SEED + 1))
        return replace(response, error=held_out_error(response, fine, held_out))
