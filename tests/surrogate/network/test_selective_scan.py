"""The scan against its recurrence, and the block against Mamba's published parameters and equations."""

import math

import numpy as np
import pytest
import torch
from hybrid_propagate.surrogate.network.mamba import Mamba
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


def test_parameters_are_those_of_mamba_ssm() -> None:
    """Names and shapes of mamba_ssm.modules.mamba_simple.Mamba(d_model=48): d_inner 96, dt_rank 3, d_state
    16."""
    d_model, d_inner, d_state, d_conv = 48, 96, 16, 4
    dt_rank = math.ceil(d_model / 16)
    published = {
        "A_log": (d_inner, d_state),
        "D": (d_inner,),
        "in_proj.weight": (2 * d_inner, d_model),
        "conv1d.weight": (d_inner, 1, d_conv),
        "conv1d.bias": (d_inner,),
        "x_proj.weight": (dt_rank + 2 * d_state, d_inner),
        "dt_proj.weight": (d_inner, dt_rank),
        "dt_proj.bias": (d_inner,),
        "out_proj.weight": (d_model, d_inner),
    }
    assert {name: tuple(p.shape) for name, p in Mamba(d_model).state_dict().items()} == published
    strange = {name: torch.randn(shape) for name, shape in published.items()}
    Mamba(d_model).load_state_dict(strange, strict=True)


def test_block_is_the_published_forward() -> None:
    """The slow path of mamba_ssm: causal convolution over the padded sequence cut to its length, then the
    scan."""
    torch.manual_seed(0)
    block, x = Mamba(16).double(), torch.randn(2, 9, 16, dtype=torch.float64)
    with torch.no_grad():
        inside, z = (x @ block.in_proj.weight.T).chunk(2, dim=-1)
        weight, bias = block.conv1d.weight, block.conv1d.bias
        u = functional.silu(
            functional.conv1d(inside.mT, weight, bias, padding=3, groups=block.d_inner)[..., :9]
        ).mT
        rank, B, C = (u @ block.x_proj.weight.T).split([1, 16, 16], dim=-1)
        dt = functional.softplus(rank @ block.dt_proj.weight.T + block.dt_proj.bias)
        y, _ = scan_reference(u, dt, -torch.exp(block.A_log), B, C)
        expected = ((y + block.D * u) * functional.silu(z)) @ block.out_proj.weight.T
        found, _, _ = block(x)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_carried_state_equals_one_pass() -> None:
    torch.manual_seed(1)
    block, x = Mamba(8, d_state=4).double(), torch.randn(3, 10, 8, dtype=torch.float64)
    whole, last, _ = block(x)
    state, parts = None, []
    for part in x.split([4, 1, 1, 4], dim=1):
        y, state, _ = block(part, state)
        parts.append(y)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-10, atol=1e-12)
    assert state is not None
    torch.testing.assert_close(state.h, last.h, rtol=1e-10, atol=1e-12)
