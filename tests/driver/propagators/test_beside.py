"""A propagation beside a known one against Magnus steps of its own."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.system.real_time import Tolerances
from hybrid_propagate.driver.loop.controller import Target
from hybrid_propagate.driver.loop.problem import Problem, make_step
from hybrid_propagate.driver.propagators.beside import StepsBeside, steps_beside, turns_of
from hybrid_propagate.driver.propagators.magnus import FockOf, make_exponential
from hybrid_propagate.driver.propagators.state import State, density_of
from toy_engine import kicked, make_chain, start, toy_problem

STEPS, DT = 200, 0.2


def stepped(problem: Problem, fock_of: FockOf, state: State) -> list[State]:
    step, states = make_step(problem), [state]
    for _ in range(STEPS):
        states.append(step(states[-1], fock_of)[0])
    return states


@pytest.mark.parametrize("n_spin", [1, 2])
@pytest.mark.parametrize("begins_apart", [False, True])
def test_the_distance_is_that_of_two_propagations(n_spin: int, begins_apart: bool) -> None:
    """A Fock matrix with a response of its own and one without what is lacking: 1 % of the distance."""
    real_time = replace(kicked(0.3, DT * (STEPS + 1), DT), tolerances=Tolerances(interpol=1e-11))
    problem = toy_problem(*make_chain(5, n_spin, 0.25, 0.3), real_time)
    ground = problem.ground_density
    wrong = 1e-3 * np.cos(np.arange(25.0)).reshape(5, 5)

    def known(density: np.ndarray) -> np.ndarray:
        return problem.reference_fock(density)[0]

    def other(density: np.ndarray) -> np.ndarray:
        change = density - ground
        return known(density) + wrong @ change + change @ wrong.T

    first = start(problem, Target(1e-3, STEPS, DT * STEPS)).state
    second = first
    if begins_apart:
        turn = make_exponential(problem.basis.energies, DT)(1e-3 * first.fock, first.orbitals)
        second = replace(first, orbitals=turn, density=density_of(turn, first.occupations))
    run, expected = stepped(problem, known, first), stepped(problem, other, second)
    after = np.array([state.density for state in run[1:]])
    steps = StepsBeside(run[0], run[-1], after, np.array([state.fock for state in run[1:]]), after)
    exponential, turns = (
        make_exponential(problem.basis.energies, DT),
        turns_of(problem.basis.energies, DT),
    )
    found, end = steps_beside(steps, second, lambda density, _: other(density), exponential, turns)
    wanted = np.array([state.density for state in expected[1:]])
    apart = np.linalg.norm(wanted - after)
    assert apart > 1e-4 * np.linalg.norm(after - ground)
    assert np.linalg.norm(found - wanted) < 1e-2 * apart
    assert (end.step, end.time) == (expected[-1].step, expected[-1].time)
    for name in ("density", "fock", "fock_half"):
        there, here, own = (getattr(state, name) for state in (expected[-1], end, run[-1]))
        assert np.linalg.norm(here - there) < 2e-2 * np.linalg.norm(there - own), name
