"""Interpolated f_xc is the sum over all points."""

import numpy as np
from hybrid_propagate.adapters.pyscf.quadrature import make_expansion_point, make_kernel, make_quadrature
from hybrid_propagate.surrogate.kernel.pair_interpolation import add_interpolated
from hybrid_propagate.surrogate.kernel.pair_quadrature import PairedOrbitals, add_exchange_correlation
from pyscf import dft, gto


def test_it_is_the_sum_over_points() -> None:
    """Of a large basis as well: turned after the sum over points, rounding left 4e-5."""
    mol = gto.M(atom="O 0 0 0; H 0 0.8 0.6; H 0.1 -0.8 0.6", basis="6-311++G(3df,3pd)", verbose=0)
    ground = dft.RKS(mol, xc="pbe").run()
    quadrature = make_quadrature(mol, "pbe", 1, 2e9)
    kernel = make_kernel(quadrature, make_expansion_point(quadrature, ground.make_rdm1()[None]))
    orbitals, occupied = np.asarray(ground.mo_coeff), mol.nelectron // 2
    a, i = (index.ravel() for index in np.indices((orbitals.shape[1] - occupied, occupied)))
    pairs = PairedOrbitals(0, orbitals, a + occupied, i, slice(0, len(a)))
    summed, interpolated = np.zeros((2, len(a), len(a)))
    add_exchange_correlation(quadrature, kernel, [[pairs]], [summed])
    add_interpolated(quadrature, kernel, [[pairs]], [interpolated])
    assert np.linalg.norm(interpolated - summed) < 2e-6 * np.linalg.norm(summed)
