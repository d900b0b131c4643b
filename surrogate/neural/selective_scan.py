"""The selective scan of Mamba (Gu and Dao, arXiv:2312.00752, eqs. 2 and 4), with an initial and a last state.

    h_t = exp(Δ_t A) h_(t−1) + Δ_t B_t u_t,    y_t = C_t · h_t

`scan_reference` is the definition, `scan_chunked` the same for training: a chunk is a prefix scan by
doubling, and is computed again in the backward pass instead of kept. `scan_triton` is the same on a GPU.
Gradients flow through both ends of the state, which those of `mamba_ssm` do not: it takes no initial state.
"""

from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

#: Steps of a chunk: five doublings.
CHUNK = 32


def scan(
    u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """y and the last state; on a GPU with Triton `scan_triton`, else `scan_chunked` while gradients are
    wanted, and `scan_reference`.

    u, dt: (batch, length, channels), dt positive. A: (channels, state), negative. B, C: (batch, length,
    state). h0: (batch, channels, state), zeros if None. Returns (batch, length, channels), (batch, channels,
    state).
    """
    if u.is_cuda and _has_triton():
        from .triton_scan import scan_triton

        return scan_triton(u, dt, A, B, C, h0)
    wanted = torch.is_grad_enabled() and u.shape[1] > 1
    return (scan_chunked if wanted else scan_reference)(u, dt, A, B, C, h0)


def scan_reference(
    u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """As `scan`, step by step."""
    h = u.new_zeros((u.shape[0], u.shape[2], A.shape[1])) if h0 is None else h0
    y = []
    for t in range(u.shape[1]):
        decay, drive = _step_terms(u[:, t], dt[:, t], A, B[:, t])
        h = decay * h + drive
        y.append((h * C[:, t, None, :]).sum(-1))
    return torch.stack(y, dim=1), h


def scan_chunked(
    u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """As `scan`, `CHUNK` steps at a time."""
    h = u.new_zeros((u.shape[0], u.shape[2], A.shape[1])) if h0 is None else h0
    y = []
    for start in range(0, u.shape[1], CHUNK):
        part = slice(start, start + CHUNK)
        inputs = (u[:, part], dt[:, part], A, B[:, part], C[:, part], h)
        result: Any = checkpoint(_chunk, *inputs, use_reentrant=False)
        chunk, h = result
        y.append(chunk)
    return torch.cat(y, dim=1), h


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None


def _step_terms(u: Tensor, dt: Tensor, A: Tensor, B: Tensor) -> tuple[Tensor, Tensor]:
    return torch.exp(dt[..., None] * A), (dt * u)[..., None] * B[..., None, :]


def _chunk(u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor) -> tuple[Tensor, Tensor]:
    decay, h = _step_terms(u, dt, A, B)
    h = torch.cat([h[:, :1] + decay[:, :1] * h0[:, None], h[:, 1:]], dim=1)
    # Doubling (Hillis and Steele 1986): after k rounds h_t holds the drive of the last 2^k steps.
    reach = 1
    while reach < u.shape[1]:
        h = torch.cat([h[:, :reach], h[:, reach:] + decay[:, reach:] * h[:, :-reach]], dim=1)
        decay = torch.cat([decay[:, :reach], decay[:, reach:] * decay[:, :-reach]], dim=1)
        reach *= 2
    return (h * C[:, :, None, :]).sum(-1), h[:, -1]
