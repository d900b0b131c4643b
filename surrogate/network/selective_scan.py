"""The selective scan of Mamba (Gu and Dao, arXiv:2312.00752, eqs. 2 and 4), with an initial and a last state.

    h_t = exp(Δ_t A) h_(t−1) + Δ_t B_t u_t,    y_t = C_t · h_t

`scan_reference` is the definition, `scan_chunked` the same for training: a chunk is a prefix scan by
doubling, and is computed again in the backward pass instead of kept. `scan_triton` and `scan_mamba_ssm` are
the same on a GPU. Gradients flow through both ends of the state.

Which one `scan` takes: on a GPU that of `mamba_ssm`, where that can be imported, in single or half
precision, and for sequences longer than the steps it adds; else `scan_triton`, where there is Triton.
Anywhere else `scan_chunked` while gradients are wanted, and `scan_reference`.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

#: Steps of a chunk: five doublings.
CHUNK = 32
#: dt of the steps that bring in an initial state: a power of two, and so small that they hardly decay.
ENTRY = 2.0**-12

Scan = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]


def scan(
    u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """y and the last state, by what `fastest` names.

    u, dt: (batch, length, channels), dt positive. A: (channels, state), negative. B, C: (batch, length,
    state). h0: (batch, channels, state), zeros if None. Returns (batch, length, channels), (batch, channels,
    state).
    """
    chosen = fastest(u.device.type, u.dtype, u.shape[1], A.shape[1], torch.is_grad_enabled())
    return chosen(u, dt, A, B, C, h0)


def fastest(device: str, dtype: torch.dtype, length: int, state: int, gradients: bool) -> Scan:
    """The implementation that `scan` takes, by the rule in the module's docstring."""
    if device == "cuda":
        if dtype != torch.float64 and length > 2 * state and _selective_scan_fn() is not None:
            return scan_mamba_ssm
        if _has_triton():
            from .triton_scan import scan_triton

            return scan_triton
    return scan_chunked if gradients and length > 1 else scan_reference


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


def scan_mamba_ssm(
    u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """As `scan`, by the kernel of `mamba_ssm`, which knows no initial state and no gradient of the last one.

    Both are steps before and after the sequence, one for every component n of the state, so that the
    kernel's own gradients are those of the ends too. Before: a short drive of component n alone, B = e_n
    and u = h0_n / dt, of which what decays until the sequence begins is put in beforehand. After: dt = 0,
    which changes nothing, and C = e_n, so that y is component n. Without gradients the kernel's own last
    state will do.
    """
    kernel = _selective_scan_fn()
    assert kernel is not None
    state, length, dtype = A.shape[1], u.shape[1], u.dtype
    A = A.float()
    each = torch.eye(state, device=u.device).expand(u.shape[0], -1, -1)
    # The kernel's layout: time last.
    u, dt, B, C = (part.float().mT for part in (u, dt, B, C))
    ends = torch.zeros_like(dt[..., :1]).expand(-1, -1, state)
    before = 0
    if h0 is not None:
        before = state
        left = torch.arange(state - 1, -1, -1, device=u.device)
        drive = h0.float() * torch.exp(-ENTRY * left * A) / ENTRY
        u, dt = torch.cat([drive, u], dim=2), torch.cat([ends + ENTRY, dt], dim=2)
        B, C = torch.cat([each, B], dim=2), torch.cat([torch.zeros_like(each), C], dim=2)
    gradients = torch.is_grad_enabled()
    if gradients:
        u, dt = torch.cat([u, ends], dim=2), torch.cat([dt, ends], dim=2)
        B, C = torch.cat([B, torch.zeros_like(each)], dim=2), torch.cat([C, each], dim=2)
    y, last = kernel(*(part.contiguous() for part in (u, dt, A, B, C)), return_last_state=True)
    if gradients:
        last = y[..., before + length :]
    return y[..., before : before + length].mT.to(dtype), last.to(dtype)


@cache
def _selective_scan_fn() -> Callable[..., Any] | None:
    """The kernel of `mamba_ssm`; None where that is not installed, or was not built for this machine."""
    try:
        from mamba_ssm.ops.selective_scan_interface import (  # pyright: ignore[reportMissingImports]
            selective_scan_fn,
        )
    except (ImportError, OSError):
        return None
    return selective_scan_fn


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
