"""The graphs: geometry to kernels, densities to their responses, and with a memory, one by one or in turn.

These modules hold nothing but the network; shapes, units and names are those of docs/neural/graphs.md.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .response_decoder import assemble_kernel
from .response_model import ResponseModel
from .token_dynamics import BlockState, DynamicsState, TokenDynamics


class Encode(torch.nn.Module):
    """One geometry: kernels (members, A d, A d), context (A, c), coupling to the field (A, d, 3)."""

    def __init__(self, model: ResponseModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, atomic_numbers: Tensor, positions: Tensor, pairs: Tensor, basis_moments: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See docs/neural/graphs.md."""
        model, n_atoms = self.model, atomic_numbers.shape[0]
        features = model.features(atomic_numbers, positions, pairs, basis_moments)
        blocks = model.decoder(features, positions, pairs)
        kernel = assemble_kernel(blocks[0], blocks[1], pairs, n_atoms)[:, 0]
        context, coupling = model.conditions(features)
        return kernel, context, coupling


class Linear(NamedTuple):
    """A geometry's instantaneous response: factors B (A d, p), the members' variance on tokens (A d, A d),
    and the whole response on packed pairs: real (p, p), the base and Bᵀ W̄ B, and imag (a, a), the base."""

    factors: Tensor
    variance: Tensor
    real: Tensor
    imag: Tensor


class Memory(NamedTuple):
    """What looking ahead needs of a geometry besides: currents (A d', a), context, coupling, and what tokens
    are answered, B real (A d, p)."""

    currents: Tensor
    context: Tensor
    coupling: Tensor
    answers: Tensor


class Now(NamedTuple):
    """A time point: packed changes (p,) and (a,), field (3,), the memory before it."""

    x: Tensor
    y: Tensor
    field: Tensor
    state: Tensor


class StepResult(NamedTuple):
    """Packed responses now, their spread, the packed real response a half step ahead, the next state."""

    response_x: Tensor
    response_y: Tensor
    spread: Tensor
    ahead_x: Tensor
    next_state: Tensor


class Response(torch.nn.Module):
    """Density changes to the ensemble's responses, without the memory: what a propagation asks for."""

    def __init__(self, calibration: float = 1.0) -> None:
        super().__init__()
        self.calibration = calibration

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`Linear`, x (k, p), y (k, a); see docs/neural/graphs.md."""
        *of, x, y = inputs
        _, response_x, response_y, spread = respond(Linear(*of), x, y)
        return response_x, response_y, self.calibration * spread


class Step(torch.nn.Module):
    """One density change: the ensemble's response now, and a half step ahead."""

    def __init__(self, dynamics: TokenDynamics, calibration: float = 1.0) -> None:
        super().__init__()
        self.dynamics, self.calibration = dynamics, calibration

    def forward(self, *inputs: Tensor) -> StepResult:
        """`Linear`, `Memory`, `Now`; see docs/neural/graphs.md."""
        of, memory, now = Linear(*inputs[:4]), Memory(*inputs[4:8]), Now(*inputs[8:])
        q, response_x, response_y, spread = respond(of, now.x[None], now.y[None])
        n_atoms = memory.context.shape[0]
        parts = [part.reshape(n_atoms, -1) for part in (q, now.y[None] @ memory.currents.mT)]
        seen, before = memory.coupling @ now.field, unpack_state(self.dynamics, now.state)
        change, after = self.dynamics(torch.cat(parts, dim=1)[:, None], seen[:, None], memory.context, before)
        moved = change[0, :, 0, : self.dynamics.n_tokens].reshape(1, -1)
        ahead = response_x + moved @ memory.answers
        return StepResult(
            response_x[0], response_y[0], self.calibration * spread[0], ahead[0], pack_state(after)
        )


class Rollout(Step):
    """Step after step over the leading axis of x, y and field. In ONNX it is one Scan over the step's
    graph."""

    def forward(self, *inputs: Tensor) -> StepResult:
        """As of `Step`; results but the last have the leading axis too."""
        *constants, x, y, field, state = inputs
        outputs = []
        for row in zip(x, y, field, strict=True):
            *now, state = super().forward(*constants, *row, state)
            outputs.append(now)
        response_x, response_y, spread, ahead_x = (torch.stack(part) for part in zip(*outputs, strict=True))
        return StepResult(response_x, response_y, spread, ahead_x, state)


def linear(factors: Tensor, kernel: Tensor, base_real: Tensor, base_imag: Tensor) -> Linear:
    """From the kernels of all members (members, A d, A d), once a geometry.

    Members differ by Bᵀ d, d = (W − W̄) q, whose square is that of d in B Bᵀ: one quadratic form of q for all.
    """
    mean = kernel.mean(0)
    apart = kernel - mean
    variance = (apart @ (factors @ factors.mT) @ apart).mean(0)
    return Linear(factors, variance, base_real + factors.mT @ mean @ factors, base_imag)


def respond(of: Linear, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Density changes x (k, p), y (k, a): their tokens (k, A d), packed responses, spreads (k,).

    Every matrix is read once: reading is what a response costs. Products are rows times matrices, symmetric
    ones as they are: with one row ONNX Runtime streams the matrix; a column, or a few rows, it copies first.
    """
    q = x @ of.factors.mT
    variance = ((q @ of.variance) * q).sum(-1)
    response_x, response_y = x @ of.real, y @ of.imag
    whole = response_x.square().sum(-1) + response_y.square().sum(-1)
    # Nothing has no spread.
    return q, response_x, response_y, torch.sqrt(variance.clamp(min=0.0) / whole.clamp(min=1e-30))


def state_width(dynamics: TokenDynamics) -> int:
    """Numbers an atom that the memory holds."""
    return pack_state(dynamics.start(1)).shape[1]


def pack_state(state: DynamicsState) -> Tensor:
    """The memory as one matrix, (atoms, width)."""
    parts = [state.previous, *(part.flatten(1) for block in state.blocks for part in block)]
    return torch.cat(parts, dim=1)


def unpack_state(dynamics: TokenDynamics, packed: Tensor) -> DynamicsState:
    """The inverse of `pack_state`."""
    pattern = dynamics.start(1)
    place = pattern.previous.shape[1]
    previous, blocks = packed[:, :place], []
    for block in pattern.blocks:
        parts = []
        for part in block:
            width = part[0].numel()
            parts.append(packed[:, place : place + width].unflatten(1, part.shape[1:]))
            place += width
        blocks.append(BlockState(*parts))
    return DynamicsState(previous, tuple(blocks))
