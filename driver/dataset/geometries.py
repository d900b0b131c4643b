"""Distorted geometries of a molecule: thermal displacements along the normal modes of a model force field.

Every two atoms are tied by a spring that weakens with their distance, k ∝ r^(−6) as in elastic network
models, and every atom weakly to its place, which gives planar molecules their out-of-plane modes. With the
Hessian H, displacements are drawn from exp(−½ xᵀHx / T), and T is such that an atom moves by what was asked.
"""

import numpy as np

#: Share of the strongest spring that ties every atom to its place.
_PLACE = 0.05


def distorted(
    positions: np.ndarray, rng: np.random.Generator, displacement: tuple[float, float]
) -> np.ndarray:
    """One distorted copy of positions (n_atoms, 3), its centre and orientation kept to first order.

    displacement: least and largest root mean square displacement of an atom, in the unit of positions.
    """
    values, modes = np.linalg.eigh(_model_hessian(positions))
    move = modes @ (rng.standard_normal(len(values)) / np.sqrt(values))
    stiff = _rigid_motions(positions)
    move -= stiff @ (stiff.T @ move)
    move = move.reshape(-1, 3)
    size = rng.uniform(*displacement) * np.sqrt(len(positions)) / np.linalg.norm(move)
    return positions + size * move


def _model_hessian(positions: np.ndarray) -> np.ndarray:
    """(3 n_atoms, 3 n_atoms), in units of the strongest spring."""
    n = len(positions)
    apart = positions[:, None] - positions[None]
    squares = (apart**2).sum(-1) + np.eye(n)
    springs = np.where(np.eye(n) > 0.0, 0.0, squares**-3.0)
    springs /= springs.max()
    blocks = -springs[..., None, None] * apart[..., :, None] * apart[..., None, :] / squares[..., None, None]
    hessian = blocks.transpose(0, 2, 1, 3).copy()
    for atom in range(n):
        hessian[atom, :, atom] -= blocks[atom].sum(0)
    return hessian.reshape(3 * n, 3 * n) + _PLACE * np.eye(3 * n)


def _rigid_motions(positions: np.ndarray) -> np.ndarray:
    """Orthonormal translations and rotations, (3 n_atoms, 5 or 6)."""
    relative = positions - positions.mean(0)
    motions = [np.tile(axis, len(positions)) for axis in np.eye(3)]
    motions += [np.cross(axis, relative).ravel() for axis in np.eye(3)]
    left, sizes, _ = np.linalg.svd(np.array(motions).T, full_matrices=False)
    return left[:, sizes > 1e-8 * sizes[0]]
