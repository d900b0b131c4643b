"""Shells filled little by little: the cycle's atom where there is one, else how many electrons they hold."""

import pytest
from hybrid_propagate.atomic.nucleus.radius import stable_mass_number
from hybrid_propagate.atomic.solver.configuration import ground_configuration, parse_configuration
from hybrid_propagate.atomic.solver.eigenstates import RadialProblem
from hybrid_propagate.atomic.solver.model import Model, Orbital, orbitals_of
from hybrid_propagate.atomic.solver.scf import Solution, mesh_of, self_consistent
from hybrid_propagate.atomic.study.filling import Overfull, filled

SUPERHEAVY = Model(relativity="dirac", nucleus="fermi", mass_number=stable_mass_number(124.0))


def problem_of(z: int, text: str, model: Model) -> RadialProblem:
    orbitals = orbitals_of(parse_configuration(text), model)
    return RadialProblem(float(z), model, mesh_of(float(z), model), orbitals)


def element_124(five_g: float) -> RadialProblem:
    """[Og] 8s2 6f5/2³ and 5g7/2, the last orbital."""
    outer = [(8, 0, 0.5, 2.0), (6, 3, 2.5, 3.0), (5, 4, 3.5, five_g)]
    added = tuple(Orbital(n, k, f, 2 * j + 1, j=j) for n, k, j, f in outer)
    orbitals = (*orbitals_of(ground_configuration(118), SUPERHEAVY), *added)
    return RadialProblem(124.0, SUPERHEAVY, mesh_of(124.0, SUPERHEAVY), orbitals)


@pytest.mark.parametrize(("z", "text"), [(5, "1s2 2s2 2p1"), (59, "[Xe] 4f3 6s2")])
def test_a_shell_that_holds_its_electrons_is_the_atom_of_the_cycle(z: int, text: str) -> None:
    problem = problem_of(z, text, Model())
    index = max(range(len(problem.orbitals)), key=lambda i: problem.orbitals[i].l)
    atom = filled(problem, index)
    assert isinstance(atom, Solution)
    alone = self_consistent(problem.z, problem.orbitals, problem.model, problem.mesh)
    assert atom.energies.total == pytest.approx(alone.energies.total, abs=1e-7)
    assert atom.levels == pytest.approx(alone.levels, abs=2e-5)


def test_a_shell_outside_a_neutral_atom_holds_nothing() -> None:
    found = filled(problem_of(2, "1s2 5g1", Model()), 1)
    assert isinstance(found, Overfull)
    assert str(found) == "5g holds 0.00 of 1 electrons"


def test_5g_of_element_124_holds_half_an_electron() -> None:
    """And no more: its level has risen to what lies outside; by Janak's theorem the energy is least there."""
    index = len(element_124(1.0).orbitals) - 1
    found = filled(element_124(1.0), index)
    assert isinstance(found, Overfull)
    assert found.shell == "5g7/2"
    assert found.held == pytest.approx(0.53, abs=0.02)
    assert found.radius < 1.0
    assert -0.01 < found.level < 0
    less = filled(element_124(found.held - 0.1), index)
    assert isinstance(less, Solution)
    slope = (found.energy - less.energies.total) / 0.1
    assert slope == pytest.approx((found.level + less.levels[-1]) / 2, abs=2e-3)
