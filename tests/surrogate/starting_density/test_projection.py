"""Orbitals carried to another basis and to other spins."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import System
from hybrid_propagate.surrogate.starting_density.predictor import NotApplicable
from hybrid_propagate.surrogate.starting_density.projection import Projection
from pyscf import scf
from pyscf_systems import water
from scipy.stats import ortho_group

SMALL = water("HF", "6-31g")


@pytest.fixture(scope="module")
def orbitals() -> tuple[np.ndarray, float]:
    """(1, n, m) of water in the smaller basis, and its Hartree-Fock energy."""
    mean_field = scf.RHF(molecule(SMALL))
    mean_field.conv_tol = 1e-11
    mean_field.kernel()
    return np.asarray(mean_field.mo_coeff)[None], mean_field.e_tot


def energy(system: System, density: np.ndarray) -> float:
    mean_field = (scf.UHF if system.open_shell else scf.RHF)(molecule(system))
    return mean_field.energy_tot(density if system.open_shell else density[0])


def test_a_basis_that_holds_the_smaller_one_keeps_the_energy(orbitals: tuple[np.ndarray, float]) -> None:
    """6-31G* is 6-31G and a shell of d functions."""
    C, ground = orbitals
    large = water("HF", "6-31g*")
    assert energy(large, Projection(SMALL, C, "small").predict(large)) == pytest.approx(ground, abs=1e-9)
    rotation = ortho_group.rvs(3, random_state=2)
    rotation *= np.linalg.det(rotation)
    positions = large.geometry.positions @ rotation.T + [1.0, -2.0, 0.5]
    turned = replace(large, geometry=replace(large.geometry, positions=positions))
    assert energy(turned, Projection(SMALL, C, "small").predict(turned)) == pytest.approx(ground, abs=1e-9)


def test_another_family_lies_near_and_holds_the_electrons(orbitals: tuple[np.ndarray, float]) -> None:
    C, _ = orbitals
    large = water("HF", "cc-pvdz")
    P = Projection(SMALL, C, "small").predict(large)
    S = molecule(large).intor("int1e_ovlp")
    assert np.trace(P[0] @ S) == pytest.approx(10.0, abs=1e-10)
    np.testing.assert_allclose(P[0] @ S @ P[0], 2.0 * P[0], atol=1e-10)
    converged = scf.RHF(molecule(large)).kernel()
    assert converged < energy(large, P) < converged + 0.1


def test_other_spins_fill_the_lowest_orbitals(orbitals: tuple[np.ndarray, float]) -> None:
    """The cation from the neutral molecule's orbitals is Koopmans' determinant, E + |eps| of the highest."""
    C, ground = orbitals
    cation = water("HF", "6-31g", cation=True)
    P = Projection(SMALL, C, "neutral").predict(cation)
    S = molecule(cation).intor("int1e_ovlp")
    assert [round(float(np.trace(p @ S)), 9) for p in P] == [5.0, 4.0]
    mean_field = scf.RHF(molecule(SMALL)).run(conv_tol=1e-11)
    assert energy(cation, P) == pytest.approx(ground - mean_field.mo_energy[4], abs=1e-7)


def test_what_does_not_fit_is_named(orbitals: tuple[np.ndarray, float]) -> None:
    C, _ = orbitals
    other = replace(
        SMALL, geometry=replace(SMALL.geometry, atomic_numbers=SMALL.geometry.atomic_numbers[::-1])
    )
    with pytest.raises(NotApplicable, match="small: other atoms"):
        Projection(other, C, "small").predict(SMALL)
    with pytest.raises(NotApplicable, match="small: fewer orbitals than 5 electrons"):
        Projection(SMALL, C[:, :, :4], "small").predict(SMALL)
