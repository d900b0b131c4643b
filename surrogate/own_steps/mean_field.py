"""Coulomb and exact exchange of a molecule's matrices, by numpy."""

from dataclasses import dataclass

import numpy as np

from ..matrices.symmetric_pairs import (
    pack_antisymmetric,
    pack_symmetric,
    unpack_antisymmetric,
    unpack_symmetric,
)
from ..rollout.molecule import RolloutMatrices


@dataclass(frozen=True, eq=False)
class MeanField:
    """Parts of F that are linear in δP, (..., n_spin, m, m), in the molecule's basis.

    coulomb: of both spins, the same for each. exchange: real part. imaginary: of the imaginary part; None
    without exact exchange.
    """

    coulomb: np.ndarray
    exchange: np.ndarray | None
    imaginary: np.ndarray | None

    def total(self) -> np.ndarray:
        """Complex, (..., n_spin, m, m)."""
        real = self.coulomb if self.exchange is None else self.coulomb + self.exchange
        return real.astype(complex) if self.imaginary is None else real + 1j * self.imaginary


def mean_field(molecule: RolloutMatrices, change: np.ndarray) -> MeanField:
    """Of δP (..., n_spin, m, m), Hermitian, in the molecule's basis."""
    m = change.shape[-1]
    x = pack_symmetric(np.real(change))
    J = unpack_symmetric(x.sum(axis=-2, keepdims=True) @ molecule.coulomb, m)
    coulomb = np.broadcast_to(J, change.shape)
    if molecule.exchange is None or molecule.imaginary is None:
        return MeanField(coulomb, None, None)
    imaginary = pack_antisymmetric(np.imag(change)) @ molecule.imaginary
    return MeanField(coulomb, unpack_symmetric(x @ molecule.exchange, m), unpack_antisymmetric(imaginary, m))
