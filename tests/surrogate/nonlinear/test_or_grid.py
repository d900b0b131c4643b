"""The functional on ever finer grids."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.quadrature import make_quadrature
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import BETTER, NonlinearResponse, rotations
from hybrid_propagate.surrogate.nonlinear.or_grid import PointsOrGrid
from point_sources import source


def on_grids(grid: str, level: int) -> PointsOrGrid:
    """Water, PBE0/STO-3G, the reference on a grid of that level."""
    points = source("pbe0")
    fine = make_quadrature(points.fine.mol, points.fine.xc, level, np.inf)
    return PointsOrGrid(replace(points, fine=fine, whole=True), grid, worth=False)


def test_each_grid_that_is_better_is_finer_up_to_the_references_own() -> None:
    grids = on_grids("medium", 3)
    made: NonlinearResponse | None = grids.make()
    found = []
    while made is not None:
        assert made.whole
        found.append((len(made.weights), made.error))
        made = grids.better(made, [])
    sizes, errors = zip(*found, strict=True)
    assert 2 <= len(found) <= 3
    assert list(sizes) == sorted(set(sizes))
    assert all(later < BETTER * error for error, later in pairwise(errors))
    assert errors[0] > 0.0 == errors[-1]
    assert sizes[-1] == len(grids.learned.fine.weights)


def test_no_grid_is_finer_than_the_references() -> None:
    grids = on_grids("xcoarse", 0)
    made = grids.make()
    assert made.error == 0.0
    assert grids.better(made, []) is None
    assert len(grids.coarse(3).weights) == len(made.weights)


def test_where_learning_is_worth_it_points_come_first() -> None:
    grids = replace(on_grids("medium", 3), worth=True)
    made = grids.make()
    assert len(made.weights) < len(grids.coarse(0).weights)
    visited = rotations(grids.learned.ground, 8, np.random.default_rng(5))
    better = grids.better(made, visited)
    assert better is not None
    assert better.error < made.error


@pytest.mark.parametrize("level", [0, 1, 3])
def test_points_that_were_kept_are_the_same(level: int) -> None:
    grids = on_grids("medium", 3)
    made = replace(grids.coarse(level), error=0.25)
    again = grids.again(made.points())
    np.testing.assert_array_equal(again.weights, made.weights)
    assert again.error == 0.25
    assert again.whole
    # The reference's own values are not made twice.
    assert (again.part.quadrature is grids.learned.fine) == (level == 3)
