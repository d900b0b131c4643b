"""What a code forgets where it takes a state up, and a shadow that is beyond all measure."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hybrid_propagate.adapters.system.real_time import Tolerances
from hybrid_propagate.driver.estimate.defect_operator import SECOND_ORDER, Defect, defect_operator
from hybrid_propagate.driver.estimate.statement import HISTORY
from hybrid_propagate.driver.loop import certify
from hybrid_propagate.driver.loop.controller import Target
from hybrid_propagate.driver.loop.hybrid import Hybrid
from hybrid_propagate.driver.loop.motion import Stepwise
from hybrid_propagate.driver.loop.problem import Problem, electronic_dipoles
from hybrid_propagate.driver.loop.reference import EmbeddedReference
from hybrid_propagate.driver.loop.segment import Limits, frozen_pass
from hybrid_propagate.driver.propagators.magnus import NoFixedPoint
from hybrid_propagate.driver.propagators.state import State
from hybrid_propagate.surrogate.surrogate import Surrogate
from toy_engine import kicked, make_chain, make_response, start, toy_problem


class Forgetful(EmbeddedReference):
    """Takes a state up without its Fock history, as NWChem does from a restart file."""

    def taken_up(self, state: State) -> State:
        return replace(state, fock_half=state.fock)


class Exact:
    """Predicts what the reference would build."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def predict(self, density: np.ndarray) -> np.ndarray:
        return self.problem.reference_fock(density)[0]


def chain(interpolation: float) -> Problem:
    real_time = replace(kicked(0.05, 30.0, 0.2), tolerances=Tolerances(interpol=interpolation))
    return toy_problem(*make_chain(4, 1, 0.25, 0.3), real_time)


@pytest.mark.parametrize("interpolation", [1e-3, 1e-4, 1e-5])
def test_what_a_lost_history_changes_is_stated(interpolation: float) -> None:
    """The dipole of a run that goes on with its history against one that does not, over 100 steps."""
    problem = chain(interpolation)
    target, surrogate = Target(1e-3, 500, 30.0), Exact(problem)
    hybrid = Hybrid(problem, cast("Surrogate", surrogate), Forgetful(problem), target, Limits())
    predict = surrogate.predict
    _, state = frozen_pass(problem, predict, start(problem, target).state, 20)
    whole, _ = frozen_pass(problem, predict, state, 100)
    cut, _ = frozen_pass(problem, predict, hybrid.reference.taken_up(state), 100)
    apart = electronic_dipoles(problem, whole) - electronic_dipoles(problem, cut)
    true = float(np.mean(np.sum(apart**2, axis=1)))
    stated = certify._lost_history(hybrid, state)
    assert 0.0 < true <= stated
    # Not so much that it says nothing: without the factor within ten times, in the dipole.
    assert stated <= 100.0 * HISTORY**2 * true


def test_a_code_that_forgets_nothing_states_nothing() -> None:
    problem = chain(1e-4)
    target, surrogate = Target(1e-3, 500, 30.0), Exact(problem)
    hybrid = Hybrid(problem, cast("Surrogate", surrogate), EmbeddedReference(problem), target, Limits())
    _, state = frozen_pass(problem, surrogate.predict, start(problem, target).state, 20)
    assert certify._lost_history(hybrid, state) == 0.0


def test_only_first_order_is_as_large_as_over_the_whole_pass() -> None:
    """Of second order the statement has all there is beside the operator. By hand: of points that have
    nothing in common with those drawn, an operator finds a share of what was met."""
    random = np.random.default_rng(3)
    shape = (1, 4, 4)
    changes = [c + c.swapaxes(1, 2) for c in random.standard_normal((5, *shape))]
    odd, even = (d + d.swapaxes(1, 2) for d in random.standard_normal((2, *shape)))
    drawn = [Defect(change, odd + even, 1.0, even) for change in changes[:2]]
    made = cast("certify._Pass", SimpleNamespace(response=1.0, sample=np.array(changes[2:])))
    operator = certify._operator(made, drawn, [], 2.0)
    assert not isinstance(operator.weigh.first, float)
    assert not isinstance(operator.weigh.second, float)
    plain = defect_operator([replace(one, defect=even) for one in drawn], SECOND_ORDER)
    of_second = operator.weigh.second > 0.0
    np.testing.assert_allclose(operator.images[of_second], 2.0 * plain.images)
    met = np.linalg.norm(odd)
    first = replace(operator, weigh=replace(operator.weigh, second=0.0 * operator.weigh.second))
    found = np.sqrt(np.mean([np.linalg.norm(first(change)) ** 2 for change in made.sample]))
    assert found == pytest.approx(2.0 * met)


def test_a_shadow_beyond_all_measure_is_no_shadow() -> None:
    """What is of second order grows without end; the exponential of it would take for ever."""
    problem = chain(1e-4)
    change = 1e-9 * np.ones_like(problem.ground_density)
    operator = defect_operator([Defect(change, 1e-3 * np.ones_like(change), 1e-3)])
    motion = Stepwise(problem, make_response(problem))
    lacking = motion._lacking(operator)
    assert np.isfinite(lacking(problem.ground_density + change)).all()
    with pytest.raises(NoFixedPoint):
        lacking(problem.ground_density + 1e6 * change)
