"""The graphs' modules: steps in turn, rollouts, many changes at once."""

import numpy as np
import pytest
import torch
from hybrid_propagate.surrogate.network.response_model import ResponseModel
from hybrid_propagate.surrogate.network.response_step import Response, Rollout, Step, state_width
from small_model import WATER, answer, case, double_model, molecule, random_change

FIELD = np.array([2e-3, -1e-3, 5e-4])


@pytest.fixture(scope="module")
def model() -> ResponseModel:
    """Random weights in double precision."""
    return double_model()


def test_steps_equal_a_sequence_and_carried_state_one_pass(model: ResponseModel) -> None:
    torch.manual_seed(2)
    atoms, length = 3, 7
    dynamics = model.dynamics
    tokens = torch.randn(atoms, length, dynamics.irreps.dim, dtype=torch.float64)
    field = torch.randn(atoms, length, dynamics.n_tokens, dtype=torch.float64)
    context = torch.randn(atoms, model.config.context, dtype=torch.float64)
    whole, last = dynamics(tokens, field, context, dynamics.start(atoms))
    for cuts in ([1] * length, [3, 4]):
        state, parts = dynamics.start(atoms), []
        for part, drive in zip(tokens.split(cuts, dim=1), field.split(cuts, dim=1), strict=True):
            change, state = dynamics(part, drive, context, state)
            parts.append(change)
        torch.testing.assert_close(torch.cat(parts, dim=2), whole, rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(state.blocks[0].tokens, last.blocks[0].tokens, rtol=1e-9, atol=1e-11)


def test_rollout_is_steps_in_turn(model: ResponseModel) -> None:
    of = case(model, molecule(WATER))
    p, a = of.linear.real.shape[0], of.linear.imag.shape[0]
    torch.manual_seed(4)
    x, y, field = (1e-2 * torch.randn(3, k, dtype=torch.float64) for k in (p, a, 3))
    state = torch.zeros(3, answer(model, of, random_change(13), FIELD)[2].next_state.shape[1]).double()
    with torch.no_grad():
        *many, last = Rollout(model.dynamics)(*of.linear, *of.memory, x, y, field, state)
        for t in range(3):
            *one, state = Step(model.dynamics)(*of.linear, *of.memory, x[t], y[t], field[t], state)
            for rolled, single in zip(many, one, strict=True):
                torch.testing.assert_close(rolled[t], single, rtol=1e-9, atol=1e-13)
    torch.testing.assert_close(last, state, rtol=1e-9, atol=1e-13)


def test_many_changes_at_once_are_those_of_steps(model: ResponseModel) -> None:
    """The response alone is the step's, and the spread is that of members taken back to pairs one by one."""
    of = case(model, molecule(WATER))
    torch.manual_seed(6)
    x, y = (torch.randn(4, len(base), dtype=torch.float64) for base in of.linear[2:])
    field, state = torch.zeros(3).double(), torch.zeros(3, state_width(model.dynamics)).double()
    with torch.no_grad():
        found = Response(2.0)(*of.linear, x, y)
        for k in range(4):
            one = Step(model.dynamics, 2.0)(*of.linear, *of.memory, x[k], y[k], field, state)
            for together, single in zip(found, one[:3], strict=True):
                torch.testing.assert_close(together[k], single, rtol=1e-9, atol=1e-13)
    B = of.linear.factors
    members = torch.stack([x @ B.T @ W @ B for W in of.kernel])
    apart = (members - members.mean(0)).square().sum(-1).mean(0).sqrt()
    size = torch.hypot(*(torch.linalg.vector_norm(part, dim=-1) for part in found[:2]))
    torch.testing.assert_close(found[2], 2.0 * apart / size, rtol=1e-9, atol=0.0)
