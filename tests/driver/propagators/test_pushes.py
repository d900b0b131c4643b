"""What pushes pairs beside their own response."""

import numpy as np
import pytest
from hybrid_propagate.driver.propagators.pushes import Drive, across, bare_size
from hybrid_propagate.driver.propagators.weak_points import Sides
from hybrid_propagate.surrogate.matrices.occupied_empty import occupied_empty
from hybrid_propagate.surrogate.weak_fields.scheme import PairState, Phases, scheme_step


def test_a_drive_ends_with_its_last_amplitude() -> None:
    amplitudes = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    pushes = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 1.0]])
    drive = Drive(amplitudes, pushes)
    assert drive.n_driven == 3
    np.testing.assert_array_equal(drive.at(np.ones((2, 3)), 1), [[1.0, 0.0, 3.0], [0.0, 2.0, 2.0]])
    assert Drive(amplitudes[3:], pushes).n_driven == 0


@pytest.mark.parametrize("n_spin", [1, 2])
def test_other_blocks_of_fields_push_by_the_commutator(n_spin: int) -> None:
    """[V, P] / n between empty and occupied orbitals of matrices, for two fields and some of the pairs."""
    random, m = np.random.default_rng(5), 5
    filled = tuple(np.arange(n) for n in (2, 1)[:n_spin])
    free = tuple(np.arange(len(own), m) for own in filled)
    density = np.array([np.diag([2.0 / n_spin] * len(own) + [0.0] * (m - len(own))) for own in filled])
    every = occupied_empty(density, np.tile(np.arange(m), (n_spin, 1)).astype(float))
    pairs = every.some(np.arange(every.n_pairs - 1))
    places = Sides(pairs, np.zeros(pairs.shape), filled, free).places
    matrices = random.standard_normal((2, *pairs.shape))
    matrices += matrices.swapaxes(2, 3)
    eta = random.standard_normal((3, pairs.n_pairs)) + 1j * random.standard_normal((3, pairs.n_pairs))
    amplitudes = np.array([[1.0, 0.0], [0.5, 2.0], [0.0, 0.0]])
    field = np.tensordot(amplitudes, matrices, axes=1)
    field -= np.real(every.matrix(every.block(field)))
    moved = pairs.matrix(eta)
    expected = pairs.block(field @ moved - moved @ field)
    made = across(matrices, places)
    assert made is not None
    found = made.of(eta, amplitudes)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert np.abs(expected[:2]).min(axis=1).max() > 0.0


def test_symmetry_keeps_other_blocks_from_pairs() -> None:
    """Of inversion: a dipole connects even and odd orbitals, so that odd pairs turn into even ones alone."""
    odd = np.array([False, True, False, True, True])
    matrices = np.random.default_rng(7).standard_normal((2, 1, 5, 5)) * (odd[:, None] != odd)
    filled, free = (np.arange(2),), (np.arange(2, 5),)
    density = np.diag([2.0, 2.0, 0.0, 0.0, 0.0])[None]
    every = occupied_empty(density, np.arange(5.0)[None])
    a, i = np.divmod(every.index, 5)
    for kept, acts in ((odd[a] != odd[i], False), (np.ones(every.n_pairs, bool), True)):
        places = Sides(every.some(np.flatnonzero(kept)), np.zeros((1, 5, 5)), filled, free).places
        assert (across(matrices, places) is not None) is acts


@pytest.mark.parametrize("n_steps", [1, 64, 65, 200])
def test_the_bare_size_is_that_of_steps_without_a_response(n_steps: int) -> None:
    """Up to the largest on the way, here within a resonance that beats."""
    rng, phases = np.random.default_rng(3), Phases(np.array([0.3, 0.5, 0.9]), 0.2)
    pushes = rng.standard_normal((2, 3))
    times = 0.2 * np.arange(n_steps + 1)
    amplitudes = 1e-4 * np.stack([np.sin(0.35 * times), np.cos(0.8 * times)], axis=1)
    at_first = amplitudes[0] @ pushes + 0j
    state, largest = PairState(np.zeros(3, complex), at_first, at_first), 0.0
    for step in range(n_steps):
        fock = amplitudes[step + 1] @ pushes + 0j
        state, _ = scheme_step(state, phases, lambda _, fock=fock: fock)
        largest = max(largest, float(np.linalg.norm(state.eta)))
    assert bare_size(phases, pushes, amplitudes) == pytest.approx(largest, rel=1e-10)
