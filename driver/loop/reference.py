"""What the loop asks of the reference code: steps, and a look at the surrogate where it has got to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...adapters.engine import Energies
from ...surrogate.surrogate import Surrogate
from ..estimate.defect_operator import Defect
from ..propagators.state import State
from .problem import Problem
from .segment import Reason, Segment, reference_segment


@dataclass(frozen=True, eq=False)
class Sight:
    """The reference beside the surrogate at one density; the surrogate has learned nothing of it yet.

    defect: what the surrogate lacks there.
    force: |[defect, P]|, the rate at which it drives P astray.
    beyond: what a step of the reference code itself shows beyond that.
    energies: of the reference there.
    teach: shows it to the surrogate.
    """

    defect: Defect
    force: float
    beyond: float
    energies: Energies
    teach: Callable[[], None]


class Reference(Protocol):
    """The reference code of a run, by its steps."""

    @property
    def shows_fock(self) -> bool:
        """Whether `sight` compares whole Fock matrices."""
        ...

    @property
    def rounding(self) -> float:
        """Expected norm of the rounding of the density that the code wrote last; 0 where it writes none."""
        ...

    @property
    def entries(self) -> int:
        """How often the code was given a state to go on from."""
        ...

    def steps(
        self, state: State, energies: Energies, n_steps: int, seconds: float, reason: Reason
    ) -> tuple[Segment, Energies]:
        """Up to `n_steps` steps, fewer when `seconds` have passed; and the energies for the next point."""
        ...

    def sight(self, surrogate: Surrogate, density: np.ndarray, time: float, *, end: bool) -> Sight:
        """One Fock build at the surrogate's own P' and time. end: the run is to go on from there."""
        ...

    def show(self, surrogate: Surrogate, state: State) -> int:
        """Teach the end of reference steps; how many Fock builds that took."""
        ...

    def taken_up(self, state: State) -> State:
        """The state with the Fock history that steps from it would have."""
        ...


def sight_of(
    problem: Problem, surrogate: Surrogate, density: np.ndarray, fock: np.ndarray, energies: Energies
) -> Sight:
    """The sight of a known field-free F' (n_spin, m, m)."""
    wrong = fock - surrogate.predict(density)
    response = float(np.linalg.norm(fock - problem.ground_fock))
    return Sight(
        Defect(density - problem.ground_density, wrong, response),
        float(np.linalg.norm(wrong @ density - density @ wrong)),
        0.0,
        energies,
        lambda: _shown(surrogate, density, fock),
    )


def fock_of_state(problem: Problem, state: State) -> np.ndarray:
    """Field-free F' of a state's last Fock build: of its density to within the step's tolerance."""
    # An absorbing potential is the anti-Hermitian part.
    fock = 0.5 * (state.fock + state.fock.conj().swapaxes(1, 2))
    field = problem.external(state.time)
    return fock if field is None else fock - field


class EmbeddedReference:
    """Steps made here, with the engine's Fock matrices; implements `Reference`."""

    shows_fock = True
    rounding = 0.0
    entries = 0

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def steps(
        self, state: State, energies: Energies, n_steps: int, seconds: float, reason: Reason
    ) -> tuple[Segment, Energies]:
        """See `Reference`."""
        return reference_segment(self._problem, state, energies, n_steps, seconds, reason)

    def sight(self, surrogate: Surrogate, density: np.ndarray, time: float, *, end: bool) -> Sight:
        """See `Reference`."""
        fock, energies = self._problem.reference_fock(density)
        return sight_of(self._problem, surrogate, density, fock, energies)

    def show(self, surrogate: Surrogate, state: State) -> int:
        """See `Reference`: the last step has built the matrix."""
        if not (self._problem.real_time.static or self._problem.follows_kick(state.step)):
            surrogate.observe(state.density, fock_of_state(self._problem, state))
        return 0

    def taken_up(self, state: State) -> State:
        """The state as it is: the propagation here goes on from its own history."""
        return state


def _shown(surrogate: Surrogate, density: np.ndarray, fock: np.ndarray) -> None:
    surrogate.observe(density, fock)
