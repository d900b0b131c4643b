"""The on-the-fly response: the contract of every surrogate, and what it promises beyond that."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hybrid_propagate.adapters.system import RealTime
from hybrid_propagate.adapters.working_basis import SymmetryOrbitals, make_working_basis
from hybrid_propagate.driver.loop.problem import Problem
from hybrid_propagate.surrogate.contract import (
    GroundProblem,
    SurrogateCase,
    SurrogateContract,
    surrogate_case,
)
from hybrid_propagate.surrogate.on_the_fly.first_guess import FirstGuess
from hybrid_propagate.surrogate.on_the_fly.response import OnTheFlyResponse
from toy_engine import ToyEngine, make_chain, make_response, toy_problem


@cache
def chain(n_spin: int, hybrid: float, local: float) -> Problem:
    return toy_problem(*make_chain(6, n_spin, hybrid, local), RealTime(1.0, 0.1))


class TestResponse(SurrogateContract):
    """Without an analytic kernel, on the toy engine."""

    @pytest.fixture(
        params=[(1, 0.25, 0.3), (2, 0.25, 0.3), (1, 0.0, 0.3), (1, 1.0, 0.0)],
        ids=["hybrid", "open shell", "pure functional", "Hartree-Fock"],
    )
    def case(self, request: pytest.FixtureRequest) -> SurrogateCase:
        return surrogate_case(chain(*request.param), 0.01)

    def make(self, ground: GroundProblem) -> OnTheFlyResponse:
        return make_response(ground)


class TestResponseWithPrior(TestResponse):
    """With a kernel that is wrong by 5 %, as a prior that knows the whole response would be."""

    def make(self, ground: GroundProblem) -> OnTheFlyResponse:
        engine = ground.engine

        def prior(change: np.ndarray) -> np.ndarray:
            mean_field = engine.mean_field_response(change)
            return mean_field + 0.95 * (engine.response(change) - mean_field)

        return OnTheFlyResponse(
            engine, ground.basis, ground.ground_density, ground.ground_build, FirstGuess(prior), 1e-5
        )


def symmetric_chain() -> Problem:
    """A chain whose two halves mirror each other, in a basis of even (irrep 0) and odd (1) orbitals."""
    n = 6
    problem = toy_problem(*make_chain(n, 1, 0.25, 0.3, tilt=0.0), RealTime(1.0, 0.1))
    even, odd = np.eye(n) + np.eye(n)[::-1], np.eye(n) - np.eye(n)[::-1]
    combinations = np.hstack([even[:, : n // 2], odd[:, : n // 2]]) / np.sqrt(2.0)
    symmetry = SymmetryOrbitals(combinations, np.repeat([0, 1], n // 2))
    engine = problem.engine
    assert isinstance(engine, ToyEngine)
    basis = make_working_basis(engine.integrals, problem.ground_build.fock.real, symmetry)
    return replace(problem, basis=basis, ground_density=basis.density_in(engine.reference).astype(complex))


def walked(problem: Problem, case: SurrogateCase) -> OnTheFlyResponse:
    surrogate = make_response(problem)
    for density in case.densities:
        surrogate.visit(density)
    return surrogate


def test_hartree_fock_is_exact_without_a_single_fock_build() -> None:
    """Its response is linear and needs no quadrature: exact on all directions met."""
    problem = chain(1, 1.0, 0.0)
    case = surrogate_case(problem, 0.05)
    surrogate = make_response(problem)
    for density in case.densities:
        for _ in range(2):
            surrogate.visit(density)
        error = np.linalg.norm(surrogate.predict(density) - case.reference(density))
        response = np.linalg.norm(case.reference(density) - case.reference(problem.ground_density))
        assert error < 1e-4 * response
    assert surrogate.image_error == 0.0
    assert surrogate.refine(0.0, 100) == 0


def test_a_linear_engine_is_never_thought_curved() -> None:
    """Far from the ground state too nothing is missing that an anchor could teach; others know of it."""
    far = surrogate_case(chain(1, 1.0, 0.0), 0.5)
    surrogate = make_response(chain(1, 1.0, 0.0))
    assert [surrogate.visit(density).spread for density in far.densities] == [0.0] * 10
    curved = make_response(chain(1, 0.25, 0.3))
    assert max(curved.visit(density).spread for density in far.densities) > 1e-3


def test_sharpened_a_linear_engines_surrogate_leaves_out_less() -> None:
    problem = chain(1, 1.0, 0.0)
    case = surrogate_case(problem, 0.05)
    blunt = OnTheFlyResponse(
        problem.engine, problem.basis, problem.ground_density, problem.ground_build, None, 1e-1
    )
    errors = []
    for _ in range(3):
        for density in case.densities:
            blunt.visit(density)
        errors.append(max(np.linalg.norm(blunt.predict(p) - case.reference(p)) for p in case.densities))
        assert blunt.sharpen()
    assert errors[2] < 0.1 * errors[0]
    again = make_response(problem)
    again.load(blunt.save())
    while blunt.sharpen():
        assert again.sharpen()
    assert not again.sharpen()
    assert not make_response(chain(1, 0.25, 0.3)).sharpen()


def test_the_imaginary_part_is_no_direction_without_exact_exchange() -> None:
    problem = chain(1, 0.0, 0.3)
    surrogate = walked(problem, surrogate_case(problem, 0.01))
    assert surrogate.n_directions[2] == 0
    assert surrogate.n_directions[1] > 0
    hybrid = chain(1, 0.25, 0.3)
    assert walked(hybrid, surrogate_case(hybrid, 0.01)).n_directions[2] > 0


def test_refined_directions_carry_the_engines_response() -> None:
    """After refining all, a small step is predicted to the second order that is left over."""
    problem = chain(1, 0.25, 0.3)
    case = surrogate_case(problem, 1e-4)
    surrogate = walked(problem, case)
    builds = surrogate.refine(0.0, 1000)
    exact, approximate, _ = surrogate.n_directions
    assert builds == exact
    assert approximate == 0
    density = case.densities[6]
    change = problem.basis.density_out(density - problem.ground_density)
    assert isinstance(problem.engine, ToyEngine)
    linear = problem.basis.fock_in(problem.engine.response(change))
    predicted = surrogate.predict(density) - case.reference(problem.ground_density)
    assert np.linalg.norm(predicted - linear) < 1e-3 * np.linalg.norm(linear)


def test_refinement_spends_no_more_than_allowed() -> None:
    problem = chain(1, 0.25, 0.3)
    surrogate = walked(problem, surrogate_case(problem, 0.01))
    assert surrogate.refine(0.0, 2) == 2
    assert surrogate.n_directions[0] == 2


def test_irreps_are_kept_apart_and_refined_together() -> None:
    """A symmetric pair of sites: odd and even changes never mix, and one Fock build serves one of each."""
    problem = symmetric_chain()
    irreps = problem.basis.irreps
    assert set(irreps.ravel().tolist()) == {0, 1}
    even = irreps[:, :, None] == irreps[:, None, :]
    surrogate = make_response(problem)
    case = surrogate_case(problem, 1e-3)
    for density in case.densities:
        surrogate.visit(density)
    _, approximate, _ = surrogate.n_directions
    builds = surrogate.refine(0.0, 1000)
    assert surrogate.n_directions[0] == approximate
    assert builds < approximate
    base = case.reference(problem.ground_density)
    change = case.densities[4] - problem.ground_density
    for kept in (even, ~even):
        response = surrogate.predict(problem.ground_density + np.where(kept, change, 0.0)) - base
        assert np.abs(response[kept]).max() > 1e-6
        assert np.abs(response[~kept]).max() < 1e-12
    assert isinstance(problem.engine, ToyEngine)
    linear = problem.basis.fock_in(problem.engine.response(problem.basis.density_out(change)))
    response = surrogate.predict(case.densities[4]) - base
    assert np.linalg.norm(response - linear) < 1e-3 * np.linalg.norm(linear)


def test_what_reference_steps_show_leaves_no_linear_response_in_the_remainder() -> None:
    """Where it did, a surrogate doubted its own first step after the first anchor."""
    problem = chain(2, 0.25, 0.3)
    engine = problem.engine
    given = (engine, problem.basis, problem.ground_density, problem.ground_build)
    surrogate = OnTheFlyResponse(*given, FirstGuess(engine.response), 1e-5)
    first, *_, last = surrogate_case(problem, 1e-4).densities
    fock, _ = problem.reference_fock(first)
    surrogate.observe(first, fock)
    assert surrogate.visit(last).spread < 0.01
