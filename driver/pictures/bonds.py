"""Which atoms a picture joins by a line."""

import numpy as np

#: Bonds are drawn up to this multiple of the sum of covalent radii.
REACH = 1.25


def bonds(atomic_numbers: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """(k, 2) indices of atoms no farther apart than their covalent radii, of Cordero et al. 2008, allow.

    atomic_numbers: (n,), none of them 0; positions: (n, 3) Å.
    """
    from ase.data import covalent_radii

    radii = covalent_radii[atomic_numbers]
    apart = np.linalg.norm(positions[:, None] - positions, axis=2)
    return np.argwhere(np.triu(apart < REACH * (radii[:, None] + radii), 1))
