"""What the loop asks of the reference code: steps, and a judgement of the surrogate where it has got to."""

from typing import Protocol

import numpy as np

from ...adapters.engine import Energies
from ...surrogate.surrogate import Measurement, Surrogate
from ..propagators.state import State
from .problem import Problem
from .segment import Reason, Segment, reference_segment


class Reference(Protocol):
    """The reference code of a run, by its steps."""

    def steps(
        self, state: State, energies: Energies, n_steps: int, seconds: float, reason: Reason
    ) -> tuple[Segment, Energies]:
        """Up to `n_steps` steps, fewer when `seconds` have passed; and the energies for the next point."""
        ...

    def anchor(self, surrogate: Surrogate, density: np.ndarray, time: float) -> tuple[Measurement, Energies]:
        """Measure the surrogate at its own P' and time, teach it, and give the energies there."""
        ...

    def taken_up(self, state: State) -> State:
        """The state with the Fock history that steps from it would have."""
        ...


class EmbeddedReference:
    """Steps made here, with the engine's Fock matrices; implements `Reference`."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def steps(
        self, state: State, energies: Energies, n_steps: int, seconds: float, reason: Reason
    ) -> tuple[Segment, Energies]:
        """See `Reference`."""
        return reference_segment(self._problem, state, energies, n_steps, seconds, reason)

    def anchor(self, surrogate: Surrogate, density: np.ndarray, time: float) -> tuple[Measurement, Energies]:
        """The reference Fock matrix at that density: measures the defect, and teaches."""
        fock, energies = self._problem.reference_fock(density)
        return surrogate.observe(density, fock), energies

    def taken_up(self, state: State) -> State:
        """The state as it is: the propagation here goes on from its own history."""
        return state
