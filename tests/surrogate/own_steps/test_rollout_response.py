"""The surrogate that makes its own steps: the contract, and the graph's steps beside those by numpy."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hybrid_propagate.adapters.deck.xc import functional
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.system import Field, RealTime
from hybrid_propagate.adapters.system.real_time import Tolerances
from hybrid_propagate.adapters.working_basis import make_working_basis
from hybrid_propagate.driver.estimate.defect_operator import Defect, defect_operator
from hybrid_propagate.driver.loop.problem import (
    Coupling,
    Problem,
    initial_state,
    make_step,
    steps_of,
)
from hybrid_propagate.driver.propagators.magnus import NoFixedPoint
from hybrid_propagate.surrogate.contract import SurrogateCase, SurrogateContract, surrogate_case
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import NonlinearSource, PointSource
from hybrid_propagate.surrogate.on_the_fly.functional_response import NoPoints
from hybrid_propagate.surrogate.own_steps import rollout_response
from hybrid_propagate.surrogate.own_steps.block import BlockRules
from hybrid_propagate.surrogate.own_steps.rollout_response import RolloutGround, RolloutResponse
from hybrid_propagate.surrogate.own_steps.turned import turned
from hybrid_propagate.surrogate.rollout.molecule import molecule_of
from point_sources import whole_source
from pyscf_systems import GIB, water

DT = 0.2


@cache
def problem_of(cation: bool) -> Problem:
    """Water or its cation, PBE0/STO-3G, in a strong field along x and z."""
    system = replace(water(cation=cation, grid="xcoarse"), functional=functional(("pbe0",), None))
    engine, orbitals = solve_ground_state(make_engine(system, GIB), None, 50)
    density = np.real(orbitals.density())
    engine = expanded_about(engine, density, kernel=True)
    build = engine.fock(density.astype(complex))
    basis = make_working_basis(engine.integrals, np.real(build.fock))
    pulse = Field("pulse", "gaussian", (1.0, 0.0, 0.0), 0.2, frequency=0.4, center=3.0, width=2.0)
    couplings = tuple(
        Coupling(pulse, basis.fock_in(np.broadcast_to(d, build.fock.shape)).astype(complex))
        for d in engine.integrals.dipole[[0, 2]]
    )
    real_time = replace(RealTime(12.0, DT), tolerances=Tolerances(), n_checks=0)
    inside = basis.density_in(density).astype(complex)
    return Problem(engine.system, real_time, engine, basis, build, inside, couplings)


@cache
def source_of(cation: bool) -> PointSource:
    return whole_source(problem_of(cation))


def made(problem: Problem, source: NonlinearSource | None = None) -> RolloutResponse:
    basis, engine = problem.basis, problem.engine
    assert isinstance(engine, PySCFEngine)
    density = np.real(basis.density_out(problem.ground_density))
    molecule = molecule_of(engine, basis, density, problem.ground_build, GIB)
    fields = [turned(basis).matrices_in(np.real(c.matrix)) for c in problem.couplings]
    molecule = replace(molecule, field=np.array(fields))
    ground = RolloutGround(engine, basis, problem.ground_density, problem.ground_build, molecule, np.eye(2))
    rules = BlockRules(DT, problem.real_time.tolerances.interpol, "cpu")
    return RolloutResponse(ground, source or source_of(len(density) > 1), rules)


class TestRolloutResponse(SurrogateContract):
    """What anchors taught is left rough: other anchors tell little of one that nothing else is like."""

    anchor_leaves, refines = 0.7, False

    @pytest.fixture(params=[False, True], ids=["closed", "open"])
    def case(self, request: pytest.FixtureRequest) -> SurrogateCase:
        return surrogate_case(problem_of(request.param), 0.05)

    def make(self, ground: Problem) -> RolloutResponse:  # type: ignore[override]
        return made(ground)


@pytest.mark.parametrize("cation", [False, True], ids=["closed", "open"])
def test_steps_by_the_graph_are_those_by_numpy(*, cation: bool) -> None:
    """What anchors taught, and an estimate's operator, are in the graph; so are NWChem's corrections."""
    problem = problem_of(cation)
    problem = replace(problem, real_time=replace(problem.real_time, tolerances=Tolerances(interpol=1e-8)))
    surrogate, case = made(problem), surrogate_case(problem, 0.3)
    for density in case.densities[3::3]:
        surrogate.observe(density, case.reference(density))
    change = case.densities[5] - problem.ground_density
    operator = defect_operator([Defect(change, 0.02 * (change - change.conj()) + 0.05 * change, 1.0)])
    by_graph = steps_of(problem, surrogate, 40, operator.rows(change.shape))
    by_numpy = make_step(problem)

    def fock_of(density: np.ndarray) -> np.ndarray:
        return surrogate.predict(density) + operator(density - problem.ground_density)

    one = other = initial_state(
        problem, problem.ground_density, surrogate.predict(problem.ground_density), 0, 0.0
    )
    counts = set()
    for _ in range(40):
        one, changes = by_graph(one, not_by_numpy)
        other, wanted = by_numpy(other, fock_of)
        assert [len(changes), one.step, one.time] == [len(wanted), other.step, other.time]
        assert np.array(changes) == pytest.approx(np.array(wanted), rel=1e-3, abs=1e-9)
        counts.add(len(changes))
    moved = np.abs(other.density - problem.ground_density).max()
    assert moved > 0.1
    for name in ("density", "fock", "fock_half"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=2e-7 * moved)
    # The Loop was entered, for different numbers of corrections.
    assert max(counts) > 1
    assert len(counts) > 1


def not_by_numpy(density: np.ndarray) -> np.ndarray:
    raise AssertionError("a step by numpy")


def test_what_the_graph_does_not_take_is_left_to_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative occupations, and orbitals that have left the series."""
    problem = problem_of(False)
    surrogate = made(problem)
    state = initial_state(problem, problem.ground_density, surrogate.predict(problem.ground_density), 0, 0.0)
    by_numpy, _ = make_step(problem)(state, surrogate.predict)
    holes = replace(state, occupations=state.occupations - [[0.0, 0.0, 0.0, 0.0, 2.1]])
    with pytest.raises(AssertionError, match="a step by numpy"):
        steps_of(problem, surrogate, 9)(holes, not_by_numpy)
    monkeypatch.setattr(rollout_response, "ORTHONORMAL", -1.0)
    after, _ = steps_of(problem, surrogate, 9)(state, surrogate.predict)
    np.testing.assert_array_equal(after.density, by_numpy.density)


def test_no_fixed_point_is_said() -> None:
    problem = problem_of(False)
    problem = replace(problem, real_time=replace(problem.real_time, tolerances=Tolerances(interpol=-0.5)))
    surrogate, density = made(problem), surrogate_case(problem, 0.3).densities[-1]
    state = initial_state(problem, density, surrogate.predict(density), 0, 0.0)
    with pytest.raises(NoFixedPoint, match=r"at t = 0.00000 au did not become self-consistent by the graph"):
        steps_of(problem, surrogate, 1)(state, not_by_numpy)


def test_no_points_is_said() -> None:
    problem = problem_of(False)

    class Nothing:
        wanted_from = 0.0

        def make(self) -> None:
            return None

    with pytest.raises(NoPoints, match="no points were found"):
        made(problem, Nothing()).predict(problem.ground_density)  # type: ignore[arg-type]
