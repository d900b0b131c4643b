"""The textbook grid: second-order convergence to the spectral result, its Hartree integral, its refusals."""

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.solver.errors import ConvergenceError, InputError
from hybrid_propagate.atomic.solver.model import Model
from hybrid_propagate.atomic.solver.scf import solve_atom
from hybrid_propagate.atomic.solver.uniform import UniformGrid, hartree_potential, solve_uniform


def test_error_falls_as_the_square_of_the_spacing() -> None:
    exact = solve_atom("He").energies.total
    errors = [
        solve_uniform("He", grid=UniformGrid(r_max=12.0, num_points=n, density_tolerance=1e-8)).energies.total
        - exact
        for n in (601, 1201)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.1)


def test_polarised_atom_and_components_approach_the_spectral_ones() -> None:
    grid = UniformGrid(r_max=15.0, num_points=3001)
    coarse, exact = (
        solve_uniform("Li", model=Model(spin=True), grid=grid),
        solve_atom("Li", model=Model(spin=True)),
    )
    for name, value in exact.energies.as_dict().items():
        assert coarse.energies.as_dict()[name] == pytest.approx(value, rel=2e-3), name


def test_hydrogen_without_interaction_is_exact_to_second_order() -> None:
    """Three-point Laplacian at l = 0: E = (1 − √(1 + h²Z²))/h² exactly for −Z/r on r_i = i h."""
    bare = Model(use_hartree=False, use_exchange=False, use_correlation=False)
    grid = UniformGrid(r_max=30.0, num_points=1501)
    h = 30.0 / 1500
    atom = solve_uniform("H", configuration=parse_configuration("1s1"), model=bare, grid=grid)
    assert atom.levels[0] == pytest.approx((1 - np.sqrt(1 + h**2)) / h**2, abs=1e-10)


def test_hartree_potential_of_an_exponential() -> None:
    r = np.linspace(0, 20, 8001)[1:-1]
    v = hartree_potential(r, np.exp(-2 * r) / np.pi)
    assert v == pytest.approx(1 / r - np.exp(-2 * r) * (1 / r + 1), abs=1e-5)


def test_empty_states_are_computed_when_asked() -> None:
    atom = solve_uniform("He", grid=UniformGrid(num_points=1001, l_max=1, states_per_l=2))
    assert [o.label for o in atom.orbitals] == ["1s", "2s", "2p", "3p"]
    assert [o.occupation for o in atom.orbitals] == [2, 0, 0, 0]


@pytest.mark.parametrize(
    ("element", "grid", "message"),
    [
        ("U", UniformGrid(), "num_points at least"),
        ("Ne", UniformGrid(r_max=2.0), "too small"),
        ("Ne", UniformGrid(l_max=0), "2p is occupied"),
        ("Ne", UniformGrid(states_per_l=1), "2s is occupied"),
        ("Ne", UniformGrid(density_mixing=1.5), "density_mixing"),
        ("Li", UniformGrid(r_max=6.0), "r_max = 6 bohr is too small"),
    ],
)
def test_a_grid_that_cannot_hold_the_atom_is_refused(element: str, grid: UniformGrid, message: str) -> None:
    with pytest.raises(InputError, match=message):
        solve_uniform(element, grid=grid)


def test_no_convergence_gives_no_numbers() -> None:
    with pytest.raises(ConvergenceError, match="after 4 iterations"):
        solve_uniform("He", grid=UniformGrid(num_points=801, max_iterations=4))


def test_the_uniform_grid_is_not_relativistic() -> None:
    with pytest.raises(InputError, match="relativistic atom needs"):
        solve_uniform("He", model=Model(relativity="scalar"))
