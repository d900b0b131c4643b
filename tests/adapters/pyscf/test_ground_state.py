"""Ground states against PySCF's own SCF."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf import engine as engine_module
from hybrid_propagate.adapters.pyscf import ground_state
from hybrid_propagate.adapters.pyscf.engine import make_engine
from hybrid_propagate.adapters.pyscf.ground_state import NotConverged, solve_ground_state
from hybrid_propagate.adapters.pyscf.two_electron import TwoElectron, coulomb_and_exchange
from pyscf_systems import FUNCTIONALS, GIB, pyscf_mean_field, solved, water


@pytest.mark.parametrize("cation", [False, True])
@pytest.mark.parametrize("xc", FUNCTIONALS)
def test_energy(xc: str, cation: bool) -> None:
    engine, orbitals = solved(xc, cation)
    mean_field = pyscf_mean_field(engine)
    mean_field.conv_tol, mean_field.conv_tol_grad = 1e-11, 1e-7
    assert orbitals.total_energy == pytest.approx(mean_field.kernel(), abs=1e-8)
    energies = engine.fock(orbitals.density().astype(complex)).energies
    total = energies.core + energies.coulomb + energies.exchange_correlation
    assert total + engine.integrals.nuclear_repulsion == pytest.approx(orbitals.total_energy, abs=1e-8)


@pytest.mark.parametrize("cation", [False, True])
def test_orbitals_are_orthonormal_and_stationary(cation: bool) -> None:
    engine, orbitals = solved("PBE0", cation)
    S, P = engine.integrals.overlap, orbitals.density()
    C = orbitals.coefficients
    np.testing.assert_allclose(C.transpose(0, 2, 1) @ S @ C, np.broadcast_to(np.eye(7), C.shape), atol=1e-10)
    electrons = np.einsum("smn,mn->s", P, S)
    np.testing.assert_allclose(electrons, [5, 4] if cation else [10], atol=1e-10)
    F = engine.fock(P.astype(complex)).fock.real
    commutator = F @ P @ S
    assert np.abs(commutator - commutator.transpose(0, 2, 1)).max() < 1e-6
    energies = np.linalg.eigvals(np.linalg.solve(S, F)).real
    np.testing.assert_allclose(np.sort(energies, axis=1), orbitals.energies, atol=1e-6)


def test_the_engine_returned_counts_changes_from_the_ground_state() -> None:
    engine, orbitals = solved("PBE")
    assert engine.expansion_point is not None
    assert engine.kernel is not None
    np.testing.assert_array_equal(engine.expansion_point.density, orbitals.density())


def test_a_good_guess_saves_fock_builds() -> None:
    engine, orbitals = solved("HF")
    _, again = solve_ground_state(engine, orbitals.density(), 50)
    assert again.total_energy == pytest.approx(orbitals.total_energy, abs=1e-9)
    assert 0 < again.fock_builds < orbitals.fock_builds


@pytest.mark.parametrize("cation", [False, True])
@pytest.mark.parametrize("xc", ["HF", "CAM-B3LYP"])
def test_fitted_integrals_come_first(xc: str, cation: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every build computes its integrals anew; the end is the same."""
    _, expected = solved(xc, cation)
    exact = []

    def counted(integrals: TwoElectron, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        exact.append(not integrals.fits_exchange)
        return coulomb_and_exchange(integrals, density)

    monkeypatch.setattr(ground_state, "_FITTED_FROM", 0)
    monkeypatch.setattr(engine_module, "coulomb_and_exchange", counted)
    engine, found = solve_ground_state(make_engine(water(xc, cation=cation), 0.0), None, 50)
    assert engine.two_electron.is_direct
    assert engine.shift is None
    assert found.total_energy == pytest.approx(expected.total_energy, abs=1e-9)
    np.testing.assert_allclose(found.density(), expected.density(), atol=1e-6)
    assert 0 < sum(exact) < len(exact) / 2
    # Two that correct the fitted ones, and the last two.
    assert sum(exact) <= 5


def test_an_scf_that_does_not_converge_is_reported() -> None:
    """Closed-shell water pulled apart to O-H distances of 10 bohr: the frontier orbitals swap for ever."""
    system = water("PBE")
    geometry = replace(system.geometry, positions=6.0 * system.geometry.positions)
    engine = make_engine(replace(system, geometry=geometry), GIB)
    with pytest.raises(
        NotConverged, match=r"did not converge in 30 iterations \(last energy -7\d\.\d{8} Ha\)"
    ):
        solve_ground_state(engine, None, 30)
