"""Superposed densities and potentials on a molecular grid."""

from typing import Literal

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.errors import InputError
from hybrid_propagate.atomic.solver.mesh import spectral_mesh
from hybrid_propagate.atomic.solver.model import Model
from hybrid_propagate.atomic.solver.scf import solve_atom
from hybrid_propagate.atomic.starting_density import (
    evaluate,
    radial_table,
    superposed_density,
    superposed_potential,
)
from pyscf import dft, gto

WATER = gto.M(atom="O 0 0 0; H 0 0 1.8; H 1.7 0 -0.6", unit="B", basis="6-31g", verbose=0)


@pytest.fixture(scope="module")
def grid() -> dft.gen_grid.Grids:
    """PySCF's quadrature for water."""
    made = dft.gen_grid.Grids(WATER)
    made.level = 3
    made.build()
    return made


@pytest.mark.parametrize("model", [Model(), Model(spin=True), Model(relativity="scalar")])
def test_density_integrates_to_the_electrons(grid: dft.gen_grid.Grids, model: Model) -> None:
    density = superposed_density(WATER.atom_charges(), WATER.atom_coords(), grid.coords, model)
    assert (density >= 0).all()
    assert (density @ grid.weights).sum() == pytest.approx(10, abs=1e-4)
    if model.spin:
        assert density @ grid.weights == pytest.approx([7, 3], abs=1e-4)


def test_potential_is_a_better_start_than_the_bare_nuclei(grid: dft.gen_grid.Grids) -> None:
    potential = superposed_potential(WATER.atom_charges(), WATER.atom_coords(), grid.coords)[0]
    field = dft.RKS(WATER, xc="slater,vwn")
    orbitals = dft.numint.eval_ao(WATER, grid.coords)
    fock = WATER.intor("int1e_kin") + orbitals.T @ (orbitals * (grid.weights * potential)[:, None])
    overlap = field.get_ovlp()
    converged = field.kernel()

    def above(hamiltonian: np.ndarray) -> float:
        energies, vectors = field.eig(hamiltonian, overlap)
        return field.energy_tot(field.make_rdm1(vectors, field.get_occ(energies, vectors))) - converged

    assert 0 < above(fock) < 0.1 * above(field.get_hcore())


def test_potential_vanishes_far_away_and_diverges_at_the_nucleus() -> None:
    density, potential = radial_table(10, [0.0, 1e-4, 20.0, 49.0, 70.0])
    assert potential[0, 0] == -np.inf
    assert potential[0, 1] == pytest.approx(-10 / 1e-4, rel=1e-2)
    assert potential[0, 2:] == pytest.approx(0, abs=1e-4)
    assert density[0, 3:] == pytest.approx(0, abs=1e-15)


def test_kato_cusp() -> None:
    """n'(0) = −2 Z n(0)."""
    step = 1e-4
    density, _ = radial_table(18, [0.0, step, 2 * step])
    slope = (-3 * density[0, 0] + 4 * density[0, 1] - density[0, 2]) / (2 * step)
    assert slope / density[0, 0] == pytest.approx(-36, rel=1e-3)


def test_interpolation_is_spectral() -> None:
    mesh = spectral_mesh(6.0)
    r = np.random.default_rng(0).uniform(0, 30, 500)
    assert evaluate(mesh, np.exp(-2 * mesh.radius), r) == pytest.approx(np.exp(-2 * r), abs=1e-9)
    atom = solve_atom(6)
    assert evaluate(atom.mesh, atom.density[0], atom.radius) == pytest.approx(atom.density[0], rel=1e-12)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="positions"):
        superposed_density([1, 1], np.zeros((3, 3)), np.zeros((4, 3)))


@pytest.mark.parametrize("relativity", ["scalar", "dirac"])
def test_a_relativistic_density_between_nodes(relativity: Literal["scalar", "dirac"]) -> None:
    """Infinite at a point nucleus, so that a polynomial through its values swings."""
    r = np.geomspace(1e-10, 30.0, 20001)
    density, _ = radial_table(80, r, Model(relativity=relativity))
    electrons = np.trapezoid(4.0 * np.pi * r**3 * density[0], np.log(r))
    assert electrons == pytest.approx(80.0, abs=1e-6)
