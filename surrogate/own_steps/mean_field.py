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
from .turned import Turned


@dataclass(frozen=True, eq=False)
class GraphMeanField:
    """Implements `MeanFieldMap` (`../on_the_fly/functional_response`) with what the graph takes."""

    molecule: RolloutMatrices
    turned: Turned

    def coulomb(self, changes: np.ndarray) -> np.ndarray:
        """J[Re δP] of both spins, real, of changes of P', both (k, n_spin, m, m), Hartree."""
        x = pack_symmetric(np.real(self.turned.matrices_in(changes))).sum(axis=-2, keepdims=True)
        J = unpack_symmetric(x @ self.molecule.coulomb, changes.shape[-1])
        return self.turned.matrices_out(np.broadcast_to(J, changes.shape))

    def nearly(self, changes: np.ndarray, still: float) -> np.ndarray:
        """The same: less would take no less time."""
        return self.total(changes)

    def total(self, changes: np.ndarray) -> np.ndarray:
        """The same with exact exchange, complex."""
        molecule, m = self.molecule, changes.shape[-1]
        response = self.coulomb(changes).astype(complex)
        if molecule.exchange is None or molecule.imaginary is None:
            return response
        inside = self.turned.matrices_in(changes)
        real = unpack_symmetric(pack_symmetric(np.real(inside)) @ molecule.exchange, m)
        imaginary = unpack_antisymmetric(pack_antisymmetric(np.imag(inside)) @ molecule.imaginary, m)
        return response + self.turned.matrices_out(real + 1j * imaginary)
