"""Fock matrices, energies and responses of the embedded engine against PySCF's own J, K and quadrature."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hybrid_propagate.adapters.contract import EngineCase, EngineContract, engine_case
from hybrid_propagate.adapters.pyscf.engine import expanded_about, make_engine
from pyscf import gto
from pyscf_systems import FUNCTIONALS, GIB, excited_density, pyscf_fock, solved, water


class TestContract(EngineContract):
    """Of every engine, on every kind of functional."""

    @pytest.fixture(params=[(xc, cation) for xc in FUNCTIONALS for cation in (False, True)])
    def case(self, request: pytest.FixtureRequest) -> EngineCase:
        engine, orbitals = solved(*request.param)
        return engine_case(engine, orbitals.density())


@pytest.mark.parametrize("cation", [False, True])
@pytest.mark.parametrize("xc", FUNCTIONALS)
def test_fock_matrix_of_a_complex_density(xc: str, cation: bool) -> None:
    """Weakly excited: the quadrature's single-precision part is small, and all that is left is rounding."""
    engine, orbitals = solved(xc, cation)
    density = excited_density(engine, orbitals, 1e-3)
    build = engine.fock(density)
    fock, energies = pyscf_fock(engine, density)
    np.testing.assert_allclose(build.fock, fock, atol=1e-9)
    assert asdict(build.energies) == pytest.approx(energies, abs=1e-9)


@pytest.mark.parametrize("xc", ["PBE0", "TPSS"])
def test_far_from_the_expansion_point_the_error_is_that_of_single_precision(xc: str) -> None:
    engine, orbitals = solved(xc)
    density = excited_density(engine, orbitals, 0.2)
    fock, energies = pyscf_fock(engine, density)
    build = engine.fock(density)
    np.testing.assert_allclose(build.fock, fock, atol=2e-6)
    assert build.energies.exchange_correlation == pytest.approx(energies["exchange_correlation"], abs=2e-6)


@pytest.mark.parametrize("cation", [False, True])
@pytest.mark.parametrize("xc", FUNCTIONALS)
def test_response_is_the_derivative_of_the_fock_matrix(xc: str, cation: bool) -> None:
    """Central differences of PySCF's own Fock matrices."""
    engine, orbitals = solved(xc, cation)
    ground = orbitals.density().astype(complex)
    change = excited_density(engine, orbitals, 0.05) - ground
    h = 1e-3
    forward, backward = (pyscf_fock(engine, ground + sign * h * change)[0] for sign in (1.0, -1.0))
    numerical = (forward - backward) / (2.0 * h)
    error = np.linalg.norm(engine.response(change) - numerical) / np.linalg.norm(numerical)
    assert error < 1e-5


def test_the_imaginary_part_needs_exact_exchange() -> None:
    for xc, responds in (("PBE", False), ("PBE0", True), ("HF", True), ("CAM-B3LYP", True)):
        engine, orbitals = solved(xc)
        change = 1j * (excited_density(engine, orbitals, 0.05)).imag
        assert engine.exact_exchange == responds
        assert bool(np.abs(engine.response(change)).max() > 1e-6) == responds
    assert solved("HF")[0].linear
    assert not solved("PBE0")[0].linear


def test_mean_field_response_is_all_but_the_quadrature() -> None:
    hartree_fock, _ = solved("HF")
    engine, orbitals = solved("PBE0")
    change = excited_density(engine, orbitals, 0.05) - orbitals.density()
    J = engine.coulomb(change.real.sum(axis=0))
    exchange = hartree_fock.mean_field_response(change) - J
    np.testing.assert_allclose(engine.mean_field_response(change), J + 0.25 * exchange, atol=1e-12)


def test_forces_of_energy_and_fock_matrix_agree() -> None:
    """dE = Σ_σ Tr F_σ dP_σ, by central differences, in all parts of the energy at once."""
    for xc, cation in (("PBE0", False), ("TPSS", True)):
        engine, orbitals = solved(xc, cation)
        density = excited_density(engine, orbitals, 0.02)
        change = excited_density(engine, orbitals, 0.03) - density
        h = 1e-2
        energies = [sum(asdict(engine.fock(density + s * h * change).energies).values()) for s in (1, -1)]
        slope = np.vdot(engine.fock(density).fock, change).real
        assert (energies[0] - energies[1]) / (2 * h) == pytest.approx(slope, rel=1e-5)


def test_one_electron_integrals() -> None:
    system = water(basis="6-31g*")
    engine = make_engine(system, GIB)
    mol, integrals = engine.mol, engine.integrals
    np.testing.assert_allclose(integrals.core, mol.intor("int1e_kin") + mol.intor("int1e_nuc"), atol=1e-13)
    np.testing.assert_array_equal(integrals.dipole, mol.intor("int1e_r"))
    # Masses of 16O and 1H: NIST's 15.99491462 and 1.00782503.
    masses = np.array([15.99491462, 1.00782503, 1.00782503])
    expected = masses @ system.geometry.positions / masses.sum()
    np.testing.assert_allclose(integrals.center_of_mass, expected, atol=1e-7)
    # <(r - O)(r - O)> = <rr> - O<r> - <r>O + OO S, moments about the origin.
    second = mol.intor("int1e_rr").reshape(3, 3, mol.nao, mol.nao)
    centre, r, S = integrals.center_of_mass, integrals.dipole, integrals.overlap
    shifted = second - centre[:, None, None, None] * r - r[:, None] * centre[None, :, None, None]
    shifted = shifted + np.multiply.outer(np.outer(centre, centre), S)
    np.testing.assert_allclose(integrals.quadrupole, shifted, atol=1e-12)
    assert integrals.nuclear_repulsion == pytest.approx(mol.energy_nuc(), abs=1e-12)


def test_effective_core_potentials_enter_the_core_matrix() -> None:
    system = water("HF")
    ecp = gto.basis.load_ecp("bfd-pp", "O")
    system = replace(system, ecp={"O": ecp}, basis={**system.basis, "O": gto.basis.load("bfd-vdz", "O")})
    engine = make_engine(system, GIB)
    mol = engine.mol
    bare = mol.intor("int1e_kin") + mol.intor("int1e_nuc")
    assert mol.nelectron == 8
    np.testing.assert_allclose(engine.integrals.core - bare, mol.intor("ECPscalar"), atol=1e-12)
    assert np.abs(engine.integrals.core - bare).max() > 0.1


def test_a_density_fitted_coulomb_matrix() -> None:
    """With a `cd basis`, J = (μν|P)(P|Q)⁻¹(Q|λσ) P_λσ, written out; close to the exact one."""
    fitting = {tag: gto.basis.load("def2-universal-jfit", tag) for tag in ("O", "H")}
    engine = make_engine(replace(water("PBE"), fitting_basis=fitting), GIB)
    _, orbitals = solved("PBE")
    density = orbitals.density()[0]
    auxiliary = gto.M(
        atom=engine.mol.atom, unit="Bohr", basis="def2-universal-jfit", cart=engine.mol.cart, verbose=0
    )
    both = engine.mol + auxiliary
    n, shells = engine.mol.nao, engine.mol.nbas
    three = both.intor("int3c2e", shls_slice=(0, shells, 0, shells, shells, both.nbas))
    metric = auxiliary.intor("int2c2e")
    fitted = three @ np.linalg.solve(metric, np.einsum("mnP,mn->P", three, density))
    J = engine.coulomb(density)
    np.testing.assert_allclose(J, fitted.reshape(n, n), atol=1e-8)
    difference = np.abs(J - solved("PBE")[0].coulomb(density)).max()
    assert 1e-6 < difference < 1e-2


@pytest.mark.parametrize("xc", ["PBE0", "CAM-B3LYP"])
def test_little_memory_changes_nothing(xc: str) -> None:
    """No room for integrals or AO values: all is computed again at each build."""
    engine, orbitals = solved(xc)
    density = excited_density(engine, orbitals, 1e-3)
    bare = make_engine(engine.system, 0.0)
    assert bare.two_electron.packed is None
    assert bare.quadrature is not None
    assert len(bare.quadrature.aos) == 0
    bare = expanded_about(bare, orbitals.density(), kernel=True)
    np.testing.assert_allclose(bare.fock(density).fock, engine.fock(density).fock, atol=1e-10)
    change = density - orbitals.density()
    np.testing.assert_allclose(bare.response(change), engine.response(change), atol=1e-10)
