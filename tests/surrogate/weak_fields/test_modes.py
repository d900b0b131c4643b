"""Powers of one-step maps against the steps themselves, on made-up gaps and kernels."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.weak_fields.modes import (
    midpoint_modes,
    nearly_scheme_modes,
    scheme_modes,
)
from hybrid_propagate.surrogate.weak_fields.scheme import PairMap, PairState, Phases, scheme_step

STEPS = 400


@pytest.fixture(name="step", params=[4, 40])
def make_step(request: pytest.FixtureRequest) -> PairMap:
    """Gaps with two of a core, which turn by more than π a step; kernels as strong as a molecule's."""
    d = request.param
    rng = np.random.default_rng(1)
    gaps = np.append(np.sort(rng.uniform(0.4, 2.5, d - 2)), (19.0, 20.3))

    def symmetric(size: float) -> np.ndarray:
        a = rng.standard_normal((d, d)) * size / d**0.25
        return a @ a.T / 3.0

    return PairMap(Phases(gaps, 0.2), symmetric(0.5), -0.3 * symmetric(0.5))


def kicked(step: PairMap) -> PairState:
    """As a delta pulse leaves the first point: at rest, with the field in both Fock matrices."""
    field = 1e-4 * np.random.default_rng(2).standard_normal(len(step.phases.gaps)).astype(complex)
    return PairState(np.zeros_like(field), field, field)


def converged_step(state: PairState, step: PairMap) -> PairState:
    """The mid-point step, iterated until nothing changes."""
    after, fock = state.eta, state.fock
    for _ in range(100):
        fock = step.response(after)
        after = step.phases.turn * state.eta + step.phases.push * 0.5 * (state.fock + fock)
    return PairState(after, fock, 0.5 * (state.fock + fock))


def test_the_converged_step(step: PairMap) -> None:
    state, points = converged_step(kicked(step), step), []
    for _ in range(STEPS):
        points.append(state.eta)
        state = converged_step(state, step)
    modes = midpoint_modes(step)
    found = modes.eta(modes.powers(STEPS) * modes.amplitudes(points[0]))
    np.testing.assert_allclose(found, points, rtol=0, atol=1e-9 * np.abs(points).max())
    np.testing.assert_allclose(np.abs(modes.turns), 1.0, atol=1e-12)


def test_the_step_with_two_corrections(step: PairMap) -> None:
    """Its own points, what it has after the first correction, and its Fock matrix."""
    state, points, early = kicked(step), [], []
    for _ in range(24):
        state, _ = scheme_step(state, step.phases, step.response)
    first = state
    for _ in range(STEPS):
        points.append(state.eta)
        state, before = scheme_step(state, step.phases, step.response)
        early.append(before)
    modes = scheme_modes(step)
    assert modes is not None
    z = modes.powers(STEPS) * modes.amplitudes(points[0])
    found = modes.eta(z)
    size = np.abs(points).max()
    np.testing.assert_allclose(found, points, rtol=0, atol=1e-9 * size)
    np.testing.assert_allclose(modes.after_one(z), early, rtol=0, atol=1e-9 * size)
    fock = step.response(modes.after_one(z[0] / modes.turns))
    np.testing.assert_allclose(fock, first.fock, rtol=0, atol=1e-9 * size)


def test_the_two_steps_differ(step: PairMap) -> None:
    """By what two corrections leave: small, and more than the tests above let pass."""
    ours, exact = scheme_modes(step), midpoint_modes(step)
    assert ours is not None
    apart = [np.abs(exact.turns - turn).min() for turn in ours.turns]
    assert 1e-9 < max(apart) < 1e-2


def test_many_pairs_by_first_order(step: PairMap) -> None:
    """Of what the two steps differ by, all but its square is left."""
    mild = PairMap(step.phases, 0.2 * step.real, 0.2 * (0.0 if step.imaginary is None else step.imaginary))
    exact, near, far = scheme_modes(mild), nearly_scheme_modes(mild), midpoint_modes(mild)
    assert exact is not None
    start = exact.eta(np.ones(len(exact.turns), complex))
    paths = [m.eta(m.powers(2000) * m.amplitudes(start)) for m in (exact, near, far)]
    left, before = (np.linalg.norm(path - paths[0]) / np.linalg.norm(paths[0]) for path in paths[1:])
    assert left < 3e-5
    assert left < 0.1 * before
    # Kept in single precision: duals and shapes are each other's inverse to its rounding.
    assert near.real.dtype == np.complex64
    back = near.eta(near.amplitudes(start))
    assert np.linalg.norm(back - start) < 1e-6 * np.linalg.norm(start)


def test_without_exact_exchange(step: PairMap) -> None:
    plain = PairMap(step.phases, step.real, None)
    modes = midpoint_modes(plain)
    # Casida's equation in tan(ω dt / 2), for B = 0: sqrt(τ) (ω + V) sqrt(τ) tan has these eigenvalues.
    tan = np.tan(0.5 * plain.phases.gaps * 0.2)
    root = np.sqrt(np.abs(tan))
    tau = tan / plain.phases.gaps
    scaled = (np.diag(plain.phases.gaps) + plain.real) * np.sqrt(np.abs(tau))
    matrix = np.sign(tau)[:, None] * scaled * np.sqrt(np.abs(tau))[:, None] * np.sign(tau)
    squares = np.linalg.eigvalsh(root[:, None] * matrix * root)
    np.testing.assert_allclose(
        np.sort(-np.angle(modes.turns)), np.sort(2.0 * np.arctan(np.sqrt(squares))), atol=1e-9
    )


def test_a_ground_state_that_is_no_minimum_has_no_modes() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        midpoint_modes(PairMap(Phases(np.array([0.3, 0.5]), 0.2), -0.6 * np.eye(2), None))


def test_a_step_too_long_for_its_kernel_has_none() -> None:
    """Corrections that grow: no map that F follows is found."""
    assert scheme_modes(PairMap(Phases(np.array([0.3, 0.5]), 20.0), 40.0 * np.eye(2), None)) is None
