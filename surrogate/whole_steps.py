"""The seam to a surrogate that makes Magnus steps itself, many at once.

Matrices are in the working basis, as in `surrogate.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np


@dataclass(frozen=True, eq=False)
class LearnedRows:
    """What is added to F, L(δP) = Σ_k (a_k t_k + b_k t_k² + c_k t_k³) D_k,   t_k = Re Tr X_k† δP.

    What anchors leave over (`on_the_fly/remainder`) is of this form, and so is what an estimate adds.
    changes, images: X and D, (n, n_spin, m, m), real or complex. orders: a, b, c, (n, 3).
    """

    changes: np.ndarray
    images: np.ndarray
    orders: np.ndarray


@dataclass(frozen=True, eq=False)
class StepsFrom:
    """Where steps start from.

    orbitals: (n_spin, m, k); occupations: (n_spin, k). fock, fock_half: F'(t) with the field, F'(t - dt/2).
    """

    orbitals: np.ndarray
    occupations: np.ndarray
    fock: np.ndarray
    fock_half: np.ndarray


@dataclass(frozen=True, eq=False)
class StepsMade:
    """Where some steps end, (steps, n_spin, ...), as in `StepsFrom`.

    changes: for each step those of the norm at corrections 2, 3, ..., (n_spin,) each. The last is above the
    tolerance, or no number, where 200 were not enough.
    """

    orbitals: np.ndarray
    fock: np.ndarray
    fock_half: np.ndarray
    changes: Sequence[Sequence[np.ndarray]]


@runtime_checkable
class WholeSteps(Protocol):
    """A surrogate that makes steps."""

    @property
    def most_steps(self) -> int:
        """Of one call."""
        ...

    def steps(self, start: StepsFrom, amplitudes: np.ndarray, more: LearnedRows | None) -> StepsMade | None:
        """Steps with what the surrogate knows now, at most as many as there are fields.

        amplitudes: of every field of the run at the end of every step, (steps, f). more: added to F.
        None: this start is left to others.
        """
        ...
