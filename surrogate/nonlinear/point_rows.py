"""The nonlinear part of the response in packed coordinates, by two products a look.

    δρ_v(g) = Σ_k x_k R_kv(g),    r_k = Σ_gv R_kv(g) w_g δv_v(g),    R_kv(g) = dρ_v(g)/dx_k

Of few functions R is smaller than the work on their matrices. As long as the motion is totally symmetric only
those rows are read, and r is: what points that are not symmetric say beyond that is none of it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...adapters.pyscf.beyond_first_order import BeyondFirstOrder, potential_beyond
from ...adapters.pyscf.quadrature import density_change
from ..matrices.packing import Packing, unpack
from .nonlinear_response import NonlinearResponse, real_out

#: Bytes that R may take: beyond, matrices are as quick.
MOST_BYTES = 6e6
#: What of a change lies in other irreps counts as nothing below this share.
ROUNDING = 1e-11


@dataclass(frozen=True, eq=False)
class PointRows:
    """R of a closed shell, (d, n_variables n_grid) in single precision.

    symmetric: how many of the first rows belong to the totally symmetric irrep.
    """

    part: BeyondFirstOrder
    rows: np.ndarray
    symmetric: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """r (d,) of a packed change (d,)."""
        found = np.zeros(len(x))
        size = float(np.abs(x).max(initial=0.0))
        if size == 0.0:
            return found
        still = float(np.abs(x[self.symmetric :]).max(initial=0.0)) <= ROUNDING * size
        used = slice(self.symmetric if still else len(x))
        rows = self.rows[used]
        # Scaled to order one, so that the smallest changes stay clear of single precision's underflow.
        moved = ((x[used] * (1.0 / size)).astype(np.float32) @ rows).astype(float)
        moved *= size
        potential = potential_beyond(self.part, moved.reshape(self.part.rho.shape))
        potential *= self.part.quadrature.weights
        most = float(np.abs(potential).max()) or 1.0
        found[used] = rows @ (potential * (1.0 / most)).astype(np.float32).ravel()
        found *= most
        return found


def point_rows(response: NonlinearResponse, packing: Packing) -> PointRows | Literal[False]:
    """R of some points; False where it would take too much, and for open shells."""
    part, d = response.part, packing.n_real
    if len(part.rho) != 1 or 4 * d * part.rho.size > MOST_BYTES:
        return False
    nothing, rows = np.zeros(packing.n_imag), np.empty((d, part.rho.size), np.float32)
    for row, unit in zip(rows, np.eye(d), strict=True):
        change = real_out(response.basis, unpack(packing, unit, nothing))
        row[:] = density_change(part.quadrature, change).ravel()
    return PointRows(part, rows, packing.real_blocks[0].stop)
