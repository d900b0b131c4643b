"""Tokens of the past continued: linear prediction, fitted on the way to all that was seen.

    s_(t+1) − s_t ≈ c₀ s_t + c₁ (s_t − s_(t−1)) + … + c_K (s_(t−K+1) − s_(t−K))

Half as many oscillations, however many components share them, obey such an equation exactly (Prony's method;
Makhoul, Proc. IEEE 63, 561 (1975)). An atom's c are the least squares over its past, forwards and backwards,
drawn towards linear extrapolation, c₁ = 1, as far as the past does not say. They follow from inner products
of tokens, which turning the molecule leaves alone and which give c no unit: the prediction is equivariant and
of first degree.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

#: K, and how strongly c is drawn, as a share of each regressor's own square.
LAGS, RIDGE = 12, 1e-4
#: Added to squares: what is smaller is rounding.
_NOTHING = 1e-20


class Past(NamedTuple):
    """points: the last LAGS + 1, oldest first, (batch, LAGS + 1, d). moments: inner products of regressors
    and target, summed over time, (batch, LAGS + 2, LAGS + 2)."""

    points: Tensor
    moments: Tensor


def nothing_yet(like: Tensor, batch: int, d: int) -> Past:
    """The past before anything was seen."""
    return Past(like.new_zeros((batch, LAGS + 1, d)), like.new_zeros((batch, LAGS + 2, LAGS + 2)))


def continued(points: Tensor, past: Past, ahead: int) -> tuple[Tensor, Tensor, Past]:
    """The next `ahead` points after every point (batch, length, d).

    Returns predictions (ahead, batch, length, d), the point before each (batch, length, d), and the past
    after the last point. No gradients.
    """
    length = points.shape[1]
    with torch.no_grad():
        everything = torch.cat([past.points, points], dim=1)
        lags = [everything[:, LAGS + 1 - k : LAGS + 1 - k + length] for k in range(LAGS + 2)]
        changes = [new - old for new, old in pairwise(lags)]
        # What oscillates undamped does so backwards as well, as far back as there was anything.
        since = (lags[-1].abs().sum(-1) > 0).to(points.dtype)
        products = _products(lags) + since[:, :, None, None] * _products(lags[::-1])
        moments = past.moments[:, None] + torch.cumsum(products, dim=1)
        c = _coefficients(moments)
        found = []
        point, regressors = lags[0], changes[:-1]
        for _ in range(ahead):
            change = (c[..., None] * torch.stack([point, *regressors], dim=2)).sum(2)
            point, regressors = point + change, [change, *regressors[:-1]]
            found.append(point)
        after = Past(everything[:, -LAGS - 1 :], moments[:, -1])
        return torch.stack(found), lags[1], after


def _products(lags: list[Tensor]) -> Tensor:
    """Inner products of regressors and target, (batch, length, LAGS + 2, LAGS + 2); its lag first."""
    changes = [new - old for new, old in pairwise(lags)]
    seen = torch.stack([lags[1], *changes[1:], changes[0]], dim=2)
    # Not a matrix product, which mixed precision would round.
    return (seen[:, :, :, None] * seen[:, :, None]).sum(-1)


def _coefficients(moments: Tensor) -> Tensor:
    """c (…, LAGS + 1) of moments (…, LAGS + 2, LAGS + 2)."""
    n = LAGS + 1
    unit = torch.eye(n, dtype=moments.dtype, device=moments.device)
    square, target = moments[..., :n, :n], moments[..., :n, n]
    scale = torch.sqrt(torch.diagonal(square, dim1=-2, dim2=-1) + _NOTHING)
    normal = square / (scale[..., :, None] * scale[..., None, :]) + RIDGE * unit
    # What linear extrapolation leaves.
    left = (target - square[..., 1]) / scale
    # Gauss and Jordan, no pivots for a positive matrix: ONNX has no solver.
    both = torch.cat([normal, left[..., None]], dim=-1)
    for k in range(n):
        row = both[..., k : k + 1, :] / both[..., k : k + 1, k : k + 1]
        both = both - (both[..., :, k : k + 1] - unit[:, k : k + 1]) * row
    return unit[1] + both[..., n] / scale
