"""One of a point's mirror images is enough, where nuclei, grid and orbitals have them."""

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.quadrature import Quadrature, make_quadrature
from hybrid_propagate.surrogate.kernel import mirror_images
from hybrid_propagate.surrogate.kernel.mirror_images import distinct_points, operations_of, orbital_signs
from hybrid_propagate.surrogate.kernel.pair_quadrature import PairedOrbitals, add_exchange_correlation
from pyscf import gto, scf
from pyscf_systems import GIB

LAYING = "O 0 0 0.12; H 0 0.76 -0.48; H 0 -0.76 -0.48"
TILTED = "O 0 0 0.12; H 0.1 0.75 -0.48; H -0.3 -0.76 -0.40"
ETHYLENE = "C 0.67 0 0; C -0.67 0 0; H 1.23 0.92 0; H 1.23 -0.92 0; H -1.23 0.92 0; H -1.23 -0.92 0"


def grid(atoms: str, level: int = 0) -> Quadrature:
    return make_quadrature(gto.M(atom=atoms, basis="sto-3g", verbose=0), "pbe", level, GIB)


@pytest.mark.parametrize(("atoms", "order"), [(LAYING, 4), (TILTED, 1), (ETHYLENE, 8)])
def test_operations_take_the_nuclei_into_themselves(atoms: str, order: int) -> None:
    quadrature = grid(atoms)
    operations = operations_of(quadrature.mol)
    assert len(operations) == order
    found = distinct_points(quadrature, operations, [quadrature.weights])
    assert found.images.sum() == len(quadrature.coords)
    assert len(found.numbers) < 1.6 * len(quadrature.coords) / order
    # What no operation changes has the same integral.
    x, y, z = quadrature.coords.T
    integrand = quadrature.weights * np.exp(-(x**2) - y**2) * np.cos(z if order < 8 else z**2)
    whole, part = integrand.sum(), found.images @ integrand[found.numbers]
    assert part == pytest.approx(whole, abs=1e-10)


def test_where_the_grid_has_no_images_every_point_counts() -> None:
    quadrature = grid(LAYING)
    lopsided = quadrature.weights * (1.0 + 1e-3 * quadrature.coords[:, 1])
    found = distinct_points(quadrature, operations_of(quadrature.mol), [quadrature.weights, lopsided])
    assert len(found.numbers) == len(quadrature.coords)
    assert set(found.images) == {1.0}


def test_orbitals_show_their_signs() -> None:
    quadrature = grid(LAYING)
    operations = operations_of(quadrature.mol)
    # 1s, 2s, 2px, 2py, 2pz of oxygen; then a hydrogen alone, which no plane keeps but its own.
    signs = orbital_signs(quadrature, operations, np.eye(7)[:, :6])
    np.testing.assert_array_equal(signs[:, :2], 1.0)
    for axis in (0, 1):
        np.testing.assert_array_equal(signs[:, 2 + axis], operations[:, axis])
    np.testing.assert_array_equal(signs[:, 5], np.where(operations[:, 1] == 1.0, 1.0, 0.0))


@pytest.mark.parametrize("atoms", [LAYING, TILTED, ETHYLENE])
def test_the_matrix_is_that_of_all_points(atoms: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quadrature = grid(atoms)
    coefficients = scf.RHF(quadrature.mol).run().mo_coeff
    n_occupied = quadrature.mol.nelectron // 2
    signs = orbital_signs(quadrature, operations_of(quadrature.mol), coefficients)
    a, i = (index.ravel() for index in np.indices((len(coefficients), n_occupied)))
    own = np.flatnonzero((a >= n_occupied) & (signs[:, a] * signs[:, i] == 1.0).all(axis=0))
    pairs = PairedOrbitals(0, coefficients, a[own], i[own], slice(0, len(own)))
    # As f_xc does, it keeps to the symmetry: ρρ, and between components of the gradient along one distance.
    distance = quadrature.coords - mirror_images.centre_of(quadrature.mol)
    kernel = np.zeros((1, 4, 1, 4, len(distance)))
    kernel[0, 0, 0, 0] = quadrature.weights
    kernel[0, 1:, 0, 1:] = quadrature.weights * distance.T[:, None] * distance.T
    with_images, all_points = np.zeros((2, len(own), len(own)))
    add_exchange_correlation(quadrature, kernel, [[pairs]], [with_images])
    monkeypatch.setattr(mirror_images, "_OPERATIONS", np.ones((1, 3)))
    add_exchange_correlation(quadrature, kernel, [[pairs]], [all_points])
    scale = float(np.abs(all_points).max())
    assert scale > 0.1
    np.testing.assert_allclose(with_images, all_points, rtol=0, atol=1e-5 * scale)
    np.testing.assert_allclose(all_points, all_points.T, rtol=0, atol=1e-5 * scale)
