"""Non-negative least squares, against SciPy's active-set method and the conditions of a solution."""

import numpy as np
import pytest
import scipy.optimize
from hybrid_propagate.surrogate.nonlinear.nonnegative import nonnegative_least_squares


@pytest.mark.parametrize(("n_rows", "n"), [(40, 5), (60, 30), (200, 90)])
def test_as_an_active_set_finds_it(n_rows: int, n: int) -> None:
    draw = np.random.default_rng(n)
    B, b = draw.standard_normal((n_rows, n)), draw.standard_normal(n_rows)
    found = nonnegative_least_squares(B.T @ B, B.T @ b)
    begun = nonnegative_least_squares(B.T @ B, B.T @ b, np.arange(n) % 2 == 0)
    wanted, _ = scipy.optimize.nnls(B, b)
    assert 0 < (wanted == 0).sum() < n
    assert found == pytest.approx(wanted, abs=1e-9)
    assert begun == pytest.approx(wanted, abs=1e-9)


def test_nearly_dependent_columns_come_to_an_end() -> None:
    draw = np.random.default_rng(3)
    B = draw.random((80, 12)) @ draw.random((12, 60)) + 1e-6 * draw.standard_normal((80, 60))
    b = B @ np.maximum(draw.standard_normal(60), 0.0)
    G = B.T @ B
    G[np.diag_indices(60)] += 1e-8 * np.trace(G) / 60
    s = nonnegative_least_squares(G, B.T @ b)
    gradient = G @ s - B.T @ b
    assert (s >= 0.0).all()
    assert gradient.min() > -1e-9 * np.abs(B.T @ b).max()
    assert np.abs(gradient * s).max() < 1e-9 * np.abs(B.T @ b).max() * s.max()


def test_nothing_wanted_is_nothing() -> None:
    assert nonnegative_least_squares(np.eye(3), -np.ones(3)).tolist() == [0.0, 0.0, 0.0]
