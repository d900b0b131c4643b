"""Points that a minimum of the density passes: the grid's jumps are theirs."""

import numpy as np
import scipy.linalg
from hybrid_propagate.adapters.pyscf.beyond_first_order import beyond_first_order, matrix_beyond
from hybrid_propagate.adapters.pyscf.quadrature import quadrature_on
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import (
    PointSource,
    on_points,
    real_out,
    rotations,
)
from hybrid_propagate.surrogate.nonlinear.tail import PER_ATOM, passed_by_minima
from point_sources import lithium_hydride


def test_without_few_points_of_the_tail_the_potential_is_smooth() -> None:
    """Lithium hydride's electrons pulled along its axis, a little further each time."""
    fine, basis, density = lithium_hydride()
    ground = basis.density_in(density)
    dipole = basis.fock_in(fine.mol.intor_symmetric("int1e_r")[2:])
    pull = (ground @ dipole - dipole @ ground)[0]
    moved = []
    for s in np.linspace(-0.3, 0.0, 60) / np.linalg.norm(pull):
        turned = scipy.linalg.expm(s * pull)
        moved.append(real_out(basis, turned @ ground @ turned.T - ground))
    part = beyond_first_order(fine, density, whole=True)
    tail = passed_by_minima(part, moved[::5])
    assert tail.sum() == 2 * PER_ATOM < 0.1 * len(tail)
    rest = quadrature_on(fine.mol, fine.xc, fine.coords[~tail], fine.weights[~tail], np.inf)
    without = beyond_first_order(rest, density, whole=True)
    jumps = [
        float(np.linalg.norm(np.diff([matrix_beyond(one, change) for change in moved], n=4, axis=0)))
        for one in (part, without)
    ]
    assert jumps[1] < 0.2 * jumps[0]


def test_points_learned_anew_have_them_beside_them() -> None:
    fine, basis, density = lithium_hydride()
    ground = basis.density_in(density).astype(complex)
    visited = rotations(ground, 16, np.random.default_rng(7))
    poor = on_points(fine, basis, density, (fine.coords[::90], 90.0 * fine.weights[::90]), whole=True)
    better = PointSource(fine, basis, density, ground, 1e-2, 1e-2, 0.02).better(poor, visited)
    assert better is not None
    changes = [real_out(basis, change) for change in visited]
    tail = passed_by_minima(beyond_first_order(fine, density), changes)
    own = {tuple(row) for row in np.column_stack([better.coords, better.weights])}
    assert {tuple(row) for row in np.column_stack([fine.coords[tail], fine.weights[tail]])} <= own
    assert len(own) > tail.sum()
