"""Superposed atoms against PySCF: one atom is its own LDA ground state, a molecule is near its own."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import Functional, System
from hybrid_propagate.surrogate.starting_density.predictor import NotApplicable
from hybrid_propagate.surrogate.starting_density.pyscf_guess import PySCFStart
from hybrid_propagate.surrogate.starting_density.superposed_atoms import SuperposedAtoms
from pyscf import dft, gto
from pyscf_systems import small_system, water


def neon() -> System:
    return small_system(("Ne",), np.zeros((1, 3)), "def2-svp", Functional("slater vwn_5", "LDA, VWN"))


def lda_density(system: System) -> np.ndarray:
    """PySCF's, (n, n)."""
    return np.asarray(dft.RKS(molecule(system), xc="LDA, VWN").run().make_rdm1())


def test_an_atom_alone_is_its_lda_ground_state() -> None:
    """The exact atom's potential all but reproduces PySCF's LDA density and energy in a basis."""
    system = replace(neon(), basis={"Ne": gto.basis.load("def2-qzvp", "Ne")})
    mean_field = dft.RKS(molecule(system), xc="LDA, VWN").run()
    reference = np.asarray(mean_field.make_rdm1())
    for what in ("density", "potential"):
        (predicted,) = SuperposedAtoms(what).predict(system)
        assert np.linalg.norm(predicted - reference) < 0.01 * np.linalg.norm(reference)
        assert 0 < mean_field.energy_tot(predicted) - mean_field.e_tot < 5e-4


def test_water_is_nearer_than_the_core_hamiltonian() -> None:
    """Both are determinants of ten electrons; the superposed density is nearer than the potential."""
    system = water("LDA", "6-31g")
    mol = molecule(system)
    S, reference = mol.intor("int1e_ovlp"), lda_density(system)
    core = np.asarray(dft.RKS(mol).get_init_guess(key="1e"))
    distance = {}
    for what in ("density", "potential"):
        (P,) = SuperposedAtoms(what).predict(system)
        np.testing.assert_allclose(P @ S @ P, 2 * P, atol=1e-10)
        assert np.vdot(P, S) == pytest.approx(10.0, abs=1e-10)
        distance[what] = np.linalg.norm(P - reference)
    assert distance["density"] < distance["potential"] < 0.5 * np.linalg.norm(core - reference)


def test_open_shells_get_their_own_electrons() -> None:
    system = water("LDA", "6-31g", cation=True)
    S = molecule(system).intor("int1e_ovlp")
    alpha, beta = SuperposedAtoms("density").predict(system)
    assert np.vdot(alpha, S) == pytest.approx(5.0, abs=1e-10)
    assert np.vdot(beta, S) == pytest.approx(4.0, abs=1e-10)


def test_a_centre_without_nucleus_adds_nothing() -> None:
    """Ghost functions of hydrogen at the same place: neon's energy levels hold."""
    system = neon()
    geometry = replace(
        system.geometry,
        tags=("Ne", "bqH"),
        atomic_numbers=np.array([10, 0]),
        charges=np.array([10.0, 0.0]),
        positions=np.array([(0.0, 0.0, 0.0), (0.0, 0.0, 9.0)]),
    )
    with_ghost = replace(
        system, geometry=geometry, basis={**system.basis, "bqH": gto.basis.load("sto-3g", "H")}
    )
    (P,) = SuperposedAtoms("density").predict(with_ghost)
    (alone,) = SuperposedAtoms("density").predict(system)
    np.testing.assert_allclose(P[: len(alone), : len(alone)], alone, atol=1e-3)


def test_cores_without_electrons_are_refused() -> None:
    system = replace(water("LDA"), ecp={"O": gto.basis.load_ecp("def2-svp", "I")})
    for predictor in (SuperposedAtoms("density"), SuperposedAtoms("potential"), PySCFStart("sap")):
        with pytest.raises(NotApplicable, match="no ECP"):
            predictor.predict(system)
