"""The shadow between two propagations."""

from dataclasses import fields

import numpy as np
import scipy.linalg
from hybrid_propagate.driver.estimate.shadow import ErrorEstimate, carried_over, loaded
from hybrid_propagate.driver.estimate.statement import Sums
from hybrid_propagate.driver.propagators.state import State, density_of


def state(turn: float, seed: int = 1) -> State:
    """Two occupied orbitals of five, turned by a fixed generator."""
    random = np.random.default_rng(seed)
    a = random.standard_normal((5, 5)) + 1j * random.standard_normal((5, 5))
    orbitals = (scipy.linalg.expm(1j * turn * (a + a.conj().T)) @ np.eye(5)[:, :2])[None]
    occupations = np.full((1, 2), 2.0)
    fock = (1.0 + turn) * np.diag(np.arange(5.0))[None].astype(complex)
    return State(7, 1.4, orbitals, occupations, density_of(orbitals, occupations), fock, 0.5 * fock)


def test_the_distance_is_carried_over_and_the_step_stays_unitary() -> None:
    run, twin, shadow = state(0.1), state(0.1), state(0.1001)
    moved = carried_over(shadow, twin, run, conserving=True)
    np.testing.assert_allclose(moved.density, shadow.density, atol=1e-12)
    np.testing.assert_allclose(moved.density @ moved.density, 2.0 * moved.density, atol=1e-12)
    np.testing.assert_allclose(moved.fock, shadow.fock, atol=1e-14)
    # From another twin: the difference to first order, whatever the gauge of the run's orbitals.
    elsewhere = carried_over(shadow, twin, state(0.1003), conserving=True)
    expected = state(0.1003).density + shadow.density - twin.density
    assert np.linalg.norm(elsewhere.density - expected) < 1e-2 * np.linalg.norm(shadow.density - twin.density)


def test_lossy_steps_keep_what_is_there() -> None:
    moved = carried_over(state(0.1001), state(0.1), state(0.2), conserving=False)
    expected = state(0.2).density + state(0.1001).density - state(0.1).density
    np.testing.assert_allclose(moved.density, expected, atol=1e-14)
    np.testing.assert_allclose(density_of(moved.orbitals, moved.occupations), expected, atol=1e-12)


def test_an_estimate_is_saved_whole() -> None:
    estimate = ErrorEstimate(np.arange(3.0), state(0.3), Sums(1e-9, 2.0, 7, 1e-8, 3e-5, 4e-2, 6, 1e-7, 1e-12))
    again = loaded({name: array.copy() for name, array in estimate.save().items()})
    assert again is not None
    assert again.sums == estimate.sums
    np.testing.assert_array_equal(again.origin, estimate.origin)
    for f in fields(State):
        np.testing.assert_array_equal(getattr(again.shadow, f.name), getattr(estimate.shadow, f.name))
    assert loaded({}) is None
