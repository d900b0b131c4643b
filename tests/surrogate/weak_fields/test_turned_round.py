"""The operation that turns weak motion round, by hand for D2h, C2v and the signs of orbitals."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.matrices.occupied_empty import occupied_empty
from hybrid_propagate.surrogate.weak_fields.turned_round import EXACT, turned, turning_signs

#: As PySCF numbers them, of D2h and C2v: x, y and z are odd under inversion, and z even under both planes.
D2H, C2V = {"x": 7, "y": 6, "z": 5}, {"x": 2, "y": 3, "z": 0}
IRREPS = np.array([[0, 2, 3, 0, 1, 2]])
STILL = np.zeros((1, 6, 6))


@pytest.mark.parametrize("axes", ["x", "y", "z", "xy", "xyz"])
def test_inversion_turns_what_dipoles_move_round(axes: str) -> None:
    irreps = np.array([[0, 1, 2, 3, 4, 5, 6, 7]])
    signs = turning_signs(irreps, {D2H[axis] for axis in axes}, np.zeros((1, 8, 8)))
    assert signs is not None
    for axis in axes:
        partner = irreps[0] ^ D2H[axis]
        np.testing.assert_array_equal(signs[0] * signs[0, partner], -1.0)


def test_a_plane_turns_what_lies_across_it_round() -> None:
    """Not what lies in it, and nothing turns x and z round at once; x and y the axis does."""
    signs = turning_signs(IRREPS, {C2V["x"]}, STILL)
    assert signs is not None
    assert set(signs[0, [0, 3]]) == {1.0}
    assert set(signs[0, [1, 5]]) == {-1.0}
    assert turning_signs(IRREPS, {C2V["z"]}, STILL) is None
    assert turning_signs(IRREPS, {C2V["x"], C2V["z"]}, STILL) is None
    both = turning_signs(IRREPS, {C2V["x"], C2V["y"]}, STILL)
    assert both is not None
    np.testing.assert_array_equal(both[0], [1.0, -1.0, -1.0, 1.0, 1.0, -1.0])


def test_nothing_is_turned_round_without_symmetry() -> None:
    """Nor where nothing moves, or F connects irreps by more than rounding."""
    assert turning_signs(np.zeros((1, 6), int), {0}, STILL) is None
    assert turning_signs(IRREPS, set(), STILL) is None
    fock = STILL.copy()
    fock[0, 0, 1] = fock[0, 1, 0] = 0.5 * EXACT
    assert turning_signs(IRREPS, {C2V["x"]}, fock) is not None
    assert turning_signs(IRREPS, {C2V["x"]}, 4.0 * fock) is None


def test_pairs_have_the_product_of_their_orbitals_signs() -> None:
    density = np.diag([2.0, 2.0, 0.0, 0.0])[None]
    pairs = occupied_empty(density, np.arange(4.0)[None])
    signs = np.array([[1.0, -1.0, -1.0, 1.0]])
    # In order of a, then i: (2, 0), (2, 1), (3, 0), (3, 1).
    np.testing.assert_array_equal(turned(signs, pairs), [-1.0, 1.0, 1.0, -1.0])
