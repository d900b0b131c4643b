"""The working basis: transformations there and back, and what it has in common with NWChem's."""

import numpy as np
import pytest
from hybrid_propagate.adapters.engine import Integrals
from hybrid_propagate.adapters.working_basis import (
    LINEAR_DEPENDENCE,
    WorkingBasis,
    canonical_orthogonalisation,
    make_working_basis,
)
from pyscf_systems import excited_density, solved


@pytest.fixture(params=[False, True], ids=["closed shell", "open shell"])
def case(request: pytest.FixtureRequest) -> tuple[WorkingBasis, np.ndarray, np.ndarray, np.ndarray]:
    """Basis, overlap, Fock matrix, complex density of water."""
    engine, orbitals = solved("HF", request.param)
    fock = engine.fock(orbitals.density().astype(complex)).fock.real
    basis = make_working_basis(engine.integrals, fock)
    return basis, engine.integrals.overlap, fock, excited_density(engine, orbitals, 0.2)


def test_orthonormal_and_diagonal(case) -> None:
    basis, S, F, _ = case
    C = basis.coefficients
    one = np.broadcast_to(np.eye(basis.n_functions), C.shape)
    np.testing.assert_allclose(C.transpose(0, 2, 1) @ S @ C, one, atol=1e-11)
    np.testing.assert_allclose(basis.dual @ C, one, atol=1e-11)
    np.testing.assert_allclose(basis.fock_in(F), basis.energies[:, :, None] * one, atol=1e-10)


def test_densities_there_and_back(case) -> None:
    basis, S, F, P = case
    inside = basis.density_in(P)
    np.testing.assert_allclose(basis.density_out(inside), P, atol=1e-11)
    traces = np.trace(inside, axis1=1, axis2=2)
    np.testing.assert_allclose(traces, np.einsum("smn,nm->s", P, S), atol=1e-11)
    # Tr F P is the same in every basis.
    assert np.vdot(basis.fock_in(F), inside) == pytest.approx(np.vdot(F, P), rel=1e-12)


def test_nwchems_canonical_basis(case) -> None:
    """X = U s^(-1/2); P' in it is Y^† P Y with Y = U s^(1/2)."""
    basis, S, _, P = case
    s, U = np.linalg.eigh(S)
    Y = U * np.sqrt(s)
    expected = Y.T @ P @ Y
    turn = basis.to_canonical
    turned = turn @ basis.density_in(P) @ turn.transpose(0, 2, 1)
    np.testing.assert_allclose(np.abs(turned), np.abs(expected), atol=1e-11)


def test_linearly_dependent_functions_are_dropped() -> None:
    """Three functions, two of which differ by less than the threshold: s = 1 - 0.9999999, dropped; 2 stay."""
    overlap = np.array([[1.0, 0.9999999, 0.1], [0.9999999, 1.0, 0.1], [0.1, 0.1, 1.0]])
    X = canonical_orthogonalisation(overlap, np.ones(3))
    assert X.shape == (3, 2)
    np.testing.assert_allclose(X.T @ overlap @ X, np.eye(2), atol=1e-12)
    nothing = (np.zeros((3, 3)), np.zeros((3, 3, 3)), np.zeros((3, 3, 3, 3)), np.zeros(3), 0.0)
    basis = make_working_basis(
        Integrals(overlap, *nothing, np.ones(3), nothing[1]), np.diag([-1.0, -1.0, 0.5])[None]
    )
    assert basis.n_functions == 2
    # A density inside the kept span survives the round trip.
    P = X @ np.array([[1.0, 0.3], [0.3, 0.5]]) @ X.T
    np.testing.assert_allclose(basis.density_out(basis.density_in(P[None])), P[None], atol=1e-10)
    assert LINEAR_DEPENDENCE == 1e-5
