"""The scan against its recurrence."""

import numpy as np
import pytest
import torch
from hybrid_propagate.surrogate.network.selective_scan import scan_chunked, scan_reference
from torch.nn import functional


def _inputs(length: int) -> list[torch.Tensor]:
    torch.manual_seed(length)
    batch, channels, state = 2, 3, 4
    u, dt = torch.randn(2, batch, length, channels, dtype=torch.float64)
    B, C = torch.randn(2, batch, length, state, dtype=torch.float64)
    A = -torch.rand(channels, state, dtype=torch.float64)
    h0 = torch.randn(batch, channels, state, dtype=torch.float64)
    return [t.requires_grad_() for t in (u, functional.softplus(dt).detach(), A, B, C, h0)]


def test_reference_is_the_recurrence() -> None:
    """Against numpy, element by element."""
    u, dt, A, B, C, h0 = (t.detach().numpy() for t in _inputs(5))
    y, last = scan_reference(*(torch.tensor(a) for a in (u, dt, A, B, C, h0)))
    h = h0.copy()
    for t in range(5):
        for b in range(2):
            for c in range(3):
                for s in range(4):
                    decay = np.exp(dt[b, t, c] * A[c, s])
                    h[b, c, s] = decay * h[b, c, s] + dt[b, t, c] * B[b, t, s] * u[b, t, c]
                assert y[b, t, c] == pytest.approx(sum(C[b, t, s] * h[b, c, s] for s in range(4)), rel=1e-12)
    np.testing.assert_allclose(last.numpy(), h, rtol=1e-12)


@pytest.mark.parametrize("length", [1, 31, 32, 75])
def test_chunked_is_the_reference_with_its_gradients(length: int) -> None:
    inputs = _inputs(length)
    weight = torch.cos(torch.arange(length, dtype=torch.float64))[None, :, None]
    results = []
    for scan in (scan_reference, scan_chunked):
        y, h = scan(*inputs)
        gradients = torch.autograd.grad((y * weight).sum() + h.square().sum(), inputs)
        results.append((y, h, *gradients))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)
