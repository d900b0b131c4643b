"""The idempotent density nearest to a predicted one, and how far it had to be moved.

In an orthonormal basis, P' = X† S P S X with X† S X = 1, the eigenvectors of P' are natural orbitals. The N
with the largest occupations span the density of N electrons that is nearest in the Frobenius norm; McWeeny's
iteration, Rev. Mod. Phys. 32, 335 (1960), goes there too, as long as every occupation is on the right side of
one half.
"""

from dataclasses import dataclass

import numpy as np

from ...adapters.working_basis import canonical_orthogonalisation


@dataclass(frozen=True, eq=False)
class Purified:
    """An idempotent density and what it was made of.

    density: (n_spin, n, n), in the convention of its origin; orbitals: (n, k) of each spin.
    electron_error: largest error of a spin's electron number.
    idempotency_error: largest ‖P'² − P'‖ / √N of a spin, P' with occupations from 0 to 1.
    gap: least difference between the natural occupations of the last orbital kept and the first left out.
    """

    density: np.ndarray
    orbitals: tuple[np.ndarray, ...]
    electron_error: float
    idempotency_error: float
    gap: float


def purify(density: np.ndarray, overlap: np.ndarray, occupied: tuple[int, ...]) -> Purified:
    """Project a real density (n_spin, n, n) on `occupied` orbitals of each spin, pairs for a closed shell."""
    X = canonical_orthogonalisation(overlap, np.ones(len(overlap)))
    share = 2.0 / len(density)
    orbitals, electrons, idempotency, gaps = [], [], [], []
    for P, k in zip(density, occupied, strict=True):
        reduced = X.T @ overlap @ (0.5 * (P + P.T) / share) @ overlap @ X
        occupations, vectors = np.linalg.eigh(reduced)
        C = X @ vectors[:, len(occupations) - k :]
        orbitals.append(C)
        electrons.append(abs(float(occupations.sum()) - k) * share)
        idempotency.append(float(np.linalg.norm(occupations**2 - occupations)) / np.sqrt(max(k, 1)))
        inner = occupations[::-1]
        gaps.append(float(inner[k - 1] - inner[k]) if 0 < k < len(inner) else 1.0)
    pure = np.array([share * C @ C.T for C in orbitals])
    return Purified(pure, tuple(orbitals), max(electrons), max(idempotency), min(gaps))


def density_of_fock(fock: np.ndarray, overlap: np.ndarray, occupied: tuple[int, ...]) -> np.ndarray:
    """Density of the lowest `occupied` eigenvectors of each spin's Fock matrix, all (n_spin, n, n)."""
    X = canonical_orthogonalisation(overlap, np.ones(len(overlap)))
    share = 2.0 / len(occupied)
    densities = []
    for F, k in zip(fock, occupied, strict=True):
        C = X @ np.linalg.eigh(X.T @ F @ X)[1][:, :k]
        densities.append(share * C @ C.T)
    return np.array(densities)
