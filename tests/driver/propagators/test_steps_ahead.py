"""Steps ahead: as many as there is room for, from where the last one ended, else by numpy."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hybrid_propagate.driver.propagators.magnus import NoFixedPoint
from hybrid_propagate.driver.propagators.state import State
from hybrid_propagate.driver.propagators.steps_ahead import AheadRules, StepsAhead
from hybrid_propagate.surrogate.whole_steps import LearnedRows, StepsFrom, StepsMade

START = State(3, 0.6, *(np.zeros(shape) for shape in ((1, 2, 1), (1, 1), (1, 2, 2), (1, 2, 2), (1, 2, 2))))


@dataclass
class Counting:
    """Adds one to F at every step. asked: the amplitudes of every call; refuses: calls that it leaves."""

    change: float = 0.0
    refuses: int = 0
    most_steps: int = 4
    asked: list[np.ndarray] = field(default_factory=list)

    def steps(self, start: StepsFrom, amplitudes: np.ndarray, more: LearnedRows | None) -> StepsMade | None:
        self.asked.append(amplitudes)
        if len(self.asked) <= self.refuses:
            return None
        n = len(amplitudes)
        fock = start.fock + np.arange(1.0, n + 1.0)[:, None, None, None]
        orbitals = np.zeros((n, *start.orbitals.shape))
        return StepsMade(orbitals, fock, fock, [[np.array([self.change])]] * n)


def steps(surrogate: Counting, last: int = 13) -> StepsAhead:
    def by_numpy(state: State, _: object) -> tuple[State, list[np.ndarray]]:
        return replace(state, step=state.step + 1, fock=state.fock - 100.0), []

    rules = AheadRules(0.2, 1e-7, lambda t: np.array([t]), lambda step: last - step, by_numpy)
    return StepsAhead(surrogate, rules, None)


def fock_of(density: np.ndarray) -> np.ndarray:
    raise AssertionError(density)


def test_calls_are_as_long_as_there_is_room() -> None:
    surrogate, state = Counting(), START
    made = steps(surrogate)
    for k in range(10):
        state, _ = made(state, fock_of)
        assert (state.step, state.fock[0, 0, 0]) == (4 + k, 1.0 + k)
        assert state.time == pytest.approx(0.8 + 0.2 * k)
    # Fields are those at the ends of the steps.
    times = [amplitudes[:, 0].tolist() for amplitudes in surrogate.asked]
    assert [len(some) for some in times] == [4, 4, 2]
    assert np.concatenate(times) == pytest.approx(np.arange(4, 14) * 0.2)


def test_another_start_begins_anew() -> None:
    surrogate = Counting()
    made = steps(surrogate)
    state, _ = made(START, fock_of)
    rebuilt = replace(state, fock=state.fock + 10.0)
    after, _ = made(rebuilt, fock_of)
    assert (after.fock[0, 0, 0], len(surrogate.asked)) == (12.0, 2)


def test_what_the_surrogate_leaves_numpy_makes() -> None:
    surrogate = Counting(refuses=1)
    made = steps(surrogate)
    state, _ = made(START, fock_of)
    assert state.fock[0, 0, 0] == -100.0
    state, _ = made(state, fock_of)
    assert state.fock[0, 0, 0] == -99.0


@pytest.mark.parametrize("change", [1e-6, np.nan])
def test_a_change_above_the_tolerance_is_no_fixed_point(change: float) -> None:
    with pytest.raises(NoFixedPoint, match=r"at t = 0.60000 au did not become self-consistent by the graph"):
        steps(Counting(change))(START, fock_of)
