"""What is not linear, carried on along a pass: the guess, and steps that end where they would without it."""

from functools import partial

import numpy as np
from hybrid_propagate.driver.propagators.exponential import propagate
from hybrid_propagate.driver.propagators.magnus import StepRules, canonical_norm, magnus_step
from hybrid_propagate.driver.propagators.state import State, density_of, natural_orbitals
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import NonlinearResponse
from hybrid_propagate.surrogate.on_the_fly.carried_on import CarriedOn
from hybrid_propagate.surrogate.on_the_fly.first_guess import FirstGuess
from hybrid_propagate.surrogate.on_the_fly.response import OnTheFlyResponse
from point_sources import ground_of, source


def cubic(at: float) -> np.ndarray:
    return np.array([1.0 + at**3, at**2 - at])


def test_a_cubic_is_guessed_behind_four_points() -> None:
    carried = CarriedOn()
    for number in range(4):
        carried.begins(number)
        assert carried.guess() is None
        carried.note(cubic(number + 1.0))
    carried.begins(4)
    np.testing.assert_allclose(carried.guess(), cubic(5.0))
    # Only a step's first look may be off.
    assert carried.guess() is None


def test_a_step_made_again_counts_once() -> None:
    carried = CarriedOn()
    for number in (0, 1, 2, 3, 3, 4):
        carried.begins(number)
        carried.guess()
        carried.note(cubic(number + 1.0))
    carried.begins(5)
    np.testing.assert_allclose(carried.guess(), cubic(6.0))


class Looked:
    """What is not linear, and how often it was evaluated."""

    def __init__(self, found: NonlinearResponse) -> None:
        self.found, self.times, self.whole = found, 0, found.whole

    def __call__(self, change: np.ndarray) -> np.ndarray:
        self.times += 1
        return self.found(change)


def test_steps_end_where_they_would_by_fewer_evaluations() -> None:
    """Thirty steps of 0.1 au far from the ground state, without a field."""
    engine, basis, density = ground_of("PBE0")
    ground, build = basis.density_in(density).astype(complex), engine.fock(density.astype(complex))
    guess = FirstGuess(engine.response, 1e-4, nonlinear=source("PBE0"))
    surrogate = OnTheFlyResponse(engine, basis, ground, build, guess, 1e-6)
    orbitals, occupations = natural_orbitals(ground)
    push = basis.fock_in(engine.integrals.dipole[2][None]).astype(complex)
    orbitals = propagate(push, orbitals, 0.2)
    moved = density_of(orbitals, occupations)
    assert not surrogate.nonlinear
    surrogate.visit(moved)
    assert surrogate.nonlinear
    fock = surrogate.predict(moved)
    looked = surrogate._nonlinear.response = Looked(surrogate._nonlinear.response)
    surrogate._nonlinear._rows = None
    ends, times = [], []
    for carried in (False, True):
        begins = surrogate.pass_begins() if carried else lambda _: None
        norm = canonical_norm(basis.to_canonical)
        rules = StepRules(0.1, 1e-7, lambda _: None, partial(propagate, dt=0.1), norm, begins)
        state, before = State(0, 0.0, orbitals, occupations, moved, fock, fock), looked.times
        for _ in range(30):
            state, _ = magnus_step(state, surrogate.predict, rules)
        ends.append(state.density)
        times.append(looked.times - before)
    assert np.abs(moved - ground).max() > 0.05
    assert 0.0 < np.abs(ends[1] - ends[0]).max() < 1e-6
    assert times[1] < 0.65 * times[0]


def test_nearby_what_is_not_linear_is_taken_from_the_pass() -> None:
    """At densities a thousandth of the change off those of a pass: a hundredth of what F differs by."""
    engine, basis, density = ground_of("PBE0")
    ground, build = basis.density_in(density).astype(complex), engine.fock(density.astype(complex))
    guess = FirstGuess(engine.response, 1e-4, nonlinear=source("PBE0"))
    surrogate = OnTheFlyResponse(engine, basis, ground, build, guess, 1e-6)
    push = basis.fock_in(engine.integrals.dipole[2][None]).astype(complex)
    orbitals, occupations = natural_orbitals(ground)
    ways = [density_of(propagate(push, orbitals, 0.2 + 0.002 * k), occupations) for k in range(9)]
    for moved in ways:
        surrogate.visit(moved, last=True)
    looked = surrogate._nonlinear.response = Looked(surrogate._nonlinear.response)
    surrogate._nonlinear._rows = None
    begins = surrogate.pass_begins()
    for k, moved in enumerate(ways[1:]):
        begins(k)
        surrogate.predict(moved)
        surrogate.predict(moved)
    nearby, before = surrogate.nearby(), looked.times
    close = [moved + 1e-3 * (moved - ground) for moved in ways[1:]]
    found = [nearby(moved, k + 1) for k, moved in enumerate(close)]
    # At the first point, and at 4 and 8.
    assert looked.times - before == 3
    for moved, own, way in zip(close, found, ways[1:], strict=True):
        whole = surrogate.predict(moved)
        assert np.linalg.norm(own - whole) < 1e-2 * np.linalg.norm(whole - surrogate.predict(way))
