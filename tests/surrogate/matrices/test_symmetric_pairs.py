"""Packing of real symmetric and antisymmetric matrices."""

import numpy as np
from hybrid_propagate.surrogate.matrices.symmetric_pairs import (
    pack_antisymmetric,
    pack_symmetric,
    unpack_antisymmetric,
    unpack_symmetric,
)


def test_packing_keeps_matrices_and_their_products() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal((2, 3, 6, 6))
    for pack, unpack, sign, length in (
        (pack_symmetric, unpack_symmetric, 1, 21),
        (pack_antisymmetric, unpack_antisymmetric, -1, 15),
    ):
        left, right = (matrix + sign * matrix.swapaxes(1, 2) for matrix in (a, b))
        assert pack(left).shape == (3, length)
        np.testing.assert_allclose(unpack(pack(left), 6), left, rtol=1e-15)
        frobenius = np.einsum("bij,bij->b", left, right)
        np.testing.assert_allclose(np.einsum("bi,bi->b", pack(left), pack(right)), frobenius, rtol=1e-12)
