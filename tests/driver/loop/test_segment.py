"""Segments on the toy engine: what they record, and every reason why a surrogate's may end."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.system.real_time import at_point
from hybrid_propagate.driver.loop.controller import Target
from hybrid_propagate.driver.loop.problem import Problem, make_step
from hybrid_propagate.driver.loop.segment import (
    Limits,
    is_check_point,
    reference_segment,
    surrogate_segment,
    typical_share,
)
from hybrid_propagate.surrogate.surrogate import Visit
from toy_engine import kicked, make_chain, make_response, start, toy_problem

TARGET = Target(1e-3, 500, 4.0)


@pytest.fixture(name="problem")
def make_toy_problem() -> Problem:
    return toy_problem(*make_chain(5, 1, 0.25, 0.3), kicked(0.1, 4.0, 0.1))


class Perfect:
    """The engine itself in a surrogate's place; `spoil` changes what it says from a given call on."""

    def __init__(self, problem: Problem, spoil=None, spread: float = 0.0) -> None:
        self.problem, self.spoil, self.spread, self.calls = problem, spoil, spread, 0
        self.nonlinear_from = 1_000_000

    @property
    def nonlinear(self) -> bool:
        return self.calls >= self.nonlinear_from

    def predict(self, density: np.ndarray) -> np.ndarray:
        self.calls += 1
        fock = self.problem.reference_fock(density)[0]
        return fock if self.spoil is None or self.calls < 20 else self.spoil(fock)

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        return Visit(self.spread if self.calls >= 20 else 0.0, False)

    def energies(self, densities: np.ndarray) -> np.ndarray:
        found = [self.problem.reference_fock(density)[1] for density in densities]
        return np.array([[e.core, e.coulomb, e.exchange_correlation] for e in found])


def test_a_reference_segment_records_the_points_it_starts_from(problem: Problem) -> None:
    progress = start(problem, TARGET)
    segment, energies = reference_segment(problem, progress.state, progress.energies, 7, np.inf, "CONTINUE")
    assert (segment.kind, segment.reason, segment.n_steps) == ("reference", "CONTINUE", 7)
    np.testing.assert_allclose(segment.times, 0.1 * np.arange(7), atol=1e-12)
    np.testing.assert_array_equal(segment.densities[0], problem.ground_density)
    assert segment.end.step == 7
    # A Fock build for every interpolation; no check points in this run.
    assert segment.fock_builds == segment.interpolations.sum() > 14
    np.testing.assert_array_equal(segment.spreads, 0.0)
    # The energies printed at a point are those of its last build: converged here, they are the density's own.
    own = problem.reference_fock(segment.end.density)[1]
    assert energies.core == pytest.approx(own.core, abs=1e-10)
    first = problem.ground_build.energies
    np.testing.assert_array_equal(
        segment.energies[0], [first.core, first.coulomb, first.exchange_correlation]
    )


def test_a_perfect_surrogate_makes_the_same_segment(problem: Problem) -> None:
    progress = start(problem, TARGET)
    step = make_step(problem)
    expected, _ = reference_segment(problem, progress.state, progress.energies, 12, np.inf, "CONTINUE")
    segment = surrogate_segment(problem, step, Perfect(problem), progress.state, 12, Limits())
    assert segment is not None
    assert (segment.kind, segment.reason, segment.fock_builds) == ("surrogate", "MAX_STEPS", 0)
    np.testing.assert_allclose(segment.densities, expected.densities, atol=1e-13)
    np.testing.assert_allclose(segment.end.density, expected.end.density, atol=1e-13)


def test_a_segment_that_reaches_the_end_says_so(problem: Problem) -> None:
    progress = start(problem, TARGET)
    segment = surrogate_segment(
        problem, make_step(problem), Perfect(problem), progress.state, problem.n_steps, Limits()
    )
    assert segment is not None
    assert (segment.reason, segment.end.step) == ("END", problem.n_steps)


@pytest.mark.parametrize(("n_steps", "expected"), [(20, 10), (6, 6)])
def test_half_of_a_long_segment_is_enough_where_it_turns_nonlinear(
    problem: Problem, n_steps: int, expected: int
) -> None:
    """Not of one that is little of the run, nor where it was nonlinear before."""
    state, step = start(problem, TARGET).state, make_step(problem)
    assert problem.n_steps / 2 <= 20 < problem.n_steps
    for first_call, length, reason in ((3, expected, "NONLINEAR"), (0, n_steps, "MAX_STEPS")):
        surrogate = Perfect(problem)
        surrogate.nonlinear_from = first_call
        segment = surrogate_segment(problem, step, surrogate, state, n_steps, Limits())
        assert segment is not None
        assert segment.n_steps == length
        assert segment.reason == (reason if length < n_steps else "MAX_STEPS")


def test_shares_count_by_the_motion_that_they_are_of() -> None:
    assert typical_share(np.array([1.0, 0.0]), np.array([1e-3, 1.0])) == pytest.approx(1e-3, rel=1e-6)
    assert typical_share(np.array([0.3, 0.3]), np.array([2.0, 5.0])) == pytest.approx(0.3)
    assert typical_share(np.array([3.0, 4.0]), np.zeros(2)) == pytest.approx(np.sqrt(12.5))


@pytest.mark.parametrize(
    ("surrogate", "limits", "reason"),
    [
        ({"spread": 0.06}, Limits(), "HIGH_UNCERTAINTY"),
        ({"spoil": lambda fock: fock * np.nan}, Limits(), "NOT_FINITE"),
        ({"spoil": lambda fock: fock * np.inf}, Limits(), "NOT_FINITE"),
        ({}, Limits(trace=-1.0), "TRACE_VIOLATION"),
        ({}, Limits(idempotency=-1.0), "IDEMPOTENCY_VIOLATION"),
        ({"spread": 0.06}, Limits(uncertainty=0.07), "MAX_STEPS"),
    ],
)
def test_reasons(problem: Problem, surrogate: dict, limits: Limits, reason: str) -> None:
    """A broken limit ends the segment ahead of the step that breaks it; at the first step there is none."""
    progress = start(problem, TARGET)
    stand_in = Perfect(problem, **surrogate)
    segment = surrogate_segment(problem, make_step(problem), stand_in, progress.state, 12, limits)
    if min(limits.trace, limits.idempotency) < 0.0:
        assert segment is None
        return
    assert segment is not None
    assert segment.reason == reason
    assert np.isfinite(segment.densities).all()
    assert np.isfinite(segment.end.density).all()
    assert 0 < segment.n_steps <= 12
    assert (segment.n_steps < 12) == (reason != "MAX_STEPS")


def test_a_propagator_that_is_not_unitary_is_held_to_hermiticity_alone() -> None:
    """Euler steps lose idempotency at once, as they do in NWChem: no limit ends the segment for it."""
    real_time = replace(kicked(0.1, 4.0, 0.1), propagator="euler")
    problem = toy_problem(*make_chain(5, 1, 0.25, 0.3), real_time)
    progress = start(problem, TARGET)
    segment = surrogate_segment(
        problem, make_step(problem), Perfect(problem), progress.state, 30, Limits(idempotency=1e-12)
    )
    assert segment is not None
    assert segment.n_steps == 30
    P = segment.end.density
    assert np.linalg.norm(P @ P - 2.0 * P) > 1e-6
    np.testing.assert_array_equal(segment.interpolations, 0)


def test_a_learning_surrogate_makes_its_step_again(problem: Problem) -> None:
    """The response, fresh, learns at the first step; what is recorded was made after it had."""
    progress = start(problem, TARGET)
    surrogate = make_response(problem)
    segment = surrogate_segment(problem, make_step(problem), surrogate, progress.state, 3, Limits(10.0))
    assert segment is not None
    assert segment.n_steps == 3
    assert sum(surrogate.n_directions) > 0


def test_check_points_rebuild_the_fock_matrix() -> None:
    """A build more at each: points where mod(it, nt / (n - 1)) is 0, the first excepted."""
    real_time = replace(kicked(0.1, 4.0, 0.1), n_checks=5)
    problem = toy_problem(*make_chain(5, 1, 0.25, 0.3), real_time)
    progress = start(problem, TARGET)
    segment, _ = reference_segment(problem, progress.state, progress.energies, 39, np.inf, "CONTINUE")
    checks = sum(at_point(it, 5, 40) for it in range(2, 40))
    assert checks == 3
    assert segment.fock_builds == segment.interpolations.sum() + checks
    assert not is_check_point(problem, progress.state)
    assert is_check_point(problem, replace(progress.state, step=9))
