"""Packing of Hermitian matrices: there and back, and products kept."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.matrices.packing import make_packing, pack, unpack


def hermitian(n_spin: int, m: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n_spin, m, m)) + 1j * rng.standard_normal((n_spin, m, m))
    return A + A.conj().swapaxes(1, 2)


@pytest.mark.parametrize(("n_spin", "m"), [(1, 1), (1, 7), (2, 2), (2, 6)])
def test_there_and_back(n_spin: int, m: int) -> None:
    packing = make_packing(np.zeros((n_spin, m), int))
    A = hermitian(n_spin, m, 1)
    x, y = pack(packing, A)
    assert x.shape == (packing.n_real,) == (n_spin * m * (m + 1) // 2,)
    assert y.shape == (packing.n_imag,) == (n_spin * m * (m - 1) // 2,)
    np.testing.assert_allclose(unpack(packing, x, y), A, atol=1e-15)


@pytest.mark.parametrize(("n_spin", "m"), [(1, 7), (2, 6)])
def test_frobenius_products_become_dot_products(n_spin: int, m: int) -> None:
    packing = make_packing(np.zeros((n_spin, m), int))
    A, B = hermitian(n_spin, m, 1), hermitian(n_spin, m, 2)
    (xa, ya), (xb, yb) = pack(packing, A), pack(packing, B)
    assert xa @ xb == pytest.approx(np.vdot(A.real, B.real), rel=1e-13)
    assert ya @ yb == pytest.approx(np.vdot(A.imag, B.imag), rel=1e-13)
    assert xa @ xb + ya @ yb == pytest.approx(np.vdot(A, B).real, rel=1e-13)


def test_views_that_are_not_contiguous() -> None:
    packing = make_packing(np.zeros((1, 5), int))
    A = hermitian(1, 5, 3)
    for one, other in zip(pack(packing, A.swapaxes(1, 2)), pack(packing, A.conj()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_any_vector_is_a_hermitian_matrix() -> None:
    packing = make_packing(np.zeros((2, 4), int))
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal(packing.n_real), rng.standard_normal(packing.n_imag)
    A = unpack(packing, x, y)
    np.testing.assert_array_equal(A, A.conj().swapaxes(1, 2))
    for one, other in zip(pack(packing, A), (x, y), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-15)
