"""The linear map known on directions: application, order, moments, save and load."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.on_the_fly.directions import BATCH, SETTLED, Directions

D = 12
RNG = np.random.default_rng(0)
#: The map to be learned, symmetric as a Fock response is.
TRUE = RNG.standard_normal((D, D))
TRUE = TRUE + TRUE.T


def learned(n: int, *, exact: bool = False) -> Directions:
    """n directions of random vectors, images under TRUE."""
    map_ = Directions(D)
    for _ in range(n):
        x = RNG.standard_normal(D)
        q, _ = map_.outside(x, map_.q @ x)
        map_.append(q, TRUE @ q, 2.0 * q, exact=exact)
    return map_


def test_exact_on_all_directions_met() -> None:
    map_ = learned(7)
    x = RNG.standard_normal(7) @ map_.q
    np.testing.assert_allclose(map_.apply(x), TRUE @ x, atol=1e-6 * np.linalg.norm(TRUE @ x))
    # What lies outside has no image.
    outside, length = map_.outside(RNG.standard_normal(D), np.zeros(7))
    assert length > 0.0
    assert np.abs(map_.apply(outside)).max() < 1e-6


@pytest.mark.parametrize("size", [1e-30, 1e-8, 1e3])
def test_single_precision_is_relative_to_the_change(size: float) -> None:
    map_ = learned(9)
    x = RNG.standard_normal(9) @ map_.q
    expected = TRUE @ x
    np.testing.assert_allclose(map_.apply(size * x) / size, expected, atol=1e-5 * np.abs(expected).max())


def test_nothing_known_nothing_predicted() -> None:
    np.testing.assert_array_equal(Directions(D).apply(np.ones(D)), np.zeros(D))
    np.testing.assert_array_equal(learned(3).apply(np.zeros(D)), np.zeros(D))


def test_directions_stay_orthonormal_when_nearly_dependent() -> None:
    """Vectors that leave the span by 1e-9 of their length, beyond the first 16 buffered rows too."""
    map_ = Directions(40)
    x = np.random.default_rng(1).standard_normal(40)
    for k in range(30):
        x = x + 1e-9 * np.random.default_rng(k + 2).standard_normal(40)
        q, length = map_.outside(x, map_.q @ x)
        if length > 0.0:
            map_.append(q, q, q, exact=False)
    assert map_.n == 30
    np.testing.assert_allclose(map_.q @ map_.q.T, np.eye(30), atol=1e-12)


def test_a_vector_inside_has_no_part_outside() -> None:
    map_ = learned(D)
    rest, length = map_.outside(np.zeros(D), np.zeros(D))
    assert length == 0.0
    np.testing.assert_array_equal(rest, np.zeros(D))


def test_a_settled_map_is_folded_and_stays_the_same() -> None:
    map_ = learned(10)
    x = RNG.standard_normal(10) @ map_.q
    first = map_.apply(x)
    for _ in range(SETTLED + 5):
        last = map_.apply(x)
    np.testing.assert_allclose(last, first, atol=1e-5 * np.abs(first).max())


def test_principal_directions() -> None:
    """Visits along two of five directions: sorting finds them, largest first, and leaves the map alone."""
    map_ = learned(5)
    strong, weak = np.array([3.0, 4.0, 0, 0, 0]) / 5.0, np.array([0, 0, 0, 0.6, 0.8])
    principal = strong @ map_.q, weak @ map_.q
    before = map_.k.T @ map_.q
    for k in range(2 * BATCH + 7):
        map_.visit((2.0 if k % 2 else -2.0) * strong + 0.1 * weak)
    moments = map_.sort_approximate()
    assert moments[0] == pytest.approx((2 * BATCH + 7) * 4.0, rel=1e-2)
    assert moments[2:] == pytest.approx(np.zeros(3), abs=1e-10)
    assert abs(principal[0] @ map_.q[0]) == pytest.approx(1.0, abs=1e-2)
    assert abs(principal[1] @ map_.q[1]) == pytest.approx(1.0, abs=1e-2)
    np.testing.assert_allclose(map_.k.T @ map_.q, before, atol=1e-12)
    np.testing.assert_allclose(map_.j, 2.0 * map_.q, atol=1e-12)


def test_exact_images_replace_approximate_ones() -> None:
    map_ = Directions(D)
    for row in np.linalg.qr(RNG.standard_normal((D, 4)))[0].T:
        map_.append(row, 0.9 * TRUE @ row, row, exact=False)
    np.testing.assert_allclose(map_.approximate_size, np.linalg.norm(0.9 * TRUE @ map_.q.T, axis=0))
    map_.visit(np.array([0.0, 0.0, 1.0, 0.0]))
    map_.sort_approximate()
    shift, along = map_.make_exact(TRUE @ map_.q[0])
    assert (map_.n, map_.n_exact, map_.n_approximate) == (4, 1, 3)
    np.testing.assert_allclose(shift, 0.1 * TRUE @ map_.q[0])
    np.testing.assert_allclose(map_.apply(map_.q[0]), TRUE @ map_.q[0], atol=1e-5)
    # The others' images are right along the exact direction, and were left alone elsewhere.
    known, rest = map_.q[0], map_.q[1]
    other = 0.9 * TRUE @ rest
    expected = other + known * (0.1 * known @ TRUE @ rest)
    np.testing.assert_allclose(map_.apply(rest), expected, atol=1e-5)
    np.testing.assert_allclose(along, map_.q[1:].T @ (map_.q[1:] @ shift), atol=1e-12)
    new, _ = map_.outside(RNG.standard_normal(D), np.zeros(4))
    new -= map_.q.T @ (map_.q @ new)
    np.testing.assert_allclose(
        known @ map_.completed(new, 0.9 * TRUE @ new), known @ TRUE @ new, rtol=1e-9, atol=1e-12
    )
    with pytest.raises(ValueError, match="cannot follow approximate"):
        map_.append(np.zeros(D), np.zeros(D), np.zeros(D), exact=True)


def test_exact_images_leave_a_symmetric_map_symmetric() -> None:
    """And no farther from the truth than it was; with every direction exact it is the truth."""
    noise = RNG.standard_normal((D, D))
    prior = TRUE + 0.1 * (noise + noise.T)
    map_ = Directions(D)
    for row in np.linalg.qr(RNG.standard_normal((D, D)))[0]:
        map_.append(row, prior @ row, row, exact=False)
    before = np.linalg.norm(prior - TRUE)
    for _ in range(D):
        map_.make_exact(TRUE @ map_.q[map_.n_exact])
        found = map_.k.T @ map_.q
        np.testing.assert_allclose(found, found.T, atol=1e-10)
        now = np.linalg.norm(found - TRUE)
        assert now < before
        before = now
    assert before < 1e-10


@pytest.mark.parametrize("n_products", [3, SETTLED + 3])
def test_save_and_load(n_products: int) -> None:
    map_ = learned(8)
    x = RNG.standard_normal(D)
    for _ in range(n_products):
        map_.apply(x)
        map_.visit(map_.q @ x)
    again = Directions(D)
    again.load("x", {name: array.copy() for name, array in map_.save("x").items()})
    np.testing.assert_array_equal(again.apply(x), map_.apply(x))
    np.testing.assert_array_equal(again.sort_approximate(), map_.sort_approximate())
    np.testing.assert_array_equal(again.q, map_.q)
    assert (again.n, again.n_exact) == (map_.n, map_.n_exact)
