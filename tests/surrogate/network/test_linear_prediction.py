"""Linear prediction against signals whose continuation is known, and the untrained memory against it."""

import numpy as np
import pytest
import torch
from hybrid_propagate.surrogate.network.linear_prediction import LAGS, continued, nothing_yet
from hybrid_propagate.surrogate.network.token_dynamics import TokenDynamics, TokenDynamicsShape
from hybrid_propagate.surrogate.runtime.fitting_factors import CURRENTS, TOKENS
from scipy.spatial.transform import Rotation


def _oscillations(omegas: list[float], length: int, d: int = 9) -> torch.Tensor:
    """Sums of oscillations of random amplitude and phase in every component, (1, length, d)."""
    rng = np.random.default_rng(len(omegas))
    amplitude, phase = rng.standard_normal((2, len(omegas), d))
    phases = np.arange(length)[:, None, None] * np.array(omegas)[None, :, None] + phase
    return torch.as_tensor((amplitude * np.cos(phases)).sum(1)[None])


def _start(points: torch.Tensor):
    return nothing_yet(points, points.shape[0], points.shape[2])


def test_without_a_past_it_is_the_straight_line() -> None:
    """Two points, of which the first is rest: nothing was predicted yet, so nothing was learned."""
    points = torch.tensor([[[0.0, 0.0], [1.0, -2.0]]], dtype=torch.float64)
    found, before, _ = continued(points, _start(points), 3)
    torch.testing.assert_close(found[:, 0, 1], torch.tensor([[2.0, -4.0], [3.0, -6.0], [4.0, -8.0]]).double())
    torch.testing.assert_close(before[:, 1], points[:, 0])


@pytest.mark.parametrize("omegas", [[0.3], [0.3, 1.1, 2.9], [0.4, 1.3, 4.4]], ids=["1", "3", "aliased"])
def test_oscillations_are_continued(omegas: list[float]) -> None:
    """Few oscillations are an exact linear recurrence, above the sampling's Nyquist frequency too; what is
    left is the ridge's."""
    signal = _oscillations(omegas, 130)
    found, _, _ = continued(signal[:, :120], _start(signal), 10)
    truth = signal[0, 120:]
    assert torch.linalg.vector_norm(found[:, 0, -1] - truth) < 0.03 * torch.linalg.vector_norm(truth)
    straight = signal[0, 119] + torch.arange(1, 11)[:, None] * (signal[0, 119] - signal[0, 118])
    assert torch.linalg.vector_norm(straight - truth) > torch.linalg.vector_norm(truth)


def test_it_turns_with_the_molecule_and_has_no_unit() -> None:
    torch.manual_seed(0)
    points = torch.randn(2, 30, 3, dtype=torch.float64)
    turn = torch.as_tensor(Rotation.from_rotvec([0.3, 1.0, -0.4]).as_matrix())
    found, _, _ = continued(points, _start(points), 2)
    turned, _, _ = continued(1e-3 * points @ turn.T, _start(points), 2)
    torch.testing.assert_close(turned, 1e-3 * found @ turn.T, rtol=1e-7, atol=1e-12)


def test_single_precision_is_enough() -> None:
    """Smooth tokens of the size of a weak kick, whose regressors are nearly parallel."""
    signal = 1e-4 * _oscillations([0.05, 0.11, 2.3], 100)
    exact, _, _ = continued(signal, _start(signal), 2)
    single, _, _ = continued(signal.float(), _start(signal.float()), 2)
    change = torch.linalg.vector_norm(exact[0, 0, -1] - signal[0, -1])
    assert torch.linalg.vector_norm(single[:, 0, -1].double() - exact[:, 0, -1]) < 1e-2 * change


@pytest.mark.parametrize("bundle", [1, 2, 8])
def test_untrained_memory_is_linear_prediction(bundle: int) -> None:
    """Whole steps as predicted, half steps on the cubic between; a state of the past alone is the same."""
    dynamics = TokenDynamics(TOKENS, CURRENTS, 4, TokenDynamicsShape(8, 4, 1, bundle)).double()
    d = dynamics.irreps.dim
    points = torch.cat([_oscillations([0.2, 0.5], 40, d), _oscillations([0.3], 40, d)])
    field, context = torch.zeros(2, 40, dynamics.n_tokens).double(), torch.randn(2, 4).double()
    with torch.no_grad():
        change, _ = dynamics(points, field, context, dynamics.start(2))
        late, _ = dynamics(points[:, 30:], field[:, 30:], context, dynamics.start(2, points[:, :30]))
    torch.testing.assert_close(late, change[:, :, 30:], rtol=1e-9, atol=1e-11)
    found, before, _ = continued(points, _start(points), bundle // 2 + 2)
    whole = [before, points, *found]
    torch.testing.assert_close(
        points + change[0], (9 * (whole[1] + whole[2]) - whole[0] - whole[3]) / 16, rtol=1e-9, atol=1e-11
    )
    for j in range(2, bundle + 1, 2):
        torch.testing.assert_close(points + change[j - 1], found[j // 2 - 1], rtol=1e-9, atol=1e-11)


def test_what_it_holds_does_not_grow() -> None:
    points = torch.randn(3, 50, 5)
    _, _, past = continued(points, _start(points), 1)
    assert past.points.shape == (3, LAGS + 1, 5)
    assert past.moments.shape == (3, LAGS + 2, LAGS + 2)


def test_corrections_die_out_in_a_rollout() -> None:
    """Whatever the weights: on its own tokens each correction is smaller than the one before."""
    torch.manual_seed(1)
    dynamics = TokenDynamics(TOKENS, CURRENTS, 4, TokenDynamicsShape(8, 4, 1, 2)).double()
    with torch.no_grad():
        for readout in dynamics.readout:
            readout.weight.normal_()
        points = torch.randn(2, 30, dynamics.irreps.dim).double()
        context, state = torch.randn(2, 4).double(), dynamics.start(2)
        seen, sizes = points[:, :20], []
        for _ in range(10):
            field = torch.zeros(2, seen.shape[1], dynamics.n_tokens).double()
            change, state = dynamics(seen, field, context, state)
            expected = state.previous[:, -dynamics.irreps.dim :]
            seen = (seen[:, -1] + change[1, :, -1])[:, None]
            sizes.append(torch.linalg.vector_norm(seen[:, 0] - expected, dim=-1))
    for later, earlier in zip(sizes[1:], sizes[:-1], strict=True):
        assert (later < earlier).all()
