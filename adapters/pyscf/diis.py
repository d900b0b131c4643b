"""DIIS that goes on where the error vectors are small. P. Pulay, Chem. Phys. Lett. 73, 393 (1980).

PySCF leaves out combinations of error vectors of norm² below 1e-14, so that below |g| = 1e-7 nothing is
extrapolated any more: a soft rotation then falls by 1 % an iteration (neutral TCNE with diffuse functions:
hundreds of iterations). There, error vectors count by their directions alone.
"""

from typing import Any

import numpy as np
from pyscf.scf.diis import CDIIS

#: Norm of the smallest error vector, Hartree, below which they do.
SMALL = 1e-6
#: Added to the unit error vectors' squares: combinations of a smaller norm² are as good as one another.
#: With 1e-8, the hole of an oxygen atom, which only the grid turns, jumps to where it turns no more.
DEPENDENT = 1e-6
#: An error that is none: one basis function, or two that symmetry keeps apart.
NO_ERROR = 1e-15


class SmallErrorDIIS(CDIIS):
    """PySCF's DIIS in the orthogonal basis; its SCF makes one of these in each `kernel`."""

    def extrapolate(self, nd: int | None = None) -> np.ndarray:
        """The combination of the last vectors whose errors add up to least."""
        vectors: Any = self
        count = vectors.get_num_vec() if nd is None else nd
        products = np.asarray(vectors._H)[1 : count + 1, 1 : count + 1]
        size = np.sqrt(np.diag(products))
        if size.min() < NO_ERROR:
            return np.asarray(vectors.get_vec(int(size.argmin())))
        if size.min() > SMALL:
            return np.asarray(super().extrapolate(count))
        cosines = products / np.outer(size, size)
        shares = np.linalg.solve(cosines + DEPENDENT * np.eye(count), 1.0 / size) / size
        shares /= shares.sum()
        return sum(share * np.asarray(vectors.get_vec(k)) for k, share in enumerate(shares))  # pyright: ignore
