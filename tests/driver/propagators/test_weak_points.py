"""Sums over elements of a density, from its pairs alone."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.driver.propagators import pair_traces
from hybrid_propagate.driver.propagators.weak_points import Sides, WeakPoints
from hybrid_propagate.surrogate.matrices.occupied_empty import occupied_empty

M = 7


def points(n_spin: int, kept: int) -> WeakPoints:
    """Five points of some pairs, the others still; the start is not made of pairs alone."""
    rng = np.random.default_rng(n_spin)
    occupations = np.zeros((n_spin, M))
    for spin in range(n_spin):
        occupations[spin, : 3 - spin] = 2.0 / n_spin
    density = occupations[:, :, None] * np.eye(M)
    every = occupied_empty(density, np.tile(np.arange(M), (n_spin, 1)).astype(float))
    moved = np.sort(rng.permutation(every.n_pairs)[:kept])
    at_rest = 1e-2 * rng.standard_normal(every.n_pairs)
    at_rest[moved] = 0.0
    filled = tuple(np.flatnonzero(own) for own in occupations)
    free = tuple(np.flatnonzero(own == 0.0) for own in occupations)
    sides = Sides(every.some(moved), every.matrix(at_rest), filled, free)
    eta = 1e-2 * (rng.standard_normal((6, kept)) + 1j * rng.standard_normal((6, kept)))
    start = density + 1e-3 * rng.standard_normal(density.shape) * 1j
    return WeakPoints(sides, start, eta)


@pytest.mark.parametrize("most", [(0, 0), (0, 1000), (1000, 0)])
@pytest.mark.parametrize("imaginary", [False, True])
@pytest.mark.parametrize("n_spin", [1, 2])
def test_traces_are_those_of_densities(
    n_spin: int, imaginary: bool, most: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By densities, by a full matrix and by few elements; irreps are kept apart by the first matrix alone."""
    monkeypatch.setattr(pair_traces, "MOST_ELEMENTS", most[0])
    monkeypatch.setattr(pair_traces, "MOST_FULL", most[1])
    given = points(n_spin, 5)
    matrices = np.random.default_rng(5).standard_normal((2, n_spin, M, M))
    matrices[0] *= np.add.outer(np.arange(M), np.arange(M)) % 2 == 0
    matrices = matrices + (-1.0 if imaginary else 1.0) * matrices.swapaxes(2, 3)
    densities = given(0, len(given))
    part = np.imag(densities) if imaginary else np.real(densities)
    expected = np.einsum("csij,ksij->kcs", matrices, part)
    found = given.traces(matrices, imaginary=imaginary)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    later = given.part(2, 4).traces(matrices, imaginary=imaginary)
    np.testing.assert_allclose(later, expected[2:4], rtol=0, atol=1e-13)


@pytest.mark.parametrize("n_spin", [1, 2])
def test_blocks_are_those_of_densities(n_spin: int) -> None:
    given = points(n_spin, 5)
    flat = np.real(given.sides.still).any(axis=0)
    occupations = [len(own) for own in given.sides.filled]
    density = np.array([np.diag([2.0 / n_spin] * n + [0.0] * (M - n)) for n in occupations])
    every = occupied_empty(density, np.tile(np.arange(M), (n_spin, 1)).astype(float))
    assert flat.any()
    expected = every.block(given(0, len(given)))
    some, least = np.array([0, 2, 3]), 1e-7 * np.abs(expected).max()
    np.testing.assert_allclose(given.block(every, some), expected[some], rtol=0, atol=least)
    unstarted = replace(given, start=None)
    np.testing.assert_allclose(unstarted.block(every, some[1:]), expected[some[1:]], rtol=0, atol=least)
