"""The orbital absorbing potential against its formula, state by state."""

import numpy as np
from hybrid_propagate.adapters.system import MOCap
from hybrid_propagate.driver.propagators.absorbing_potential import absorbing_potential


def test_damping_of_each_state() -> None:
    """γ = prefac (exp(expconst (ε - emin)) - 1) above emin, at most maxval, none below."""
    energies = np.array([-20.0, -0.5, 0.5, 0.6, 2.0, 1000.0])
    rng = np.random.default_rng(0)
    U = np.linalg.qr(rng.standard_normal((6, 6)) + 1j * rng.standard_normal((6, 6)))[0]
    cap = MOCap(expconst=1.5, emin=0.5, prefac=0.25, maxval=2.0)
    gamma = absorbing_potential(((U * energies) @ U.conj().T)[None], cap)[0]
    expected = [0.0, 0.0, 0.0, 0.25 * np.expm1(0.15), 2.0, 2.0]
    np.testing.assert_allclose(U.conj().T @ gamma @ U, np.diag(expected), atol=1e-11)


def test_each_spin_has_its_own_states() -> None:
    fock = np.array([np.diag([0.0, 1.0]), np.diag([2.0, 0.0])])
    gamma = absorbing_potential(fock, MOCap(emin=0.0))
    np.testing.assert_allclose(gamma[0], np.diag([0.0, np.expm1(1.0)]), atol=1e-14)
    np.testing.assert_allclose(gamma[1], np.diag([np.expm1(2.0), 0.0]), atol=1e-14)
