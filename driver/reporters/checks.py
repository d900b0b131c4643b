"""What NWChem verifies at a check point: P' Hermitian, with the right trace, idempotent."""

import numpy as np


def passes_checks(
    density: np.ndarray, occupations: np.ndarray, tolerance: float, *, conserving: bool
) -> bool:
    """Whether one P' (n_spin, m, m) is in order.

    occupations: (n_spin, k) of the run's orbitals. conserving: False where an absorbing potential takes
    electrons away, so that only Hermiticity is left to check. tolerance: the deck's `tolerances zero`, for
    elements and for the trace.
    """
    # Orbitals carried over thousands of steps keep orthonormal to about 1e-12 a step.
    if np.abs(density - density.conj().swapaxes(1, 2)).max() > tolerance:
        return False
    if not conserving:
        return True
    traces = np.trace(density, axis1=1, axis2=2)
    if np.abs(traces - occupations.sum(axis=1)).max() > tolerance * max(occupations.sum(), 1.0):
        return False
    levels = np.unique(occupations[occupations > 0.0])
    if levels.size != 1:
        return True
    # P'² = n P' for orbitals that all hold n electrons.
    return bool(np.abs(density @ density - levels[0] * density).max() <= tolerance * levels[0] ** 2)
