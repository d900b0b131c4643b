"""The linear response of one change at a time, where its matrix would be too large or is not known.

    ΔF = J[Re δP] + K[δP] + f_xc[P₀] δρ

Coulomb and exchange as in a Fock build; f_xc, of any functional, by quadrature on a coarse grid.
"""

import numpy as np

from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.pyscf.quadrature import (
    GRID_LEVEL,
    apply_kernel,
    make_expansion_point,
    make_kernel,
    make_quadrature,
)
from ..surrogate import Prior

#: PySCF's grid level; what it leaves of water's response, a test holds below 5e-4.
COARSE_LEVEL = 1
#: Share of the memory that values on the coarse grid may take.
_SHARE = 1 / 8


def coarse_response(engine: PySCFEngine, density: np.ndarray, memory: float) -> Prior:
    """ΔF, hartree, of AO changes, both (n_spin, n, n) Hermitian, to first order at `density`, real.

    memory: bytes that the whole run may take. Hartree-Fock's response is exact.
    """
    fine = engine.quadrature
    if fine is None:
        return engine.mean_field_response
    level = min(COARSE_LEVEL, GRID_LEVEL[engine.system.grid])
    quadrature = make_quadrature(engine.mol, fine.xc, level, memory * _SHARE)
    kernel = make_kernel(quadrature, make_expansion_point(quadrature, density))

    def prior(change: np.ndarray) -> np.ndarray:
        response = engine.mean_field_response(change)
        real = np.ascontiguousarray(np.real(change))
        # An imaginary change has no density.
        return response + apply_kernel(quadrature, kernel, real) if real.any() else response

    return prior
