"""The graphs: geometry to metrics, one density to its response, and many of them in turn.

These modules hold nothing but the network; shapes, units and names are those of docs/neural_graph.md.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .response_decoder import assemble_metric
from .response_model import ResponseModel
from .token_dynamics import BlockState, DynamicsState, TokenDynamics


class Encode(torch.nn.Module):
    """One geometry: metrics (members, A d, A d), context (A, c), coupling to the field (A, d, 3)."""

    def __init__(self, model: ResponseModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, atomic_numbers: Tensor, positions: Tensor, pairs: Tensor, basis_moments: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See docs/neural_graph.md."""
        model, n_atoms = self.model, atomic_numbers.shape[0]
        features = model.features(atomic_numbers, positions, pairs, basis_moments)
        blocks = model.decoder(features, positions, pairs)
        metric = assemble_metric(blocks[0], blocks[1], pairs, n_atoms)[:, 0]
        context, coupling = model.conditions(features)
        return metric, context, coupling


class Constants(NamedTuple):
    """What is the same at all times: factors (A d, p), currents (A d', a), metric, context, coupling, and the
    base on packed pairs (p, p), (a, a)."""

    factors: Tensor
    currents: Tensor
    metric: Tensor
    context: Tensor
    coupling: Tensor
    base_real: Tensor
    base_imag: Tensor


class StepResult(NamedTuple):
    """Packed responses now, their spread, the packed real response a half step ahead, the next state."""

    response_x: Tensor
    response_y: Tensor
    spread: Tensor
    ahead_x: Tensor
    next_state: Tensor


class Step(torch.nn.Module):
    """One density change: the response now, by all members, and a half step ahead."""

    def __init__(self, dynamics: TokenDynamics, calibration: float = 1.0) -> None:
        super().__init__()
        self.dynamics, self.calibration = dynamics, calibration

    def forward(
        self,
        factors: Tensor,
        currents: Tensor,
        metric: Tensor,
        context: Tensor,
        coupling: Tensor,
        base_real: Tensor,
        base_imag: Tensor,
        x: Tensor,
        y: Tensor,
        field: Tensor,
        state: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """See docs/neural_graph.md."""
        constants = Constants(factors, currents, metric, context, coupling, base_real, base_imag)
        return respond(self.dynamics, self.calibration, constants, x, y, field, state)


class Rollout(torch.nn.Module):
    """Step after step over the leading axis of x, y and field. In ONNX it is one Scan over the step's
    graph."""

    def __init__(self, dynamics: TokenDynamics, calibration: float = 1.0) -> None:
        super().__init__()
        self.dynamics, self.calibration = dynamics, calibration

    def forward(
        self,
        factors: Tensor,
        currents: Tensor,
        metric: Tensor,
        context: Tensor,
        coupling: Tensor,
        base_real: Tensor,
        base_imag: Tensor,
        x: Tensor,
        y: Tensor,
        field: Tensor,
        state: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """See docs/neural_graph.md."""
        constants = Constants(factors, currents, metric, context, coupling, base_real, base_imag)
        outputs = []
        for row in zip(x, y, field, strict=True):
            *now, state = respond(self.dynamics, self.calibration, constants, *row, state)
            outputs.append(now)
        response_x, response_y, spread, ahead_x = (torch.stack(part) for part in zip(*outputs, strict=True))
        return response_x, response_y, spread, ahead_x, state


def respond(
    dynamics: TokenDynamics,
    calibration: float,
    constants: Constants,
    x: Tensor,
    y: Tensor,
    field: Tensor,
    state: Tensor,
) -> StepResult:
    """One density change, packed.

    Products are written as rows times matrices, the base being symmetric, or as matrices times columns: ONNX
    Runtime takes ten times as long for a matrix times a vector.
    """
    B = constants.factors
    q = (B @ x[:, None]).reshape(-1)
    members = constants.metric.shape[0]
    rows = constants.metric.flatten(0, 1)
    of_members = (rows @ q[:, None]).reshape(members, -1)
    mean_tokens = of_members.mean(0)
    learned = torch.cat([mean_tokens[None], of_members - mean_tokens]) @ B
    response_x = (x[None] @ constants.base_real)[0] + learned[0]
    response_y = (y[None] @ constants.base_imag)[0]
    variance = learned[1:].square().sum(-1).mean()
    whole = response_x.square().sum() + response_y.square().sum()
    # Nothing has no spread.
    spread = calibration * torch.sqrt(variance / torch.clamp(whole, min=1e-30))

    n_atoms = constants.context.shape[0]
    tokens = torch.cat(
        [q.reshape(n_atoms, -1), (constants.currents @ y[:, None]).reshape(n_atoms, -1)], dim=1
    )
    seen = constants.coupling @ field
    change, after = dynamics(tokens[:, None], seen[:, None], constants.context, unpack_state(dynamics, state))
    moved = change[0, :, 0, : dynamics.n_tokens].reshape(-1)
    further = moved[None] @ B
    of_moved = (rows @ (B @ further.reshape(-1, 1))).reshape(members, -1).mean(0)
    ahead = response_x + (further @ constants.base_real + of_moved[None] @ B)[0]
    return StepResult(response_x, response_y, spread, ahead, pack_state(after))


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
