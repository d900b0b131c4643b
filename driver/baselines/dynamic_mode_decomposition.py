"""Dynamic mode decomposition of P(t): a linear map from one density to the next, learned from a stretch.

    x_{k+1} ≈ A x_k,  or with delays  (x_{k+1} … x_{k+d}) ≈ A (x_k … x_{k+d-1})

The densities are first expressed in their own leading singular vectors; PyDMD finds the eigenvalues of A.
With delays it is the higher-order variant (Le Clainche and Vega, SIAM J. Appl. Dyn. Syst. 16, 882 (2017)): it
bears the noise that the reference's own convergence threshold leaves.
"""

import warnings

import numpy as np

from ...atomic.errors import Failed
from .exponential_sum import continue_exponentials

#: Singular vectors of the densities that are kept, as a share of the largest singular value.
SMALLEST = 1e-5


class PyDMDMissing(Failed):
    """PyDMD is not installed. One line, which says how to get it."""


def dmd_extrapolation(known: np.ndarray, rows: np.ndarray, n: int, delays: int) -> np.ndarray:
    """Observables `rows` (c, N) of the densities, (n, c): of the first k, `known` (k, N), and continued.

    delays: d, 1 for plain dynamic mode decomposition; d < k - 1. Raises PyDMDMissing.
    """
    try:
        from pydmd import DMD, HODMD
    except ImportError as error:
        raise PyDMDMissing("dmd needs PyDMD: pip install 'hybrid-propagate[bench]'") from error
    left, sizes, right = np.linalg.svd(known.T, full_matrices=False)
    rank = int((sizes > SMALLEST * sizes[0]).sum()) if sizes[0] > 0.0 else 0
    observed = known @ rows.T
    if rank == 0:
        return np.zeros((n, len(rows)))
    reduced = sizes[:rank, None] * right[:rank]
    # The rank of the map: all directions without delays, Gavish and Donoho's threshold with them.
    model = DMD(svd_rank=rank) if delays == 1 else HODMD(svd_rank=0, d=delays)
    with warnings.catch_warnings():
        # Condition numbers of the snapshots; what they do to the result is what is measured.
        warnings.simplefilter("ignore")
        model.fit(reduced)
    weights_of = rows @ left[:, :rank]
    continued = continue_exponentials(reduced.T, np.asarray(model.eigs), n) @ weights_of.T
    continued[: len(known)] = observed
    return continued
