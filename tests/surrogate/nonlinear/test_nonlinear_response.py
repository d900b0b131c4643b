"""Points learned for a molecule: few, the same every time, good on rotations they were not learned from."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.beyond_first_order import beyond_first_order
from hybrid_propagate.surrogate.nonlinear import nonlinear_response
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import held_out_error, on_points, rotations
from point_sources import learned, source
from pyscf import dft

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
    assert (response.weights > 0.0).all()


def test_a_grid_without_learning_needs_many_more() -> None:
    given, response = source("PBE0"), learned("PBE0")
    grids = dft.gen_grid.Grids(given.fine.mol)
    grids.atom_grid = (16, 38)
    grids.build()
    assert grids.weights.size > 2 * len(response.weights)
    plain = on_points(given.fine, given.basis, given.density, (grids.coords, grids.weights), np.nan)
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


def test_points_that_are_no_good_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonlinear_response, "USELESS", 1e-6)
    assert source("PBE0").make() is None


def test_rotations_keep_occupations_and_have_the_sizes_asked() -> None:
    ground = source("LDA", True).ground
    for change in rotations(ground, 5, np.random.default_rng(2)):
        turned = ground + change
        assert np.linalg.eigvalsh(turned) == pytest.approx(np.linalg.eigvalsh(ground), abs=1e-10)
        assert 0.02 < np.linalg.norm(change) < 1.5
