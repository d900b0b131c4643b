"""Steps that a surrogate makes itself, some ahead of where they are asked for; by numpy where it does not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...surrogate.whole_steps import LearnedRows, StepsFrom, WholeSteps
from .magnus import FockOf, NoFixedPoint
from .state import State, density_of, times_from

#: A step: the state after it, and the changes of the norm that NWChem prints.
Step = Callable[[State, FockOf], tuple[State, list[np.ndarray]]]


@dataclass(frozen=True, eq=False)
class AheadRules:
    """What steps ahead of a run share.

    dt: au; tolerance: of the norm's change.
    amplitudes(t): of every field, (f,). room(step): steps from there that nothing comes between.
    by_numpy: makes a step where the surrogate leaves it to others.
    """

    dt: float
    tolerance: float
    amplitudes: Callable[[float], np.ndarray]
    room: Callable[[int], int]
    by_numpy: Step


class StepsAhead:
    """Implements `Step`. more: what is added to F."""

    def __init__(self, surrogate: WholeSteps, rules: AheadRules, more: LearnedRows | None) -> None:
        self._surrogate, self._rules, self._more = surrogate, rules, more
        self._last: State | None = None
        self._ahead: Iterator[tuple[State, list[np.ndarray]]] = iter(())

    def __call__(self, state: State, fock_of: FockOf) -> tuple[State, list[np.ndarray]]:
        """One step; those that are ahead hold as long as each starts where the last one ended.

        fock_of: for steps by numpy. Raises NoFixedPoint.
        """
        made = next(self._ahead, None) if state is self._last else None
        if made is None:
            self._ahead = self._made(state)
            made = next(self._ahead, None)
        if made is None:
            made = self._rules.by_numpy(state, fock_of)
        elif not max(float(np.max(change)) for change in made[1][-1:]) <= self._rules.tolerance:
            raise NoFixedPoint(
                f"the Magnus step at t = {state.time:.5f} au did not become self-consistent by the graph; "
                "a smaller dt is needed"
            )
        self._last = made[0]
        return made

    def _made(self, state: State) -> Iterator[tuple[State, list[np.ndarray]]]:
        """States from here on; none where the surrogate leaves them to others."""
        rules, surrogate = self._rules, self._surrogate
        n_steps = max(min(rules.room(state.step), surrogate.most_steps), 1)
        times = times_from(state, n_steps, rules.dt)[1:].tolist()
        amplitudes = np.array([rules.amplitudes(time) for time in times])
        start = StepsFrom(state.orbitals, state.occupations, state.fock, state.fock_half)
        moved = surrogate.steps(start, amplitudes, self._more)
        if moved is None:
            return
        for k, changes in enumerate(moved.changes):
            orbitals, occupations = moved.orbitals[k], state.occupations
            density = density_of(orbitals, occupations)
            fock, half = moved.fock[k], moved.fock_half[k]
            place = (state.step + k + 1, times[k])
            yield State(*place, orbitals, occupations, density, fock, half), list(changes)
