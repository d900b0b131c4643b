"""Memory: tokens of the past to their change until later, by Mamba blocks on every atom.

What a gate sees are invariants: an atom's even scalars and the norms of its other tokens, over the size of
all of them. The gates that Mamba makes of these act on every component of every token alike,

    h_t = exp(Δ_t A) h_(t−1) + Δ_t B_t v_t,   out_t = σ(z_t) (C_t · h_t + D v_t),

so the recurrence is equivariant, and, the gates being free of any unit, of first degree in the tokens: twice
the change gives twice the answer, none gives none. What it gives is a correction to `linear_prediction`, at
most as large as the last prediction was wrong; untrained it gives none.
"""

# e3nn's irreps and torch's buffers come without types.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

from dataclasses import dataclass
from typing import NamedTuple

import torch
from e3nn import o3
from torch import Tensor
from torch.nn import functional

from .film import Film
from .linear_prediction import LAGS, Past, continued, nothing_yet
from .mamba import Mamba, MambaState
from .selective_scan import scan

#: Below this the size of the tokens is rounding.
NOTHING = 1e-20


class BlockState(NamedTuple):
    """Of one block: the scalar Mamba's inputs and h, and the tokens' h, (batch, d, d_state)."""

    inputs: Tensor
    scalars: Tensor
    tokens: Tensor


class DynamicsState(NamedTuple):
    """previous: of the linear prediction, its points, moments and last answer side by side, (batch, …).
    blocks: one a layer."""

    previous: Tensor
    blocks: tuple[BlockState, ...]


class TokenBlock(torch.nn.Module):
    """One Mamba block on tokens, with a residual connection."""

    def __init__(self, tokens: o3.Irreps, context: int | None, width: int, d_state: int) -> None:
        super().__init__()
        self.dim = tokens.dim
        self.layout = [(m, irrep.dim, part) for (m, irrep), part in zip(tokens, tokens.slices(), strict=True)]
        self.n_even = sum(m for m, irrep in tokens if irrep.is_scalar())
        channels = sum(m for m, _ in tokens)
        self.invariants = torch.nn.Linear(channels, width)
        self.film = None if context is None else Film(context, width)
        self.mamba = Mamba(width, d_state)
        self.mix_in, self.mix_out = o3.Linear(tokens, tokens), o3.Linear(tokens, tokens)
        self.even = torch.nn.Linear(width, self.n_even, bias=False)
        # Which of Mamba's gates each channel of tokens follows, cyclically.
        follow = [k % self.mamba.d_inner for k in range(channels)]
        widths = [irrep.dim for m, irrep in tokens for _ in range(m)]
        self.register_buffer(
            "follow", torch.tensor(follow).repeat_interleave(torch.tensor(widths)), persistent=False
        )
        with torch.no_grad():
            self.mix_out.weight.mul_(0.1)
            self.even.weight.mul_(0.1)

    def start(self, batch: int) -> BlockState:
        """The state before anything was seen."""
        inputs, h = self.mamba.start(batch)
        return BlockState(inputs, h, h.new_zeros((batch, self.dim, self.mamba.d_state)))

    def forward(
        self, tokens: Tensor, context: Tensor, size: Tensor, state: BlockState
    ) -> tuple[Tensor, BlockState]:
        """Tokens (batch, length, d), context (batch, c), size (batch, length, 1) of what came in."""
        scalars = self.invariants(self._invariants(tokens / (size + NOTHING)))
        if self.film is not None:
            scalars = self.film(scalars, context)
        remembered, (inputs, h), gates = self.mamba(scalars, MambaState(state.inputs, state.scalars))
        values = self.mix_in(tokens)
        A, dt = self.mamba.A[self.follow], gates.dt[..., self.follow]
        seen, h_tokens = scan(values, dt, A, gates.B, gates.C, state.tokens)
        seen = (seen + self.mamba.D[self.follow] * values) * torch.sigmoid(gates.z[..., self.follow])
        change = self.mix_out(seen)
        # Even scalars come first among tokens; theirs may be any function of invariants.
        even = size * self.even(functional.silu(remembered))
        change = torch.cat([change[..., : self.n_even] + even, change[..., self.n_even :]], dim=-1)
        return tokens + change, BlockState(inputs, h, h_tokens)

    def _invariants(self, tokens: Tensor) -> Tensor:
        parts = []
        for m, width, where in self.layout:
            part = tokens[..., where]
            if width > 1:
                squares = part.reshape(*part.shape[:-1], m, width).square().sum(-1)
                part = torch.sqrt(squares + NOTHING)
            parts.append(part)
        return torch.cat(parts, dim=-1)


@dataclass(frozen=True)
class TokenDynamicsShape:
    """What the memory is made of.

    width, state: channels of a Mamba block and what each remembers.
    layers: blocks; none: linear prediction alone.
    bundle: half steps looked ahead.
    """

    width: int
    state: int
    layers: int
    bundle: int


class TokenDynamics(torch.nn.Module):
    """Tokens and currents of every time, with the field's share, to their change until `bundle` later times.

    tokens: irreps of the real tokens; currents: of the imaginary ones, odd under time reversal.
    context: invariants of an atom that condition the blocks, None for no conditioning.
    """

    def __init__(self, tokens: str, currents: str, context: int | None, shape: TokenDynamicsShape) -> None:
        super().__init__()
        self.irreps = o3.Irreps(tokens) + o3.Irreps(currents)
        self.n_tokens, self.bundle = o3.Irreps(tokens).dim, shape.bundle
        both = 4 * self.irreps + o3.Irreps(tokens)
        ordered = both.sort()
        self.register_buffer("order", _component_order(both, ordered.p), persistent=False)
        inside = ordered.irreps.simplify()
        self.blocks = torch.nn.ModuleList(
            TokenBlock(inside, context, shape.width, shape.state) for _ in range(shape.layers)
        )
        self.readout = torch.nn.ModuleList(o3.Linear(inside, self.irreps) for _ in range(shape.bundle))
        with torch.no_grad():
            for readout in self.readout:
                readout.weight.zero_()

    def start(self, batch: int, seen: Tensor | None = None) -> DynamicsState:
        """The state before anything was seen, `batch` atoms; or when linear prediction alone has seen the
        tokens (atoms, length, d)."""
        past = nothing_yet(self.readout[0].weight, batch, self.irreps.dim)
        expected = past.points[:, -1]
        if seen is not None and seen.shape[1]:
            found, _, past = continued(seen, past, 1)
            expected = found[0, :, -1]
        return DynamicsState(
            _side_by_side(past, expected), tuple(block.start(batch) for block in self.blocks)
        )  # pyright: ignore

    def forward(
        self, tokens: Tensor, field: Tensor, context: Tensor, state: DynamicsState
    ) -> tuple[Tensor, DynamicsState]:
        """Tokens and currents (atoms, length, d), the field's share of tokens (atoms, length, n_tokens),
        context (atoms, c). Returns the changes (bundle, atoms, length, d) and the state."""
        d = self.irreps.dim
        points, moments, expected = state.previous.split([(LAGS + 1) * d, (LAGS + 2) ** 2, d], dim=1)
        past = Past(points.unflatten(1, (LAGS + 1, d)), moments.unflatten(1, (LAGS + 2, LAGS + 2)))
        found, before, past = continued(tokens, past, (self.bundle + 1) // 2 + 1)
        extrapolated = _half_steps(before, tokens, found, self.bundle) - tokens
        surprise = tokens - torch.cat([expected[:, None], found[0, :, :-1]], dim=1)
        inside = torch.cat([tokens, tokens - before, found[0] - tokens, surprise, field], dim=-1)
        inside = inside[..., self.order]
        size = torch.linalg.vector_norm(inside, dim=-1, keepdim=True)
        states = []
        for block, old in zip(self.blocks, state.blocks, strict=True):
            inside, new = block(inside, context, size, old)
            states.append(new)
        # Components of order one, which is what read-outs are scaled for.
        inside = inside * (inside.shape[-1] ** 0.5 / (size + NOTHING))
        asked = torch.stack([readout(inside) for readout in self.readout])
        # Never more than the prediction was last wrong by. Going on from its own tokens, that is the last
        # correction: they die out instead of feeding each other.
        wrong = torch.sqrt(surprise.square().sum(-1, keepdim=True) + NOTHING)
        changes = extrapolated + wrong * asked / torch.sqrt(1 + asked.square().sum(-1, keepdim=True))
        return changes, DynamicsState(_side_by_side(past, found[0, :, -1]), tuple(states))


def _side_by_side(past: Past, expected: Tensor) -> Tensor:
    return torch.cat([past.points.flatten(1), past.moments.flatten(1), expected], dim=1)


def _half_steps(before: Tensor, now: Tensor, found: Tensor, bundle: int) -> Tensor:
    """The next `bundle` half steps, (bundle, …), of whole steps; between two, the cubic through four."""
    whole = [before, now, *found]
    steps = []
    for j in range(1, bundle + 1):
        if j % 2 == 0:
            steps.append(whole[j // 2 + 1])
        else:
            first, second, third, fourth = whole[j // 2 : j // 2 + 4]
            steps.append((9 * (second + third) - first - fourth) / 16)
    return torch.stack(steps)


def _component_order(irreps: o3.Irreps, places: tuple[int, ...]) -> Tensor:
    """Components of `irreps` in the order of its sorted form; places[k]: where entry k goes."""
    slices = irreps.slices()
    entries = sorted(range(len(places)), key=lambda k: places[k])
    return torch.cat([torch.arange(slices[k].start, slices[k].stop) for k in entries])
