"""The block of a Hermitian matrix between empty and occupied orbitals of an idempotent ground state.

To first order all that a density changes lies there: X_ai = P'_ai, a empty, i occupied.
"""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class OccupiedEmpty:
    """d pairs of an empty and an occupied orbital, all spins, for matrices (n_spin, m, m) in their basis.

    index, mirrored: where the elements (a, i) and (i, a) stand in the flat matrix. filling: electrons in an
    occupied orbital, 2 closed shell, 1 open. gaps: (d,) ε_a - ε_i, Hartree.
    """

    shape: tuple[int, int, int]
    index: np.ndarray
    mirrored: np.ndarray
    filling: float
    gaps: np.ndarray

    @property
    def n_pairs(self) -> int:
        """d."""
        return self.index.size

    def some(self, kept: np.ndarray) -> "OccupiedEmpty":
        """Those pairs alone; kept: their numbers."""
        index, mirrored = self.index[kept], self.mirrored[kept]
        return replace(self, index=index, mirrored=mirrored, gaps=self.gaps[kept])

    def block(self, matrix: np.ndarray) -> np.ndarray:
        """X (..., d) of Hermitian matrices (..., n_spin, m, m)."""
        return matrix.reshape(*matrix.shape[:-3], -1)[..., self.index]

    def matrix(self, block: np.ndarray) -> np.ndarray:
        """Hermitian matrices (..., n_spin, m, m) that have the blocks X (..., d), and nothing else."""
        flat = np.zeros((*block.shape[:-1], int(np.prod(self.shape))), complex)
        flat[..., self.index] = block
        flat[..., self.mirrored] = np.conj(block)
        return flat.reshape(*block.shape[:-1], *self.shape)


def occupied_empty(density: np.ndarray, energies: np.ndarray, off_diagonal: float = 1e-6) -> OccupiedEmpty:
    """Pairs for a ground state P' (n_spin, m, m) that is diagonal; energies of its orbitals (n_spin, m).

    off_diagonal: largest element of P' that counts as nothing.
    Raises ValueError where P' is not diagonal, or an orbital neither full nor empty.
    """
    n_spin, m = energies.shape
    filling = 2.0 if n_spin == 1 else 1.0
    occupations = np.real(np.diagonal(density, axis1=1, axis2=2))
    full, empty = np.abs(occupations - filling) < 1e-6, np.abs(occupations) < 1e-6
    if not (full | empty).all() or np.abs(density - occupations[:, :, None] * np.eye(m)).max() > off_diagonal:
        raise ValueError("the ground state's orbitals are not all full or empty")
    spin, a, i = np.nonzero(empty[:, :, None] & full[:, None, :])
    return OccupiedEmpty(
        density.shape,
        (spin * m + a) * m + i,
        (spin * m + i) * m + a,
        filling,
        energies[spin, a] - energies[spin, i],
    )


def gathered(every: OccupiedEmpty, pairs: OccupiedEmpty, block: np.ndarray) -> np.ndarray:
    """The matrix of a block (d,) of all pairs, in those of `pairs`, of the same norm."""
    whole = every.matrix(block)
    kept = pairs.matrix(pairs.block(whole))
    size = float(np.linalg.norm(kept))
    return kept * (float(np.linalg.norm(whole)) / size) if size > 0.0 else whole
