"""Corrected steps against the reference's own, with a surrogate that knows a third of the response."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hybrid_propagate.adapters.system.real_time import Tolerances
from hybrid_propagate.driver.loop import corrected
from hybrid_propagate.driver.loop.controller import Target
from hybrid_propagate.driver.loop.hybrid import Hybrid
from hybrid_propagate.driver.loop.problem import Problem, make_step
from hybrid_propagate.driver.loop.reference import EmbeddedReference, fock_of_state
from hybrid_propagate.driver.loop.segment import Limits
from hybrid_propagate.driver.propagators.state import State
from hybrid_propagate.surrogate.surrogate import Surrogate
from toy_engine import kicked, make_chain, start, toy_problem

KICKED = 10


def late_kick(n_spin: int) -> Problem:
    real_time = kicked(1e-4, 12.0, 0.2)
    field = replace(real_time.fields[0], center=0.2 * KICKED)
    real_time = replace(real_time, fields=(field,), tolerances=Tolerances())
    return toy_problem(*make_chain(4, n_spin, 0.25, 0.3), real_time)


def state_at(problem: Problem, n_steps: int) -> State:
    state, step = start(problem, Target(1e-3, 500, 12.0)).state, make_step(problem)
    for _ in range(n_steps):
        state, _ = step(state, lambda density: problem.reference_fock(density)[0])
    return state


@pytest.mark.parametrize("n_spin", [1, 2])
@pytest.mark.parametrize("after", [1, 2, 10])
def test_a_step_tells_what_it_lacks(n_spin: int, after: int) -> None:
    """Right after a kick too, where its predictor has half of the kick; not so much that none is kept."""
    problem = late_kick(n_spin)
    state, step = state_at(problem, KICKED + after), make_step(problem)
    at_rest = problem.reference_fock(problem.ground_density)[0]

    def predict(density: np.ndarray) -> np.ndarray:
        return at_rest + (problem.reference_fock(density)[0] - at_rest) / 3.0

    surrogate = cast("Surrogate", SimpleNamespace(predict=predict))
    hybrid = Hybrid(problem, surrogate, EmbeddedReference(problem), Target(1e-3, 500, 12.0), Limits())
    shift = fock_of_state(problem, state) - predict(state.density)
    made = corrected._step(hybrid, state, shift, np.inf)
    assert made is not None
    expected, _ = step(state, lambda density: problem.reference_fock(density)[0])
    off = float(np.linalg.norm(made.after.density - expected.density))
    # F lacks it at the step's end, and so half of it in the step.
    push = 2.0 / n_spin * problem.real_time.dt * made.lacking
    assert 0.0 < off <= push
    moved = float(np.linalg.norm(expected.density - problem.ground_density))
    assert after == 1 or push < 1e-3 * moved
