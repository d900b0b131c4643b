"""What moves in a window of time, on two made-up pairs of orbitals of two atoms."""

import numpy as np
import pytest
from hybrid_propagate.driver.spectra.parts import AtomShare, Transition
from hybrid_propagate.driver.spectra.response import StoredResponse
from hybrid_propagate.driver.spectra.spectrum import Kick, Pulse, Signal, SpectrumError
from hybrid_propagate.driver.spectra.window import atom_charges, moved, partial_signal, populations

#: Two occupied orbitals, one empty one; the second atom has the second orbital.
RESPONSE = StoredResponse(
    time=np.array([0.0, 1.0, 2.0, 3.0]),
    values=np.array([[0, 0], [0.3j, 0], [0.4, 0.2], [0.0, 0.6]], complex),
    pairs=np.array([[0, 0, 2], [0, 1, 2]]),
    gaps=np.array([20.0, 0.5]),
    orbitals=np.eye(3)[None],
    shares=np.array([[[1.0, 0.0], [0.0, 1.0], [0.25, 0.75]]]),
    dipoles=np.array([[0.1, 0, 0], [0, 0, 2.0]]),
    highest_occupied=1,
    # The third orbital's functions are half on either atom, in phase with those of the others.
    lowdin=np.array([[[1.0, 0, 0], [0, 1.0, 0], [0, 0, np.sqrt(0.5)], [0, 0, np.sqrt(0.5)]]]),
    on=np.array([[1.0, 0], [0, 1], [1, 0], [0, 1]]),
)


def test_a_window_of_time_by_transitions_and_atoms() -> None:
    """By hand: means of |δP|² / 2 over the points at 2 and 3 au are 0.04 and 0.1."""
    found = moved(RESPONSE, 1.5, 3.5)
    assert (found.start, found.end) == (2.0, 3.0)
    assert found.electrons == pytest.approx(0.14)
    assert found.transitions == (
        Transition(0, 2, 3, pytest.approx(10 / 14)),
        Transition(0, 1, 3, pytest.approx(4 / 14)),
    )
    assert found.atoms == (
        AtomShare(1, pytest.approx(4 / 14), pytest.approx(0.25)),
        AtomShare(2, pytest.approx(10 / 14), pytest.approx(0.75)),
    )


def test_of_one_occupied_orbital_alone() -> None:
    found = moved(RESPONSE, 1.0, 3.0, occupied=(1, 1))
    assert found.electrons == pytest.approx((0.09 + 0.16) / 2 / 3)
    assert [part.weight for part in found.transitions] == [1.0]


def test_populations_keep_the_electrons() -> None:
    found = populations(RESPONSE)
    np.testing.assert_allclose(found[2, 0], [-0.08, -0.02, 0.1])
    np.testing.assert_allclose(found.sum(axis=2), 0.0, atol=1e-15)


def test_charges_of_atoms_to_second_order() -> None:
    """By hand at 2 au: 0.08 and 0.02 electrons leave the two atoms, and half of their sum comes to each."""
    found = atom_charges(RESPONSE, np.array([0, 2]))
    np.testing.assert_allclose(found, [[0.0, 0.0], [0.03, -0.03]], atol=1e-12)


def test_the_signal_of_one_occupied_orbital() -> None:
    """δμ = −2 D Re δP."""
    kick = Kick(np.array([0, 0, 1.0]), 1e-4, 0.0, 1.0, 1)
    signal = Signal("run", np.arange(7) / 2, np.zeros((7, 3)), kick)
    part = partial_signal(signal, RESPONSE, (2, 2))
    assert part.kick is kick
    np.testing.assert_array_equal(part.time, RESPONSE.time)
    np.testing.assert_allclose(part.dipole[:, 2], [0.0, 0.0, -0.8, -2.4])
    np.testing.assert_allclose(part.dipole[:, :2], 0.0)
    pulse = Signal("run", signal.time, signal.dipole, Pulse(np.array([0, 0, 1.0]), np.ones(7)))
    with pytest.raises(SpectrumError, match="a pulse needs all points in time"):
        partial_signal(pulse, RESPONSE, (2, 2))
    with pytest.raises(SpectrumError, match="kept no response"):
        partial_signal(signal, None, (2, 2))


@pytest.mark.parametrize(
    ("window", "occupied", "message"),
    [
        ((4.0, 5.0), None, "no point between 4 and 5 au; the run has 0 to 3 au"),
        ((0.0, 0.5), None, "nothing has moved between 0 and 0.5 au"),
        ((0.0, 3.0), (3, 4), "no occupied orbital from 3 to 4; accepted: 1 to 2"),
    ],
)
def test_what_is_not_there_is_refused(
    window: tuple[float, float], occupied: tuple[int, int] | None, message: str
) -> None:
    with pytest.raises(SpectrumError, match=message):
        moved(RESPONSE, *window, occupied)
