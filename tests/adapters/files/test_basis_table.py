"""The table of basis functions."""

import numpy as np
from hybrid_propagate.adapters.files.basis_table import basis_table
from pyscf import gto


def test_basis_table_of_a_contracted_basis() -> None:
    """6-31G hydrogen by the numbers of Ditchfield, Hehre and Pople (1971), as libraries print them."""
    table = basis_table(gto.M(atom="H 0 0 0; F 0 0 0.9", basis="6-31g", verbose=0))
    np.testing.assert_allclose(table.exponents[0, :3], [18.7311370, 2.8253937, 0.6401217])
    np.testing.assert_allclose(table.coefficients[0, :3], [0.03349460, 0.23472695, 0.81375733], atol=1e-6)
    assert table.exponents[1].tolist() == [0.1612778, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert table.atom_index.tolist() == [0] * 2 + [1] * 9
    assert table.angular_momentum.tolist() == [0, 0, 0, 0, 0, *[1] * 6]
    assert table.magnetic_quantum.tolist() == [0, 0, 0, 0, 0, 1, -1, 0, 1, -1, 0]
