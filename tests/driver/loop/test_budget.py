"""No run takes more Fock builds than reference steps alone, whatever its surrogate is worth."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.system.real_time import Tolerances
from hybrid_propagate.driver.loop import acceptance
from hybrid_propagate.driver.loop.acceptance import FAR
from hybrid_propagate.driver.loop.certify import Claim
from hybrid_propagate.driver.loop.controller import Target
from hybrid_propagate.driver.loop.hybrid import Hybrid
from hybrid_propagate.driver.loop.problem import Problem, electronic_dipoles
from hybrid_propagate.driver.loop.progress import Progress
from hybrid_propagate.driver.loop.reference import EmbeddedReference, Sight
from hybrid_propagate.driver.loop.run import run
from hybrid_propagate.driver.loop.segment import Limits, Segment
from hybrid_propagate.surrogate.surrogate import Measurement, Surrogate, Visit
from toy_engine import kicked, make_chain, make_response, start, toy_problem


class Bad:
    """Claims to be exact and learns nothing: `share` of the true response.

    refines: whether it spends every Fock build that it is granted. wild: answers with no number.
    """

    mean_field_builds = 0
    first_order_fails = False

    def __init__(self, problem: Problem, share: float, *, refines: bool = False, wild: bool = False) -> None:
        self.problem, self.share, self.refines, self.wild = problem, share, refines, wild
        self.base = problem.basis.fock_in(problem.ground_build.fock).astype(complex)

    @property
    def nonlinear(self) -> bool:
        """False: anchors tell of it."""
        return False

    def predict(self, density: np.ndarray) -> np.ndarray:
        fock = self.problem.reference_fock(density)[0]
        return fock * np.nan if self.wild else self.base + self.share * (fock - self.base)

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        return Visit(0.04 if self.refines else 0.0, 0.0)

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        return Measurement(0.0, 0.0, 0.0)

    def refine(self, target: float, most: int) -> int:
        return most if self.refines else 0

    def sharpen(self) -> bool:
        return False

    def energies(self, densities: np.ndarray) -> np.ndarray:
        return np.zeros((len(densities), 3))

    def save(self) -> dict[str, np.ndarray]:
        return {}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        pass


class Dipoles:
    """A reporter that keeps what the error is measured by."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.rows = problem, []

    def segment(self, segment: Segment, tally: object) -> None:
        self.rows.append(electronic_dipoles(self.problem, segment.densities))

    def event(self, event: object, tally: object) -> None:
        pass


def propagated(
    problem: Problem, surrogate: Surrogate | None, tolerance: float
) -> tuple[Progress, np.ndarray]:
    target = Target(tolerance, 500, problem.n_steps * problem.real_time.dt)
    progress, kept = start(problem, target), Dipoles(problem)
    hybrid = Hybrid(problem, surrogate, EmbeddedReference(problem), target, Limits(), (kept,))
    assert run(hybrid, progress, lambda now: False)
    return progress, np.concatenate(kept.rows)


def chain(interpolation: float, size: float, tmax: float) -> Problem:
    real_time = replace(kicked(size, tmax, 0.2), tolerances=Tolerances(interpol=interpolation))
    return toy_problem(*make_chain(4, 1, 0.25, 0.3), real_time)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, {}),
        (0.7, {}),
        (0.97, {}),
        (0.0, {"refines": True}),
        (0.9, {"refines": True}),
        (0.0, {"wild": True}),
    ],
    ids=["no response", "30 % off", "3 % off", "greedy", "greedy, 10 % off", "no number"],
)
@pytest.mark.parametrize(("interpolation", "tmax"), [(1e-7, 12.0), (1e-7, 30.0), (1e-10, 8.0)])
def test_a_bad_surrogate_costs_no_more_than_none(
    share: float, words: dict[str, bool], interpolation: float, tmax: float
) -> None:
    problem = chain(interpolation, 0.05, tmax)
    alone, reference = propagated(problem, None, 1e-4)
    progress, dipole = propagated(problem, Bad(problem, share, **words), 1e-4)
    assert progress.tally.fock_builds <= alone.tally.fock_builds
    assert progress.estimate is not None
    true = np.sqrt(np.mean((dipole - reference) ** 2) / np.mean((reference - reference[0]) ** 2))
    assert true <= progress.estimate.sums.stated


def test_a_good_surrogate_takes_few() -> None:
    problem = chain(1e-7, 0.05, 60.0)
    alone, reference = propagated(problem, None, 1e-3)
    progress, dipole = propagated(problem, make_response(problem), 1e-3)
    assert progress.tally.fock_builds < 0.2 * alone.tally.fock_builds
    assert progress.estimate is not None
    stated = progress.estimate.sums.stated
    true = np.sqrt(np.mean((dipole - reference) ** 2) / np.mean((reference - reference[0]) ** 2))
    assert 0.0 < true <= stated <= 1e-3
    assert progress.estimate.sums.n_drawn >= 2


@pytest.mark.parametrize("fails", [False, True])
def test_a_pass_that_is_far_off_is_given_up_where_the_first_order_fails(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its surrogate learns of it once; elsewhere it is made again first."""
    problem, measured, taught = chain(1e-7, 0.05, 12.0), [], []
    certify = acceptance.certify

    def noted(
        hybrid: Hybrid, progress: Progress, segment: Segment, others: Sequence[Sight], round_: int
    ) -> Claim:
        claim = certify(hybrid, progress, segment, others, round_)
        measured.append((segment.start.step, segment.n_steps, claim.rate))
        return claim

    class Failing(Bad):
        first_order_fails = fails

        def sharpen(self) -> bool:
            taught.append(len(measured))
            return True

    monkeypatch.setattr(acceptance, "certify", noted)
    propagated(problem, Failing(problem, 0.7), 1e-4)
    far = [k for k, (_, _, rate) in enumerate(measured[:-1]) if np.isfinite(rate) and rate > FAR]
    assert far
    again = [k for k in far if measured[k + 1][:2] == measured[k][:2]]
    assert bool(again) != fails
    assert not fails or {k + 1 for k in far} <= set(taught)
