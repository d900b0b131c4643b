"""DIIS whose error vectors count by their directions, however small they are.

PySCF leaves out combinations of error vectors of norm² below 1e-14, so that below |g| = 1e-7 nothing is
extrapolated any more: a soft rotation then falls by 1 % an iteration (neutral TCNE with diffuse functions:
hundreds of iterations). P. Pulay, Chem. Phys. Lett. 73, 393 (1980).
"""

from typing import Any

import numpy as np
from pyscf.scf.diis import CDIIS

#: Combinations of unit error vectors whose norm² is so much smaller than the largest are left out.
DEPENDENT = 1e-14
#: An error, Hartree, that is none: one basis function, or two that symmetry keeps apart.
NO_ERROR = 1e-15


class RelativeDIIS(CDIIS):
    """PySCF's DIIS in the orthogonal basis; its SCF makes one of these in each `kernel`."""

    def extrapolate(self, nd: int | None = None) -> np.ndarray:
        """The combination of the last vectors whose errors add up to least."""
        vectors: Any = self
        count = vectors.get_num_vec() if nd is None else nd
        products = np.asarray(vectors._H)[1 : count + 1, 1 : count + 1]
        size = np.sqrt(np.diag(products))
        if size.min() < NO_ERROR:
            return np.asarray(vectors.get_vec(int(size.argmin())))
        cosines = products / np.outer(size, size)
        shares = np.linalg.pinv(cosines, rcond=DEPENDENT, hermitian=True) @ (1.0 / size) / size
        shares /= shares.sum()
        return sum(share * np.asarray(vectors.get_vec(k)) for k, share in enumerate(shares))  # pyright: ignore
