"""Between the working basis, one a spin, and the graphs' own, that of the first spin, for both.

M_graph = R M' R†,   R = C₁† S C_s
"""

from dataclasses import dataclass

import numpy as np

from ...adapters.working_basis import WorkingBasis
from ..whole_steps import LearnedRows, StepsFrom, StepsMade
from .block import Made, Request


@dataclass(frozen=True, eq=False)
class Turned:
    """turns: R, (n_spin, m, m) real; None for a closed shell, whose bases are the same."""

    turns: np.ndarray | None

    def matrices_in(self, matrices: np.ndarray) -> np.ndarray:
        """Of (..., n_spin, m, m) in the working basis, in the graphs'."""
        return matrices if self.turns is None else self.turns @ matrices @ self.turns.swapaxes(1, 2)

    def matrices_out(self, matrices: np.ndarray) -> np.ndarray:
        """The other way."""
        return matrices if self.turns is None else self.turns.swapaxes(1, 2) @ matrices @ self.turns

    def request(self, start: StepsFrom, amplitudes: np.ndarray, rows: LearnedRows) -> Request:
        """What the graph takes."""
        orbitals = start.orbitals if self.turns is None else self.turns @ start.orbitals
        columns = np.concatenate([np.real(orbitals), np.imag(orbitals)], axis=1)
        state = [_parts(self.matrices_in(fock)) for fock in (start.fock, start.fock_half)]
        n = len(rows.orders)
        sides = [
            np.concatenate([np.real(side).reshape(n, -1), np.imag(side).reshape(n, -1)], axis=1)
            for side in (self.matrices_in(rows.changes), self.matrices_in(rows.images))
        ]
        laid = np.ascontiguousarray(columns.swapaxes(1, 2))
        return Request((laid, state[0], state[1]), amplitudes, (sides[0], sides[1], rows.orders))

    def moved(self, made: Made) -> StepsMade:
        """What the graph gave."""
        rows, fock, half = made.state
        m = fock.shape[-1]
        orbitals = np.ascontiguousarray((rows[..., :m] + 1j * rows[..., m:]).swapaxes(-1, -2))
        if self.turns is not None:
            orbitals = self.turns.swapaxes(1, 2) @ orbitals
        fock, half = (
            self.matrices_out(each[..., 0, :, :] + 1j * each[..., 1, :, :]) for each in (fock, half)
        )
        return StepsMade(orbitals, fock, half, [made.changes_of(step) for step in range(len(rows))])


def turned(basis: WorkingBasis) -> Turned:
    """Of a run's basis."""
    if len(basis.dual) == 1:
        return Turned(None)
    return Turned(basis.dual[0] @ basis.coefficients)


def _parts(matrices: np.ndarray) -> np.ndarray:
    """Real and imaginary part, (n_spin, 2, m, m)."""
    return np.stack([np.real(matrices), np.imag(matrices)], axis=1)
