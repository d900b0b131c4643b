"""Cholesky vectors against the integrals themselves."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.kernel.cholesky_vectors import TOLERANCE, VECTORS, cholesky_vectors
from pyscf import ao2mo, gto

WATER = gto.M(atom="O 0 0 0; H 0 0.76 0.59; H 0.1 -0.75 0.6", basis="cc-pvdz", verbose=0)


@pytest.mark.parametrize("omega", [None, 0.33])
@pytest.mark.parametrize("cart", [False, True])
def test_products_are_the_integrals(omega: float | None, cart: bool) -> None:
    mol = WATER.copy()
    mol.cart = cart
    mol.build()
    vectors = np.concatenate(cholesky_vectors(mol, omega))
    with mol.with_range_coulomb(omega):
        integrals = ao2mo.restore(4, mol.intor("int2e", aosym="s8"), mol.nao)
    assert np.abs(vectors.T @ vectors - integrals).max() < 1.01 * TOLERANCE
    assert len(vectors) < VECTORS * mol.nao
