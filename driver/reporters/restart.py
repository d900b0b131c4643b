"""NWChem's restart file, `<start>.rt_restart`: one point, for `load restart` in NWChem and here."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...adapters.log.step_block import StepBlock
from ...adapters.nwchem.basis_order import density_to_nwchem, nwchem_order
from ...adapters.nwchem.rt_restart import RestartPoint, write_restart
from ...adapters.system.real_time import at_points
from ..loop.problem import Problem
from ..loop.progress import Event
from ..loop.segment import Segment, density_at
from .block import points_of


@dataclass(frozen=True, eq=False)
class RestartFile:
    """A writer.

    problem: what is propagated.
    path: of the file.
    """

    problem: Problem
    path: Path

    def block(self, segment: Segment, block: StepBlock) -> None:
        """Dump the last of the points that the deck's `nrestarts` asks for."""
        real_time = self.problem.real_time
        points = points_of(segment)
        saved = np.flatnonzero(at_points(points, real_time.n_restarts, real_time.n_points))
        if len(saved):
            row = int(saved[-1])
            self.dump(density_at(segment, row), int(points[row]), float(segment.times[row]))

    def event(self, event: Event) -> None:
        """The file holds no decisions."""

    def dump(self, density: np.ndarray, point: int, t: float) -> None:
        """One P' (n_spin, m, m) with NWChem's number of its point and its time in au. Raises OSError."""
        order = nwchem_order(self.problem.system)
        ao = self.problem.basis.density_out(density)
        write_restart(self.path, RestartPoint(point, t, density_to_nwchem(ao, order)))
