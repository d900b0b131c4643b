"""The block against Mamba's published parameters and equations."""

import math

import torch
from hybrid_propagate.surrogate.network.mamba import Mamba
from hybrid_propagate.surrogate.network.selective_scan import scan_reference
from torch.nn import functional


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
