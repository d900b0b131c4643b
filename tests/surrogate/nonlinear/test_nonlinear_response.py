"""Points learned for a molecule: few, the same every time, good on rotations they were not learned from."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.beyond_first_order import beyond_first_order
from hybrid_propagate.surrogate.nonlinear import nonlinear_response
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import (
    first_order_fails,
    held_out_error,
    learning_grid,
    on_points,
    real_out,
    rotations,
)
from point_sources import learned, lithium_hydride, source
from pyscf import dft
from scipy.spatial import KDTree

CASES = pytest.mark.parametrize(
    ("xc", "cation"), [("PBE0", False), ("TPSS", False), ("LDA", True)], ids=["PBE0", "TPSS", "open shell"]
)


@CASES
def test_few_points_do_what_the_whole_grid_does(xc: str, cation: bool) -> None:
    given, response = source(xc, cation), learned(xc, cation)
    held_out = rotations(given.ground, 6, np.random.default_rng(99))
    error = held_out_error(response, beyond_first_order(given.fine, given.density), held_out)
    assert error < 2e-2
    assert response.error <= given.wanted
    assert len(response.weights) < 0.05 * given.fine.weights.size
    # Factors are positive; some of the grid's own weights are not, as some Lebedev sets have it.
    grid = learning_grid(given.fine)
    assert (grid is given.fine) == (xc == "TPSS")
    apart, own = KDTree(grid.coords).query(response.coords)
    assert apart.max() < 1e-12
    assert (response.weights * grid.weights[own] > 0.0).all()


def test_a_grid_without_learning_needs_many_more() -> None:
    given, response = source("PBE0"), learned("PBE0")
    grids = dft.gen_grid.Grids(given.fine.mol)
    grids.atom_grid = (16, 38)
    grids.build()
    assert grids.weights.size > 2 * len(response.weights)
    plain = on_points(given.fine, given.basis, given.density, (grids.coords, grids.weights))
    held_out = rotations(given.ground, 6, np.random.default_rng(99))
    fine = beyond_first_order(given.fine, given.density)
    assert held_out_error(plain, fine, held_out) > 2.0 * held_out_error(response, fine, held_out)


def test_the_same_points_every_time_and_from_what_was_kept() -> None:
    given, response = source("PBE0"), learned("PBE0")
    told: list[tuple[str, float]] = []
    again = replace(given, tell=lambda *said: told.append(said)).make()
    kept = given.again(response.points())
    change = rotations(given.ground, 1, np.random.default_rng(4))[0]
    assert again is not None
    for other in (again, kept):
        assert np.array_equal(other.points(), response.points())
        assert np.array_equal(other(change), response(change))
    assert [words for words, _ in told][:3] == [f"learning points, atom {k} of 3" for k in (1, 2, 3)]
    assert [words for words, _ in told][3] == "learning points, 100 an atom"
    assert [share for _, share in told] == sorted({share for _, share in told})
    assert response.energies(change[None]) == pytest.approx(kept.energies(change[None]), abs=0.0)


def test_points_carried_along_are_used_where_they_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    given, points = source("PBE0"), learned("PBE0").points()
    wrong = points * np.array([1.0, 1.0, 1.0, 1.5, 1.0, 1.0])
    anew = replace(given, carried=wrong).make()
    assert anew is not None
    assert np.array_equal(anew.points(), points)
    monkeypatch.setattr(nonlinear_response, "cell_rows", None)
    kept = replace(given, carried=points, wanted=2e-2).make()
    assert kept is not None
    assert np.array_equal(kept.points()[:, :4], points[:, :4])


def test_points_that_are_no_good_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonlinear_response, "USELESS", 1e-6)
    assert source("PBE0").make() is None


def test_points_are_better_where_they_were_learned() -> None:
    """Motions of one generator, as a run along one field is: most that find better points halve the error.

    Which points are drawn, rounding decides; some motions find no better ones.
    """
    given, response = source("PBE0"), learned("PBE0")
    fine = beyond_first_order(given.fine, given.density)
    ratios = []
    for seed in range(11, 18):
        end = rotations(given.ground, 1, np.random.default_rng(seed))[0]
        values, orbitals = np.linalg.eigh(given.ground + end)
        occupied = orbitals[0][:, values[0] > 1.0]
        visited = []
        for s in np.linspace(0.2, 2.0, 16):
            mixed = (1.0 - s) * np.eye(len(occupied))[:, : occupied.shape[1]] + s * occupied
            orthonormal = np.linalg.qr(mixed)[0]
            visited.append((2.0 * orthonormal @ orthonormal.conj().T)[None] - given.ground)
        better = given.better(response, visited)
        between = [0.5 * (a + b) for a, b in itertools.pairwise(visited)]
        if better is not None:
            errors = [held_out_error(one, fine, between) for one in (better, response)]
            ratios.append(errors[0] / errors[1])
    assert len(ratios) >= 2
    assert np.median(ratios) < 0.5


def test_the_first_order_is_left_in_where_it_fails() -> None:
    """Lithium hydride's f_xc in the tail makes the linear response several times the true one."""
    fine, basis, density = lithium_hydride()
    ground = basis.density_in(density).astype(complex)
    changes = np.array([real_out(basis, c) for c in rotations(ground, 4, np.random.default_rng(1))])
    assert first_order_fails(beyond_first_order(fine, density), changes)
    water = source("PBE0")
    changes = np.array(
        [real_out(water.basis, c) for c in rotations(water.ground, 4, np.random.default_rng(1))]
    )
    assert not first_order_fails(beyond_first_order(water.fine, water.density), changes)


def test_rotations_keep_occupations_and_have_the_sizes_asked() -> None:
    ground = source("LDA", True).ground
    for change in rotations(ground, 5, np.random.default_rng(2)):
        turned = ground + change
        assert np.linalg.eigvalsh(turned) == pytest.approx(np.linalg.eigvalsh(ground), abs=1e-10)
        assert 0.02 < np.linalg.norm(change) < 1.5
