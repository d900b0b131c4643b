"""Ordered pairs of atoms of many molecules laid end to end: the edges that networks pass messages along."""

import numpy as np


def atom_pairs(
    n_atoms: np.ndarray, positions: np.ndarray | None = None, cutoff: float | None = None
) -> np.ndarray:
    """Ordered pairs (receiver, sender) of different atoms of one molecule, (2, n_pairs) int64.

    n_atoms: (n_molecules,) atoms of each molecule; atoms count through all of them. With `positions`
    (n, 3) and `cutoff`, in one unit, only pairs nearer than that.
    """
    owner = np.repeat(np.arange(len(n_atoms)), n_atoms)
    # Every atom against all atoms of its own molecule, which start at `first` and are `n_atoms[owner]` many.
    partners = np.asarray(n_atoms)[owner]
    first = (np.cumsum(n_atoms) - n_atoms)[owner]
    receiver = np.repeat(np.arange(len(owner)), partners)
    within = np.arange(len(receiver)) - np.repeat(np.cumsum(partners) - partners, partners)
    pairs = np.stack([receiver, np.repeat(first, partners) + within]).astype(np.int64)
    keep = pairs[0] != pairs[1]
    if positions is not None and cutoff is not None:
        keep &= np.linalg.norm(positions[pairs[1]] - positions[pairs[0]], axis=1) < cutoff
    return pairs[:, keep]
