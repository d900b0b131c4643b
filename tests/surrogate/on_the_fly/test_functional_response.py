"""The response that is formed anew at every density: the contract, and what it promises beyond that."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hybrid_propagate.adapters.deck.xc import functional
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.system import RealTime
from hybrid_propagate.adapters.working_basis import make_working_basis
from hybrid_propagate.driver.loop.problem import Problem
from hybrid_propagate.surrogate.contract import SurrogateCase, SurrogateContract, surrogate_case
from hybrid_propagate.surrogate.kernel.factored_mean_field import factored_mean_field
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import NonlinearResponse, PointSource
from hybrid_propagate.surrogate.nonlinear.or_grid import PointsOrGrid
from hybrid_propagate.surrogate.on_the_fly.functional_response import (
    NEAR,
    FunctionalResponse,
    MeanFieldMap,
    NoPoints,
    ResponseGround,
)
from point_sources import whole_source
from pyscf_systems import GIB, water


@cache
def problem_of(xc: str, cation: bool) -> Problem:
    """Water or its cation, STO-3G."""
    system = replace(water(cation=cation, grid="xcoarse"), functional=functional((xc,), None))
    engine, orbitals = solve_ground_state(make_engine(system, GIB), None, 50)
    density = np.real(orbitals.density())
    engine = expanded_about(engine, density, kernel=True)
    build = engine.fock(density.astype(complex))
    basis = make_working_basis(engine.integrals, np.real(build.fock))
    inside = basis.density_in(density).astype(complex)
    return Problem(engine.system, RealTime(1.0, 0.1), engine, basis, build, inside, ())


@cache
def source_of(xc: str, cation: bool) -> PointSource:
    return whole_source(problem_of(xc, cation))


def made(problem: Problem) -> FunctionalResponse:
    engine, basis = problem.engine, problem.basis
    assert isinstance(engine, PySCFEngine)
    about = ResponseGround(engine, basis, problem.ground_density, problem.ground_build)
    xc = "pbe0" if engine.exact_exchange else "pbe96"
    source = source_of(xc, len(problem.ground_density) > 1)
    return FunctionalResponse(about, factored_mean_field(engine, basis), source)


class TestFunctionalResponse(SurrogateContract):
    """What anchors taught is left rough: other anchors tell little of one that nothing else is like."""

    anchor_leaves, refines = 0.7, False

    @pytest.fixture(
        params=[("pbe0", False), ("pbe0", True), ("pbe96", False)], ids=["closed", "open", "pure functional"]
    )
    def case(self, request: pytest.FixtureRequest) -> SurrogateCase:
        return surrogate_case(problem_of(*request.param), 0.05)

    def make(self, ground: Problem) -> FunctionalResponse:  # type: ignore[override]
        return made(ground)


def test_nothing_is_carried_on_from_step_to_step() -> None:
    """As its response is of first order: a first guess that is off is an error that no anchor sees."""
    problem = problem_of("pbe0", False)
    surrogate, plain = made(problem), made(problem)
    start, end = problem.ground_density, surrogate_case(problem, 0.05).densities[-1]
    begins = surrogate.pass_begins()
    for number, s in enumerate(np.linspace(0.1, 1.0, 8)):
        begins(number)
        density = start + s * (end - start)
        np.testing.assert_array_equal(surrogate.predict(density), plain.predict(density))


class Counted:
    """A mean field that notes what it is asked for."""

    def __init__(self, mean_field: MeanFieldMap) -> None:
        self.mean_field = mean_field
        self.asked: list[str] = []

    def coulomb(self, changes: np.ndarray) -> np.ndarray:
        return self.mean_field.coulomb(changes)

    def total(self, changes: np.ndarray) -> np.ndarray:
        self.asked.append("total")
        return self.mean_field.total(changes)

    def nearly(self, changes: np.ndarray, still: float) -> np.ndarray:
        self.asked.append("nearly")
        return self.mean_field.nearly(changes, still)


@pytest.mark.parametrize("cation", [False, True])
@pytest.mark.parametrize("coarser", [False, True])
def test_densities_of_one_step_differ_by_their_distance_alone(cation: bool, coarser: bool) -> None:
    """A step's later looks, and those beside it, are off by little of how far they lie apart."""
    problem = problem_of("pbe0", cation)
    engine, basis = problem.engine, problem.basis
    assert isinstance(engine, PySCFEngine)
    about = ResponseGround(engine, basis, problem.ground_density, problem.ground_build)
    source, plain = source_of("pbe0", cation), made(problem)
    counted = Counted(factored_mean_field(engine, basis))
    grid = PointsOrGrid(source, "xcoarse", worth=False)
    nearly = (lambda: grid.coarse(0)) if coarser else None
    surrogate = FunctionalResponse(about, counted, source, nearly)
    start, densities = problem.ground_density, surrogate_case(problem, 0.05).densities
    begins = surrogate.pass_begins()
    begins(3)
    first = densities[-1]
    np.testing.assert_array_equal(surrogate.predict(first), plain.predict(first))
    at, off = plain.predict(first), 0.02 * (densities[2] - start)
    assert 0.0 < np.linalg.norm(off) < NEAR * np.linalg.norm(first - start)

    def error(found: np.ndarray, density: np.ndarray) -> float:
        whole = plain.predict(density)
        return float(np.linalg.norm(found - whole) / np.linalg.norm(whole - at))

    assert error(surrogate.predict(first + off), first + off) < 0.05
    surrogate.visit(first + off)
    assert counted.asked == ["total", "nearly"]
    nearby = surrogate.nearby()
    assert error(nearby(first - off, 4), first - off) < 0.05
    assert counted.asked == ["total", "nearly", "nearly"]
    # Of points that the pass has not come to, and far from those that it has, all of it anew.
    np.testing.assert_array_equal(nearby(first - off, 9), plain.predict(first - off))
    np.testing.assert_array_equal(nearby(densities[1], 4), plain.predict(densities[1]))
    np.testing.assert_array_equal(surrogate.predict(densities[1]), plain.predict(densities[1]))
    # An anchor is measured by the whole.
    fock = basis.fock_in(engine.fock(basis.density_out(densities[1])).fock)
    surrogate.observe(densities[1], fock)
    assert counted.asked[3:] == 4 * ["total"]


def test_core_and_coulomb_energies_apart_are_those_of_all_three() -> None:
    problem = problem_of("pbe0", True)
    surrogate, case = made(problem), surrogate_case(problem, 0.3)
    surrogate.observe(case.densities[5], case.reference(case.densities[5]))
    together = surrogate.energies(case.densities)
    np.testing.assert_array_equal(surrogate.core_and_coulomb(case.densities), together[:, :2])
    exact = [problem.engine.fock(problem.basis.density_out(p)).energies for p in case.densities]
    wanted = np.array([[e.core, e.coulomb] for e in exact])
    moved = np.abs(wanted - wanted[0]).max()
    np.testing.assert_allclose(together[:, :2], wanted, atol=1e-4 * moved)


class NoSource:
    """A source that finds nothing."""

    wanted_from = 0.0

    def make(self) -> None:
        return None

    def better(self, response: NonlinearResponse, visited: object) -> None:
        raise AssertionError

    def again(self, points: np.ndarray) -> NonlinearResponse:
        raise AssertionError


def test_no_points_is_one_line() -> None:
    problem = problem_of("pbe0", False)
    engine = problem.engine
    assert isinstance(engine, PySCFEngine)
    about = ResponseGround(engine, problem.basis, problem.ground_density, problem.ground_build)
    surrogate = FunctionalResponse(about, factored_mean_field(engine, problem.basis), NoSource())
    with pytest.raises(NoPoints, match=r"^no points were found that give this molecule's functional$"):
        surrogate.predict(problem.ground_density)
