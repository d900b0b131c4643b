"""The end of an SCF whose error is small and whose slowest direction is soft."""

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.diis import SmallErrorDIIS
from pyscf.scf.diis import CDIIS


def errors(diis: CDIIS, size: float, rounds: int) -> np.ndarray:
    """|x − x*| of the fixed-point map x ↦ x* + c (x − x*), the softest c 0.99, from |x − x*| = `size`."""
    shrunk = np.array([0.99, 0.9, 0.5, 0.1])
    target = np.array([1.0, -2.0, 0.5, 3.0])
    x, left = target + size * np.ones(4), []
    for _ in range(rounds):
        mapped = target + shrunk * (x - target)
        x = super(CDIIS, diis).update(mapped, xerr=mapped - x)
        left.append(float(np.linalg.norm(x - target)))
    return np.array(left)


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e-8])
def test_a_small_error_falls_as_fast_as_a_large_one(size: float) -> None:
    assert errors(SmallErrorDIIS(), size, 16)[-1] < 1e-4 * size


def test_pyscfs_own_stands_still_at_small_errors() -> None:
    """What the class is for: it may go when this fails."""
    left = errors(CDIIS(), 1e-8, 16)
    assert left[-1] > 0.3 * left[0]


def test_a_vector_without_error_is_taken() -> None:
    diis = SmallErrorDIIS()
    for x, error in ((2.0, 1e-3), (1.0, 0.0), (1.5, 0.0)):
        kept = super(CDIIS, diis).update(np.array([x]), xerr=np.array([error]))
    np.testing.assert_array_equal(kept, [1.0])
