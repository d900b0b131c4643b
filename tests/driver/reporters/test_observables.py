"""Observables of complex densities against traces in the AO basis and PySCF's own functions."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.system import DipoleContributions, Geometry
from hybrid_propagate.adapters.working_basis import WorkingBasis, make_working_basis
from hybrid_propagate.driver.reporters.observables import (
    charges,
    dipole_contributions,
    dipoles,
    magnetic_dipoles,
    make_observables,
    orbital_occupations,
    quadrupoles,
    spin_squared,
)
from pyscf import scf
from pyscf_systems import excited_density, solved

OXYGEN = slice(0, 5)
OXYGEN_PX, OXYGEN_PY = 2, 3


@pytest.fixture(params=[False, True], ids=["closed shell", "open shell"])
def case(request: pytest.FixtureRequest):
    """Engine, system with its oxygen as a second geometry, basis, two AO densities, observables."""
    engine, orbitals = solved("HF", request.param)
    whole = engine.system.geometry
    oxygen = Geometry(
        "oxygen", whole.tags[:1], whole.atomic_numbers[:1], whole.charges[:1], whole.positions[:1]
    )
    system = replace(engine.system, geometries=(oxygen, whole))
    fock = engine.fock(orbitals.density().astype(complex)).fock.real
    basis = make_working_basis(engine.integrals, fock)
    densities = np.array([orbitals.density().astype(complex), excited_density(engine, orbitals, 0.3)])
    return engine, system, basis, densities, make_observables(system, engine.integrals, basis)


def inside(basis: WorkingBasis, densities: np.ndarray) -> np.ndarray:
    return np.array([basis.density_in(density) for density in densities])


def test_dipoles_of_whole_and_fragment(case) -> None:
    """PySCF's dip_moment for the whole; for the fragment only functions and nuclei of its atoms, origin 0."""
    engine, system, basis, densities, observables = case
    found = dipoles(observables, inside(basis, densities))
    lines = 3 if system.open_shell else 1
    assert found.shape == (2, 2, lines, 3)
    for k, density in enumerate(densities):
        expected = scf.hf.dip_moment(engine.mol, density.real.sum(axis=0), unit="au", verbose=0)
        np.testing.assert_allclose(found[k, 1, -1], expected, atol=1e-10)
        r = engine.integrals.dipole[:, OXYGEN, OXYGEN]
        nuclear = 8.0 * system.geometry.positions[0]
        by_spin = nuclear - np.einsum("xmn,smn->sx", r, density.real[:, OXYGEN, OXYGEN])
        np.testing.assert_allclose(found[k, 0, : len(by_spin)], by_spin, atol=1e-10)
    if system.open_shell:
        # Alpha and beta lines each hold the whole nuclear dipole.
        nuclear = system.geometry.charges @ system.geometry.positions
        np.testing.assert_allclose(found[:, 1, 2], found[:, 1, 0] + found[:, 1, 1] - nuclear, atol=1e-12)


def test_charges(case) -> None:
    """Gross populations: the trace of P S over the oxygen's functions, PySCF's Mulliken populations."""
    engine, system, basis, densities, observables = case
    found = charges(observables, inside(basis, densities))
    electrons = [[-5.0, -4.0, -9.0]] if system.open_shell else [[-10.0]]
    np.testing.assert_allclose(found[:, 1], electrons * 2, atol=1e-10)
    for k, density in enumerate(densities):
        expected = [
            -scf.hf.mulliken_pop(engine.mol, spin.real, engine.integrals.overlap, verbose=0)[0][OXYGEN].sum()
            for spin in density
        ]
        np.testing.assert_allclose(found[k, 0, : len(expected)], expected, atol=1e-10)


def test_charges_of_fragments_add_up(case) -> None:
    """Disjoint fragments share all electrons: the overlap population between them is lost to neither."""
    engine, system, basis, densities, _ = case
    whole = system.geometry
    hydrogens = Geometry(
        "hydrogens", whole.tags[1:], whole.atomic_numbers[1:], whole.charges[1:], whole.positions[1:]
    )
    parts = replace(system, geometries=(*system.geometries, hydrogens))
    found = charges(make_observables(parts, engine.integrals, basis), inside(basis, densities))
    np.testing.assert_allclose(found[:, 0] + found[:, 2], found[:, 1], atol=1e-12)


def test_quadrupoles(case) -> None:
    """Second moments about the centre of mass, no trace removed: xx xy xz yy yz zz."""
    engine, system, basis, densities, observables = case
    centre = engine.integrals.center_of_mass
    with engine.mol.with_common_orig(centre):
        moments = engine.mol.intor("int1e_rr").reshape(3, 3, 7, 7)
    relative = system.geometry.positions - centre
    for k, density in enumerate(densities):
        tensor = np.einsum("a,ai,aj->ij", system.geometry.charges, relative, relative)
        tensor -= np.einsum("ijmn,mn->ij", moments, density.real.sum(axis=0))
        found = quadrupoles(observables, inside(basis, densities))[k]
        np.testing.assert_allclose(found, tensor[np.triu_indices(3)], atol=1e-10)


def test_spin_squared() -> None:
    """PySCF's spin_square for orbitals; NWChem's formula takes Re P alone for a complex density."""
    engine, orbitals = solved("HF", True)
    fock = engine.fock(orbitals.density().astype(complex)).fock.real
    basis = make_working_basis(engine.integrals, fock)
    observables = make_observables(engine.system, engine.integrals, basis)
    ground = orbitals.density().astype(complex)
    excited = excited_density(engine, orbitals, 0.3)
    found = spin_squared(observables, inside(basis, np.array([ground, excited])))
    occupied = [c[:, n > 0] for c, n in zip(orbitals.coefficients, orbitals.occupations, strict=True)]
    expected, _ = scf.uhf.spin_square(occupied, engine.integrals.overlap)
    assert found[0] == pytest.approx(expected, abs=1e-10)
    S = engine.integrals.overlap
    common = np.trace(excited[0].real @ S @ excited[1].real @ S)
    assert found[1] == pytest.approx(0.25 + 4.5 - common, abs=1e-10)


def test_occupations_are_those_of_the_initial_orbitals(case) -> None:
    engine, system, basis, densities, _ = case
    found = orbital_occupations(inside(basis, densities))
    np.testing.assert_allclose(found[0], solved("HF", system.open_shell)[1].occupations, atol=1e-8)
    S, C = engine.integrals.overlap, basis.coefficients
    expected = np.einsum("smi,smn,sni->si", S @ C, densities[1].real, S @ C)
    np.testing.assert_allclose(found[1], expected, atol=1e-10)


def test_dipole_contributions_add_up(case) -> None:
    """Over all pairs of orbitals, each pair counted in both orders, twice the electronic dipole: Tr D P."""
    _, _, basis, densities, observables = case
    parts = dipole_contributions(observables, inside(basis, densities), DipoleContributions(2))
    total = dipoles(observables, inside(basis, densities))[:, 1, : densities.shape[1], 2]
    nuclear = observables.nuclear_dipole[1, 2]
    np.testing.assert_allclose(parts.sum(axis=(2, 3, 4)), 2.0 * (nuclear - total), atol=1e-10)
    window = dipole_contributions(
        observables, inside(basis, densities), DipoleContributions(2, first=(1, 4), second=(5, 99))
    )
    np.testing.assert_array_equal(window, parts[..., 0:4, 4:7])


def test_the_magnetic_dipole_of_a_turning_electron(case) -> None:
    """An electron in (p_x + i p_y)/√2, on the z axis, has L_z = 1, so m_z = -1/2; at rest there is none."""
    _, _, basis, densities, observables = case
    still = magnetic_dipoles(observables, inside(basis, densities[:1]))
    np.testing.assert_allclose(still, 0.0, atol=1e-12)
    orbital = np.zeros(densities.shape[-1], complex)
    orbital[OXYGEN_PX], orbital[OXYGEN_PY] = np.sqrt(0.5), 1j * np.sqrt(0.5)
    turning = np.zeros_like(densities[:1])
    turning[0, 0] = np.outer(orbital, orbital.conj())
    found = magnetic_dipoles(observables, inside(basis, turning))
    assert found[0, 2] == pytest.approx(-0.5, abs=1e-10)
