"""Energies of surrogate segments: by the work of the field, between those that the reference gives."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.engine import Energies
from hybrid_propagate.driver.loop.controller import Target
from hybrid_propagate.driver.loop.energies import energy_at, with_energies, work_of_field
from hybrid_propagate.driver.loop.problem import Problem
from hybrid_propagate.driver.loop.segment import Segment, reference_segment
from toy_engine import kicked, make_chain, start, toy_problem


class Wrong:
    """The engine's energies, made wrong by `offset` and by `slope` times the change since the first point."""

    def __init__(self, problem: Problem, offset: float, slope: float) -> None:
        self.problem, self.offset, self.slope = problem, offset, slope

    def energies(self, densities: np.ndarray) -> np.ndarray:
        found = [self.problem.reference_fock(density)[1] for density in densities]
        exact = np.array([[e.core, e.coulomb, e.exchange_correlation] for e in found])
        sizes = np.linalg.norm((densities - self.problem.ground_density).reshape(len(densities), -1), axis=1)
        exact[:, 2] += self.offset + self.slope * sizes
        return exact


def segment_of(problem: Problem) -> tuple[Segment, Energies]:
    progress = start(problem, Target(1e-3, 500, 4.0))
    return reference_segment(problem, progress.state, progress.energies, 20, np.inf, "CONTINUE")


@pytest.fixture(name="problem")
def make_toy_problem() -> Problem:
    return toy_problem(*make_chain(5, 1, 0.25, 0.3), kicked(0.3, 4.0, 0.1))


def test_the_work_of_the_field_is_the_change_of_the_energy(problem: Problem) -> None:
    segment, _ = segment_of(problem)
    work = work_of_field(problem, segment)
    # The toy's energy is quadratic: the law is exact but for the convergence of the step.
    own = [problem.reference_fock(p)[1].electronic for p in (*segment.densities, segment.end.density)]
    np.testing.assert_allclose(work, np.array(own) - own[0], atol=1e-7)
    assert work[1] > 1e-4
    # No field acts behind the kick.
    np.testing.assert_array_equal(np.diff(work[1:]), 0.0)


def test_a_surrogate_that_is_wrong_about_energies_changes_none(problem: Problem) -> None:
    segment, _ = segment_of(problem)
    exact = Wrong(problem, 0.0, 0.0)
    at = exact.energies(np.array([segment.start.density, segment.end.density]))
    wrong = Wrong(problem, 0.3, 0.1)
    spoilt = replace(segment, energies=wrong.energies(segment.densities))
    found, drift = with_energies(problem, spoilt, wrong, Energies(*at[0]), Energies(*at[1]))
    np.testing.assert_allclose(
        found.energies.sum(axis=1), exact.energies(segment.densities).sum(axis=1), atol=1e-7
    )
    assert abs(drift) < 1e-7


def test_the_drift_is_what_the_anchor_finds_missing(problem: Problem) -> None:
    segment, _ = segment_of(problem)
    exact = Wrong(problem, 0.0, 0.0)
    first, last = exact.energies(np.array([segment.start.density, segment.end.density]))
    found, drift = with_energies(
        problem, segment, exact, Energies(*first), Energies(last[0], last[1], last[2] + 2e-3)
    )
    assert drift == pytest.approx(2e-3, abs=1e-7)
    # Half-way through the segment half of it is laid over.
    middle = found.energies[10].sum() - exact.energies(segment.densities[10:11]).sum()
    assert middle == pytest.approx(1e-3, abs=1e-7)


def test_where_steps_keep_no_energy_the_way_is_the_surrogates(problem: Problem) -> None:
    segment, _ = segment_of(problem)
    static = replace(problem, real_time=replace(problem.real_time, static=True))
    wrong = Wrong(problem, 0.3, 0.0)
    spoilt = replace(segment, energies=wrong.energies(segment.densities))
    at = Wrong(problem, 0.0, 0.0).energies(np.array([segment.start.density, segment.end.density]))
    found, drift = with_energies(static, spoilt, wrong, Energies(*at[0]), Energies(*at[1]))
    np.testing.assert_allclose(found.energies, spoilt.energies - [0.0, 0.0, 0.3], atol=1e-10)
    assert abs(drift) < 1e-10


def test_the_end_of_a_second_pass(problem: Problem) -> None:
    segment, _ = segment_of(problem)
    wrong = Wrong(problem, 0.3, 0.0)
    anchored = Energies(-1.0, 2.0, -3.0)
    assert energy_at(wrong, segment, segment, anchored) is anchored
    other = replace(segment, end=replace(segment.end, density=segment.densities[5]))
    found = energy_at(wrong, segment, other, anchored)
    exact = Wrong(problem, 0.0, 0.0).energies(np.array([segment.densities[5], segment.end.density]))
    np.testing.assert_allclose(
        [found.core, found.coulomb, found.exchange_correlation],
        [-1.0, 2.0, -3.0] + exact[0] - exact[1],
        atol=1e-12,
    )
