"""The selective scan of `selective_scan` as two Triton kernels, forwards and backwards, for GPUs.

A program takes one sequence and a block of channels from the first step to the last with h in registers. What
flows back through h is the same recurrence the other way round,

    g_t = C_t ȳ_t + exp(Δ_(t+1) A) g_(t+1),   g_T + 1 = h̄_last,

and every gradient is a product of g_t with what the forward pass kept, h_(t−1).
"""

# A compile-time constant of a kernel is given as the plain number that it is.
# pyright: basic, reportIndexIssue=false, reportArgumentType=false

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

#: Channels of one program.
BLOCK = 32


def scan_triton(
    u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, h0: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """As `selective_scan.scan`, on one GPU (or, interpreted, on the CPU); in single precision inside, unless
    all is double."""
    h0 = u.new_zeros((u.shape[0], u.shape[2], A.shape[1])) if h0 is None else h0
    inputs = (u, dt, A, B, C, h0)
    inside = torch.float64 if all(part.dtype == torch.float64 for part in inputs) else torch.float32
    result: Any = _Scan.apply(*(part.to(inside) for part in inputs))
    y, last = result
    return y.to(u.dtype), last.to(h0.dtype)


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        u, dt, A, B, C, h0 = (part.contiguous() for part in inputs)
        batch, length, channels = u.shape
        state = A.shape[1]
        y = torch.empty_like(u)
        # h before the first step, and after every one.
        h = u.new_empty((batch, length + 1, channels, state))
        h[:, 0] = h0
        grid = (batch, triton.cdiv(channels, BLOCK))
        _forwards[grid](u, dt, A, B, C, h, y, length, channels, state, BLOCK, triton.next_power_of_2(state))
        ctx.save_for_backward(u, dt, A, B, C, h)
        return y, h[:, -1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        u, dt, A, B, C, h = ctx.saved_tensors
        from_y, from_last = (part.contiguous() for part in gradients)
        batch, length, channels = u.shape
        state, blocks = A.shape[1], triton.cdiv(channels, BLOCK)
        of_u, of_dt = torch.empty_like(u), torch.empty_like(u)
        # Sums over sequences and over blocks of channels are left to torch.
        of_A = u.new_empty((batch, channels, state))
        of_B, of_C = (u.new_empty((blocks, batch, length, state)) for _ in range(2))
        of_h0 = u.new_empty((batch, channels, state))
        _backwards[(batch, blocks)](
            *(u, dt, A, B, C, h, from_y, from_last, of_u, of_dt, of_A, of_B, of_C, of_h0),
            *(batch, length, channels, state, BLOCK, triton.next_power_of_2(state)),
        )
        return of_u, of_dt, of_A.sum(0), of_B.sum(0), of_C.sum(0), of_h0


@triton.jit
def _forwards(
    u, dt, A, B, C, h, y, length, channels, state, CHANNELS: tl.constexpr, STATE: tl.constexpr
):  # pragma: no cover
    sequence = tl.program_id(0)
    c = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    s = tl.arange(0, STATE)
    in_c, in_s = c < channels, s < state
    inside = in_c[:, None] & in_s[None, :]
    entry = c[:, None] * state + s[None, :]
    a = tl.load(A + entry, mask=inside, other=0.0)
    now = tl.load(h + sequence * (length + 1) * channels * state + entry, mask=inside, other=0.0)
    for t in range(length):
        row = sequence * length + t
        d = tl.load(dt + row * channels + c, mask=in_c, other=0.0)
        x = tl.load(u + row * channels + c, mask=in_c, other=0.0)
        b = tl.load(B + row * state + s, mask=in_s, other=0.0)
        out = tl.load(C + row * state + s, mask=in_s, other=0.0)
        now = tl.exp(d[:, None] * a) * now + (d * x)[:, None] * b[None, :]
        tl.store(y + row * channels + c, tl.sum(now * out[None, :], axis=1), mask=in_c)
        place = (sequence * (length + 1) + t + 1) * channels * state
        tl.store(h + place + entry, now, mask=inside)


@triton.jit
def _backwards(
    u,
    dt,
    A,
    B,
    C,
    h,
    from_y,
    from_last,
    of_u,
    of_dt,
    of_A,
    of_B,
    of_C,
    of_h0,
    batch,
    length,
    channels,
    state,
    CHANNELS: tl.constexpr,
    STATE: tl.constexpr,
):  # pragma: no cover
    sequence, block = tl.program_id(0), tl.program_id(1)
    c = block * CHANNELS + tl.arange(0, CHANNELS)
    s = tl.arange(0, STATE)
    in_c, in_s = c < channels, s < state
    inside = in_c[:, None] & in_s[None, :]
    entry = c[:, None] * state + s[None, :]
    a = tl.load(A + entry, mask=inside, other=0.0)
    g = tl.load(from_last + sequence * channels * state + entry, mask=inside, other=0.0)
    sum_a = tl.zeros_like(a)
    for back in range(length):
        t = length - 1 - back
        row = sequence * length + t
        part = (block * batch + sequence) * length + t
        d = tl.load(dt + row * channels + c, mask=in_c, other=0.0)
        x = tl.load(u + row * channels + c, mask=in_c, other=0.0)
        gy = tl.load(from_y + row * channels + c, mask=in_c, other=0.0)
        b = tl.load(B + row * state + s, mask=in_s, other=0.0)
        out = tl.load(C + row * state + s, mask=in_s, other=0.0)
        place = (sequence * (length + 1) + t) * channels * state
        old = tl.load(h + place + entry, mask=inside, other=0.0)
        new = tl.load(h + place + channels * state + entry, mask=inside, other=0.0)
        g += gy[:, None] * out[None, :]
        decay = tl.exp(d[:, None] * a)
        driven = tl.sum(g * b[None, :], axis=1)
        through = g * decay * old
        tl.store(of_u + row * channels + c, d * driven, mask=in_c)
        tl.store(of_dt + row * channels + c, tl.sum(through * a, axis=1) + x * driven, mask=in_c)
        tl.store(of_B + part * state + s, tl.sum(g * (d * x)[:, None], axis=0), mask=in_s)
        tl.store(of_C + part * state + s, tl.sum(gy[:, None] * new, axis=0), mask=in_s)
        sum_a += through * d[:, None]
        g = g * decay
    tl.store(of_A + sequence * channels * state + entry, sum_a, mask=inside)
    tl.store(of_h0 + sequence * channels * state + entry, g, mask=inside)
