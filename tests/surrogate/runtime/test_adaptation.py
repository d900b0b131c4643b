"""Closed-form adaptation: what pairs determine is answered, what they do not is left alone."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.runtime.adaptation import adapt_token_kernel
from hybrid_propagate.surrogate.runtime.fitting_factors import CHANNELS, N_TOKENS, fitting_factors
from pyscf import gto

NUMBERS = np.array([9, 1])


@pytest.fixture(scope="module")
def case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factors of hydrogen fluoride, a symmetric metric, and changes."""
    mol = gto.M(atom="F 0 0 0; H 0 0 1.7", basis="6-31g", unit="Bohr", verbose=0)
    B = fitting_factors(mol).factors
    rng = np.random.default_rng(0)
    W = rng.standard_normal((2 * N_TOKENS, 2 * N_TOKENS))
    return B, 0.1 * (W + W.T), rng.standard_normal((6, B.shape[1]))


def test_what_pairs_determine_is_answered(case) -> None:
    """Twelve changes of four directions: each follows from the others."""
    B, W, x = case
    x = np.random.default_rng(1).standard_normal((12, 4)) @ x[:4]
    truth = W + 0.05 * np.outer(W[0], W[0])
    adapted = adapt_token_kernel(W, B, NUMBERS, x, x @ B.T @ truth @ B)
    assert adapted.after < 0.02 * adapted.before
    np.testing.assert_allclose(adapted.token_kernel, adapted.token_kernel.T, atol=1e-12)


def test_what_is_not_linear_is_not_learned(case) -> None:
    """Twelve changes of four directions, answered with noise: new ones of them come out no worse."""
    B, W, x = case
    rng = np.random.default_rng(2)
    few, new = (rng.standard_normal((n, 4)) @ x[:4] for n in (12, 40))
    noise = 0.02 * np.linalg.norm(few @ B.T @ W @ B) / np.sqrt(12 * B.shape[1])
    given = few @ B.T @ W @ B + noise * rng.standard_normal((12, B.shape[1]))
    adapted = adapt_token_kernel(W, B, NUMBERS, few, given)
    wrong = new @ B.T @ (adapted.token_kernel - W) @ B
    assert np.sqrt((wrong**2).mean()) < 0.5 * noise


def test_a_scaled_block_is_found_from_few_pairs(case) -> None:
    """All blocks between fluorine's s functions 20 % too small: ten unknown factors tell, on unseen changes
    too."""
    B, W, x = case
    truth = W.copy()
    truth[: CHANNELS[0], : CHANNELS[0]] *= 1.2
    adapted = adapt_token_kernel(W, B, NUMBERS, x, x @ B.T @ truth @ B)
    other = np.random.default_rng(9).standard_normal((20, B.shape[1])) @ B.T
    before = np.linalg.norm(other @ (W - truth) @ B)
    assert np.linalg.norm(other @ (adapted.token_kernel - truth) @ B) < 0.05 * before


def test_nothing_wrong_changes_nothing(case) -> None:
    B, W, x = case
    adapted = adapt_token_kernel(W, B, NUMBERS, x, x @ B.T @ W @ B)
    np.testing.assert_allclose(adapted.token_kernel, W, atol=1e-9)
