"""PySCF's own initial guesses, of any basis that a deck can have."""

from typing import Any

import numpy as np

from ..working_basis import canonical_orthogonalisation

#: Norm of what a function has that those before it have not: rounding, where it is one of them again.
_SINGULAR = 1e-7


def initial_guess(mean_field: Any, key: str, n_spin: int) -> np.ndarray:
    """Density (n_spin, n, n) of PySCF's guess of this name; of the core Hamiltonian where PySCF has none.

    It has none of `minao` where a function is given twice, nor where an atom with an ECP has fewer shells
    than it fills.
    """
    n, overlap = mean_field.mol.nao, mean_field.get_ovlp()
    try:
        if np.linalg.cholesky(overlap).diagonal().min() > _SINGULAR:
            return np.asarray(mean_field.get_init_guess(key=key)).reshape(n_spin, n, n)
    except (AssertionError, IndexError, ValueError):
        pass
    X = canonical_orthogonalisation(overlap, np.ones(n))
    C = X @ np.linalg.eigh(X.T @ mean_field.get_hcore() @ X)[1]
    up, down = (C[:, :count] @ C[:, :count].T for count in mean_field.mol.nelec)
    return np.array([up, down] if n_spin == 2 else [up + down])
