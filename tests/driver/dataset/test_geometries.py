"""Distorted geometries."""

import numpy as np
from hybrid_propagate.driver.dataset.geometries import distorted


def test_distortions() -> None:
    """Of the size asked for, without moving or turning the molecule, out of its plane too, and seeded."""
    benzene = np.array([[np.cos(a), np.sin(a), 0.0] for a in np.arange(6) * np.pi / 3])
    rng = np.random.default_rng(5)
    moves = np.array([distorted(benzene, rng, (0.03, 0.05)) - benzene for _ in range(50)])
    sizes = np.sqrt((moves**2).sum(-1).mean(-1))
    assert sizes.min() >= 0.03
    assert sizes.max() <= 0.05
    np.testing.assert_allclose(moves.sum(1), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.cross(benzene, moves).sum(1), 0.0, atol=1e-12)
    assert np.abs(moves[..., 2]).mean() > 0.2 * np.abs(moves[..., 0]).mean()
    again = distorted(benzene, np.random.default_rng(5), (0.03, 0.05)) - benzene
    np.testing.assert_array_equal(again, moves[0])
