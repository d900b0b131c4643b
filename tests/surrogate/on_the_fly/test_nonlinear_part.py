"""The on-the-fly response with the functional on few points: water in STO-3G, far from its ground state."""

from collections.abc import Sequence

import numpy as np
import pytest
import scipy.linalg
from hybrid_propagate.surrogate.nonlinear import nonlinear_response
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import (
    NonlinearResponse,
    PointSource,
    on_points,
)
from hybrid_propagate.surrogate.on_the_fly.first_guess import FirstGuess
from hybrid_propagate.surrogate.on_the_fly.response import OnTheFlyResponse
from point_sources import WANTED_FROM, ground_of, source


class Counted:
    """A source that counts what is asked of it."""

    def __init__(self, source: PointSource) -> None:
        self.source, self.made = source, 0
        self.again, self.better, self.wanted_from = source.again, source.better, source.wanted_from

    def make(self):
        self.made += 1
        return self.source.make()


def response(nonlinear: Counted | PointSource | None) -> OnTheFlyResponse:
    engine, basis, density = ground_of("PBE0")
    guess = FirstGuess(engine.response, 1e-4, nonlinear=nonlinear)
    ground = basis.density_in(density).astype(complex)
    return OnTheFlyResponse(engine, basis, ground, engine.fock(density.astype(complex)), guess, 1e-6)


def path(size: float) -> list[np.ndarray]:
    """Eight densities on the way to a rotation by about that size, which no sign of an orbital decides."""
    engine, basis, _ = ground_of("PBE0")
    ground = source("PBE0").ground
    occupied = ground / 2.0
    empty = np.eye(ground.shape[1]) - occupied
    shift, strain = (
        basis.fock_in(np.tensordot(weights, matrices, 1)[None])
        for weights, matrices in (
            ((1.0, 0.7, 0.4), engine.integrals.dipole),
            ((0.2, 0.5, 0.3), engine.integrals.quadrupole[0]),
        )
    )
    turn = empty @ (shift + 0.5j * strain) @ occupied
    turn = turn - turn.conj().swapaxes(1, 2)
    turn *= size / np.linalg.norm(turn @ ground - ground @ turn)
    found = []
    for s in np.linspace(0.2, 1.0, 8):
        turned = scipy.linalg.expm(s * turn[0])
        found.append(turned @ ground @ turned.conj().T)
    return found


def reference(density: np.ndarray) -> np.ndarray:
    engine, basis, _ = ground_of("PBE0")
    return basis.fock_in(engine.fock(basis.density_out(density)).fock)


def worst(surrogate: OnTheFlyResponse, densities: list[np.ndarray]) -> float:
    rest = reference(source("PBE0").ground)
    errors = [
        np.linalg.norm(surrogate.predict(p) - reference(p)) / np.linalg.norm(reference(p) - rest)
        for p in densities
    ]
    return max(errors)


def walked(surrogate: OnTheFlyResponse, densities: list[np.ndarray]) -> OnTheFlyResponse:
    for density in densities:
        for _ in range(5):
            surrogate.predict(density)
            surrogate.visit(density)
    return surrogate


def test_what_is_not_linear_needs_no_anchor() -> None:
    far = path(0.5)
    with_points, without = (walked(response(s), far) for s in (source("PBE0"), None))
    assert with_points.nonlinear
    assert not without.nonlinear
    assert worst(without, far) > 5e-3
    assert worst(with_points, far) < 0.1 * worst(without, far)


def test_weak_motion_asks_for_no_points() -> None:
    counted = Counted(source("PBE0"))
    surrogate = walked(response(counted), path(0.5 * WANTED_FROM))
    assert counted.made == 0
    walked(surrogate, path(0.5))
    assert counted.made == 1


def test_a_source_without_points_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(source("PBE0"))
    monkeypatch.setattr(source("PBE0").__class__, "make", lambda self: None)
    surrogate = walked(response(counted), path(0.5))
    assert counted.made == 1
    assert not surrogate.nonlinear


def test_anchors_of_before_keep_what_the_points_leave() -> None:
    """An anchor met in weak motion is still answered when the functional has taken over."""
    near, far = path(0.5 * WANTED_FROM)[-1], path(0.5)
    surrogate = walked(response(source("PBE0")), [near])
    surrogate.observe(near, reference(near))
    rest = np.linalg.norm(reference(near) - reference(source("PBE0").ground))
    before = np.linalg.norm(surrogate.predict(near) - reference(near)) / rest
    walked(surrogate, far)
    after = np.linalg.norm(surrogate.predict(near) - reference(near)) / rest
    assert surrogate.nonlinear
    assert before < 1e-4
    assert after < 1e-4


def test_saved_and_loaded_it_says_the_same() -> None:
    far = path(0.5)
    surrogate = walked(response(source("PBE0")), far)
    surrogate.observe(far[4], reference(far[4]))
    again = response(source("PBE0"))
    again.load(surrogate.save())
    assert np.array_equal(again.predict(far[6]), surrogate.predict(far[6]))
    assert np.array_equal(again.energies(np.array(far)), surrogate.energies(np.array(far)))


def test_where_the_first_order_fails_the_points_have_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonlinear_response, "first_order_fails", lambda fine, changes: True)
    engine, basis, _ = ground_of("PBE0")
    near, far = path(0.5 * WANTED_FROM)[-1], path(0.5)
    surrogate = walked(response(source("PBE0")), [near])
    surrogate.observe(near, reference(near))
    walked(surrogate, far)
    assert surrogate.n_directions[1] == 0
    assert worst(surrogate, far) < 1e-2
    rest = np.linalg.norm(reference(near) - reference(source("PBE0").ground))
    assert np.linalg.norm(surrogate.predict(near) - reference(near)) / rest < 1e-3
    wanted = [engine.fock(basis.density_out(p)).energies.electronic for p in far]
    assert surrogate.energies(np.array(far)).sum(axis=1) == pytest.approx(wanted, abs=2e-4)
    again = response(source("PBE0"))
    again.load(surrogate.save())
    assert np.array_equal(again.predict(far[6]), surrogate.predict(far[6]))


def test_points_learned_anew_keep_what_anchors_have_shown() -> None:
    far, counted = path(0.5), Counted(source("PBE0"))
    fine = counted.source.fine
    whole_grid = on_points(fine, counted.source.basis, counted.source.density, (fine.coords, fine.weights))
    asked: list[int] = []

    def better(known: NonlinearResponse, visited: Sequence[np.ndarray]) -> NonlinearResponse:
        asked.append(len(visited))
        return whole_grid

    counted.better = better
    surrogate = walked(response(counted), [*far, *far])
    surrogate.observe(far[4], reference(far[4]))
    before = worst(surrogate, far)
    assert surrogate.sharpen()
    assert not surrogate.sharpen()
    assert len(asked) == 1
    assert 8 <= asked[0] < 32
    assert worst(surrogate, far) < 0.5 * before
    assert worst(surrogate, [far[4]]) < 1e-5


def test_energies_hold_what_the_points_add() -> None:
    far = path(0.5)
    engine, basis, _ = ground_of("PBE0")
    surrogate = walked(response(source("PBE0")), far)
    wanted = [engine.fock(basis.density_out(p)).energies.electronic for p in far]
    without = walked(response(None), far)
    errors = [np.abs(one.energies(np.array(far)).sum(axis=1) - wanted).max() for one in (surrogate, without)]
    assert errors[0] < 1e-4
    assert errors[0] < 0.05 * errors[1]
    parts = surrogate.core_and_coulomb(np.array(far))
    np.testing.assert_allclose(parts, surrogate.energies(np.array(far))[:, :2], atol=1e-10)
