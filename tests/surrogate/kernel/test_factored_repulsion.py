"""Vectors of three indices between orbitals, against the products of matrices that they are."""

import numpy as np
from hybrid_propagate.surrogate.kernel.factored_repulsion import orbital_factors
from hybrid_propagate.surrogate.kernel.pair_integrals import Rectangle


def test_functions_that_almost_depend_on_each_other() -> None:
    """Coefficients of up to 300 do not magnify the rounding to single precision."""
    rng, n, occupied = np.random.default_rng(5), 30, 8
    axes = np.linalg.qr(rng.standard_normal((n, n)))[0]
    overlaps = np.geomspace(1.0, 1e-5, n)
    coefficients = axes / np.sqrt(overlaps)
    expected = rng.standard_normal((12, n, n))
    expected += expected.swapaxes(1, 2)
    back = axes * np.sqrt(overlaps)
    lower = np.tril_indices(n)
    vectors = (back @ expected @ back.T)[:, *lower]
    n_empty = n - occupied
    places = np.arange(n_empty * occupied).reshape(n_empty, occupied)
    block = [Rectangle(0, coefficients[:, occupied:], coefficients[:, :occupied], 0, 0, places)]
    found = orbital_factors([vectors[:5], vectors[5:]], [block]).of_pairs(block, n_empty * occupied)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected[:, occupied:, :occupied].reshape(12, -1), rtol=0, atol=1e-6)
