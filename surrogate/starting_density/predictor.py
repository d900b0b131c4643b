"""The seam to anything that predicts a ground-state density before any SCF.

Densities are real, in the AO basis and PySCF's order, (n_spin, n, n): the total density of a closed shell
(Tr PS = N), alpha and beta of an open one.
"""

from typing import Protocol

import numpy as np

from ...adapters.system import System
from ...atomic.errors import BadInput


class NotApplicable(BadInput):
    """A predictor that cannot serve a system: an element, basis or functional it does not know. One line."""


class DensityPredictor(Protocol):
    """Predicts the density of a system from what the deck says of it.

    What it predicts is purified and checked by whoever asks.
    """

    @property
    def name(self) -> str:
        """One word, for tables and messages: `minao`, `neural`, …"""
        ...

    def predict(self, system: System) -> np.ndarray:
        """Real symmetric density (n_spin, n, n); idempotent only if the predictor makes it so.

        Raises NotApplicable.
        """
        ...
