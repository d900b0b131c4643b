"""Points of a grid that a minimum of the density passes, in its far tail.

Where ∇ρ passes zero, the potential of a gradient correction swings, over a breadth of |∇ρ| ~ ρ^(4/3). Behind
lithium hydride's metal that is narrower than the grid: V[P] on it jumps from step to step, by 2e-3 of ΔF. No
interpolation and no weights of a few points follow that; the grid's own points with their own weights do.
"""

from collections.abc import Sequence

import numpy as np

from ...adapters.pyscf.beyond_first_order import BeyondFirstOrder
from ...adapters.pyscf.quadrature import ao_blocks, density_change

#: Of them for each atom. Without 800 of lithium hydride's 22,367 points a third of the jumps is left, without
#: 1600 a fortieth.
PER_ATOM = 750
#: ρ below this counts as this.
_LEAST = 1e-12


def passed_by_minima(fine: BeyondFirstOrder, changes: Sequence[np.ndarray]) -> np.ndarray:
    """Which points, (n_grid,), by how little density each has seen for what its functions could add to V.

    changes: δP, (n_spin, n, n) each, AO basis, real.
    """
    grid = fine.quadrature
    least = np.full(len(grid.weights), np.inf)
    for change in changes:
        rho = fine.rho[:, 0] + density_change(grid, change)[:, 0]
        least = np.minimum(least, rho.min(axis=0))
    room = np.concatenate([np.vecdot(ao[0], ao[0]) for _, ao in ao_blocks(grid)]).astype(float)
    worth = np.abs(grid.weights) * room**2 / np.maximum(least, _LEAST)
    found = np.zeros(len(worth), bool)
    found[np.argsort(-worth)[: PER_ATOM * grid.mol.natm]] = True
    return found
