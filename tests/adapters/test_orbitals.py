"""Orbitals put together from fragments."""

import numpy as np
import pytest
from hybrid_propagate.adapters.engine import Integrals
from hybrid_propagate.adapters.orbitals import Orbitals, assemble_fragments


def fragment(coefficients: list[list[float]], energies: list[float], occupations: list[float]) -> Orbitals:
    return Orbitals(np.array([coefficients]), np.array([energies]), np.array([occupations]), -1.0, 3)


def integrals(overlap: np.ndarray) -> Integrals:
    n = len(overlap)
    nothing = (np.zeros((n, n)), np.zeros((3, n, n)), np.zeros((3, 3, n, n)), np.zeros(3), 0.0)
    return Integrals(overlap, *nothing, np.ones(n), nothing[1])


LEFT = fragment([[0.8, 0.6], [0.6, -0.8]], [-1.0, 0.5], [2.0, 0.0])
RIGHT = fragment([[1.0]], [-0.7], [2.0])


def test_fragments_far_apart_keep_their_orbitals() -> None:
    both = assemble_fragments([LEFT, RIGHT], integrals(np.eye(3)))
    np.testing.assert_array_equal(both.occupations, [[2.0, 2.0, 0.0]])
    np.testing.assert_array_equal(both.energies, [[-1.0, -0.7, 0.5]])
    expected = [[0.8, 0.0, 0.6], [0.6, 0.0, -0.8], [0.0, 1.0, 0.0]]
    np.testing.assert_allclose(both.coefficients[0], expected, atol=1e-15)
    # The density is the sum of the fragments'.
    np.testing.assert_allclose(both.density()[0, :2, :2], LEFT.density()[0], atol=1e-14)
    np.testing.assert_allclose(both.density()[0, 2:, 2:], RIGHT.density()[0], atol=1e-14)


def test_overlapping_fragments_are_made_orthonormal_and_keep_the_occupied_span() -> None:
    overlap = np.array([[1.0, 0.0, 0.3], [0.0, 1.0, 0.2], [0.3, 0.2, 1.0]])
    both = assemble_fragments([LEFT, RIGHT], integrals(overlap))
    C = both.coefficients[0]
    np.testing.assert_allclose(C.T @ overlap @ C, np.eye(3), atol=1e-13)
    # Projector on the occupied span, V (V^T S V)^-1 V^T, of the fragments' own occupied columns.
    V = np.array([[0.8, 0.0], [0.6, 0.0], [0.0, 1.0]])
    projector = V @ np.linalg.inv(V.T @ overlap @ V) @ V.T
    np.testing.assert_allclose(both.density()[0], 2.0 * projector, atol=1e-13)


def test_open_shells_are_put_together_spin_by_spin() -> None:
    alpha_beta = Orbitals(
        np.array([np.eye(2), np.eye(2)]),
        np.array([[-1.0, 1.0], [-0.9, 1.1]]),
        np.array([[1.0, 0.0], [0.0, 0.0]]),
        -0.5,
        1,
    )
    both = assemble_fragments([alpha_beta, alpha_beta], integrals(np.eye(4)))
    np.testing.assert_array_equal(both.occupations, [[1, 1, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(np.diag(both.density()[0]), [1, 0, 1, 0])
    np.testing.assert_array_equal(both.energies[1], [-0.9, 1.1, -0.9, 1.1])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="3 basis functions, the system 4"):
        assemble_fragments([LEFT, RIGHT], integrals(np.eye(4)))
    open_shell = Orbitals(np.ones((2, 1, 1)), np.zeros((2, 1)), np.ones((2, 1)), 0.0, 1)
    with pytest.raises(ValueError, match="restricted and unrestricted"):
        assemble_fragments([LEFT, open_shell], integrals(np.eye(3)))
