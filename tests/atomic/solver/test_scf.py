"""The self-consistent cycle: sum rules, switches, spin, ions, refusals."""

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.configuration import ground_configuration, parse_configuration
from hybrid_propagate.atomic.solver.eigenstates import RadialProblem, bound_states, in_order
from hybrid_propagate.atomic.solver.errors import ConvergenceError, InputError
from hybrid_propagate.atomic.solver.mesh import spectral_mesh
from hybrid_propagate.atomic.solver.model import Model, orbitals_of
from hybrid_propagate.atomic.solver.scf import Cycle, CycleStart, self_consistent, solve_atom

BARE = Model(use_hartree=False, use_exchange=False, use_correlation=False)


@pytest.mark.parametrize("z", [1, 20, 92])
def test_bare_nucleus_is_hydrogenic(z: int) -> None:
    atom = solve_atom(z, configuration=parse_configuration("1s1"), model=BARE)
    assert atom.energies.total == pytest.approx(-(z**2) / 2, rel=1e-12)
    assert atom.energies.kinetic == pytest.approx(z**2 / 2, rel=1e-10)


@pytest.mark.parametrize("spin", [False, True])
@pytest.mark.parametrize("z", [3, 17, 46])
def test_energy_expressions_agree(z: int, spin: bool) -> None:
    """E = Σfε − E_H + E_xc − ∫n v_xc = T + E_nuc + E_H + E_xc; exchange only: 2T + V = 0."""
    e = solve_atom(z, model=Model(spin=spin)).energies
    double_counting = e.eigenvalue_sum - e.hartree + e.exchange_correlation - e.xc_potential
    assert e.total == pytest.approx(double_counting, abs=1e-7)
    assert e.total == pytest.approx(e.kinetic + e.nuclear + e.hartree + e.exchange_correlation, abs=1e-9)
    x = solve_atom(z, model=Model(spin=spin, use_correlation=False)).energies
    assert 2 * x.kinetic + x.nuclear + x.hartree + x.exchange == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("relativity", ["none", "scalar", "dirac"])
def test_density_holds_all_electrons(relativity: str) -> None:
    atom = solve_atom(47, model=Model(relativity=relativity))  # pyright: ignore[reportArgumentType]
    volume = 4 * np.pi * atom.radius**2 * atom.mesh.weight
    assert atom.density.sum(axis=0) @ volume == pytest.approx(47, abs=1e-9)


def test_scalar_relativistic_is_the_average_of_dirac_to_first_order() -> None:
    """The 3d level of Zn lies between its spin-orbit partners, near their weighted mean."""
    scalar = solve_atom(30, model=Model(relativity="scalar"))
    dirac = solve_atom(30, model=Model(relativity="dirac"))
    level = {o.label: e for o, e in zip(scalar.orbitals, scalar.levels, strict=True)}["3d"]
    partners = {o.label: e for o, e in zip(dirac.orbitals, dirac.levels, strict=True)}
    assert partners["3d3/2"] < level < partners["3d5/2"]
    assert level == pytest.approx(0.4 * partners["3d3/2"] + 0.6 * partners["3d5/2"], abs=5e-4)


@pytest.mark.parametrize(
    ("z", "model", "order", "growth"),
    [
        (24, Model(), 8, 6.0),
        (92, Model(), 10, 6.0),
        (26, Model(spin=True), 8, 6.0),
        (36, Model(relativity="scalar"), 10, 6.0),
        (58, Model(relativity="dirac"), 10, 4.0),
    ],
)
def test_the_cycle_ends_on_a_coarse_mesh(z: int, model: Model, order: int, growth: float) -> None:
    """There orbitals have nodes too many; the diagonalisation tells that they are the right ones."""
    relativistic = model.relativity != "none"
    mesh = spectral_mesh(float(z), relativistic, order=order, growth=growth)
    problem = RadialProblem(float(z), model, mesh, orbitals_of(ground_configuration(z), model))
    atom = self_consistent(float(z), problem.orbitals, model, mesh, cycle=Cycle(require_bound=False))
    assert atom.iterations <= 20
    assert not in_order(problem, atom.states)
    diagonalised = bound_states(mesh, problem.orbitals, atom.potential, float(z), model)
    assert diagonalised.energies == pytest.approx(atom.levels, rel=1e-9)


def test_zeta_interpolates_between_restricted_and_hund() -> None:
    energies = [
        solve_atom("N", model=Model(spin=True, zeta=zeta)).energies.total for zeta in (0.0, 0.2, 3 / 7)
    ]
    assert energies[0] == pytest.approx(solve_atom("N").energies.total, abs=1e-9)
    assert energies[2] == pytest.approx(solve_atom("N", model=Model(spin=True)).energies.total, abs=1e-9)
    assert energies[0] > energies[1] > energies[2]


def test_janak_theorem_for_a_fractional_atom() -> None:
    """∂E/∂f = ε, by a central difference of totals."""
    up, middle, down = (
        solve_atom("O", configuration=parse_configuration(f"1s2 2s2 2p{f}")) for f in (3.501, 3.5, 3.499)
    )
    slope = (up.energies.total - down.energies.total) / 0.002
    assert slope == pytest.approx(middle.levels[-1], abs=1e-6)


def test_a_start_from_another_ion_gives_the_same_atom() -> None:
    model = Model(spin=True)
    neutral = solve_atom("Cr", model=model)
    orbitals = orbitals_of(ground_configuration("Cr", 1), model)
    warm = self_consistent(24.0, orbitals, model, neutral.mesh, CycleStart(neutral.potential))
    assert warm.energies.total == pytest.approx(solve_atom("Cr", 1, model=model).energies.total, abs=1e-8)


@pytest.mark.parametrize(
    ("element", "keywords", "message"),
    [
        ("Xx", {}, "unknown element"),
        ("173", {}, "unknown element"),
        ("119", {}, "no known ground configuration"),
        ("He", {"charge": 3}, "not possible"),
        ("He", {"charge": 2}, "no electrons"),
        ("C", {"model": Model(xc="lda_c_nothing")}, "unknown LDA correlation"),
        ("C", {"model": Model(spin=True, relativity="dirac")}, "mixes spins"),
        ("C", {"model": Model(zeta=0.1)}, "zeta needs"),
        ("C", {"model": Model(spin=True, zeta=0.9)}, "beyond"),
        ("C", {"charge": 1, "configuration": parse_configuration("1s2")}, "electrons, not 5"),
        ("Cs", {"mesh": spectral_mesh(55.0, r_max=8.0)}, "r_max = 8 bohr is too small"),
        ("U", {"mesh": spectral_mesh(1.0, order=6)}, "cannot resolve Z = 92"),
    ],
)
def test_bad_input_is_refused_in_one_line(element: str, keywords: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        solve_atom(element, **keywords)  # pyright: ignore[reportArgumentType]
    assert "\n" not in str(caught.value)


def test_an_unbound_anion_gives_no_numbers() -> None:
    with pytest.raises(ConvergenceError):
        solve_atom("H", configuration=parse_configuration("1s2 2s1"))


def test_too_few_iterations_give_no_numbers() -> None:
    model = Model()
    orbitals = orbitals_of(ground_configuration("Fe"), model)
    with pytest.raises(ConvergenceError, match="no self-consistency after 3 iterations"):
        self_consistent(26.0, orbitals, model, cycle=Cycle(max_iterations=3))
