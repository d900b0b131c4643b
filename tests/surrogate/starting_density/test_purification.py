"""Purified densities: idempotent, of the right trace, as near as can be; and the errors they report."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.starting_density.purification import density_of_fock, purify

OCCUPIED = (3, 2)


def overlap_and_density(n: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """A random overlap matrix and two idempotent densities, of 3 and 2 electrons."""
    rng = np.random.default_rng(4)
    A = rng.standard_normal((n, n))
    S = A @ A.T + n * np.eye(n)
    s, u = np.linalg.eigh(S)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    C = (u / np.sqrt(s)) @ u.T @ Q
    return S, np.array([C[:, :k] @ C[:, :k].T for k in OCCUPIED])


def test_an_idempotent_density_stays() -> None:
    S, P = overlap_and_density()
    found = purify(P, S, OCCUPIED)
    np.testing.assert_allclose(found.density, P, atol=1e-13)
    assert found.electron_error < 1e-12
    assert found.idempotency_error < 1e-12
    assert found.gap == pytest.approx(1.0)
    total = purify(2 * P[:1], S, OCCUPIED[:1])
    np.testing.assert_allclose(total.density, 2 * P[:1], atol=1e-13)


def test_errors_are_those_of_the_occupations() -> None:
    """All occupations 0.9: a tenth of each electron is missing, and |0.81 - 0.9| √3 / √3 = 0.09."""
    S, P = overlap_and_density()
    found = purify(0.9 * P, S, OCCUPIED)
    np.testing.assert_allclose(found.density, P, atol=1e-13)
    assert found.electron_error == pytest.approx(0.3)
    assert found.idempotency_error == pytest.approx(0.09)
    assert found.gap == pytest.approx(0.9)
    assert purify(1.8 * P[:1], S, OCCUPIED[:1]).electron_error == pytest.approx(0.6)


def test_noise_is_projected_out() -> None:
    """The projection is idempotent and no further from the truth than the noisy density was."""
    S, P = overlap_and_density()
    noise = 1e-3 * np.random.default_rng(1).standard_normal(P.shape)
    found = purify(P + noise, S, OCCUPIED)
    for pure, k in zip(found.density, OCCUPIED, strict=True):
        np.testing.assert_allclose(pure @ S @ pure, pure, atol=1e-13)
        assert np.vdot(pure, S) == pytest.approx(k)
    assert np.linalg.norm(found.density - P) < np.linalg.norm(noise)
    assert 0 < found.idempotency_error < 0.1


def test_the_density_of_a_fock_matrix_commutes_with_it() -> None:
    S, _ = overlap_and_density()
    F = np.random.default_rng(2).standard_normal((2, *S.shape))
    F += F.transpose(0, 2, 1)
    for f, P, k in zip(F, density_of_fock(F, S, OCCUPIED), OCCUPIED, strict=True):
        np.testing.assert_allclose(f @ P @ S, S @ P @ f, atol=1e-12)
        assert np.vdot(P, S) == pytest.approx(k)
