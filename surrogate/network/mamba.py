"""Mamba's block for sequences of scalars, with the parameters of `mamba_ssm.Mamba`, name for name.

Weights of either load into the other strictly. Beyond it this one takes and returns its state, gives
gradients through it, runs on a CPU, and lends its gates to whatever must be remembered alike
(`token_dynamics`).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .selective_scan import scan


class MambaState(NamedTuple):
    """inputs: the last d_conv − 1 inputs of the convolution, (batch, d_conv − 1, d_inner).
    h: (batch, d_inner, d_state)."""

    inputs: Tensor
    h: Tensor


class MambaGates(NamedTuple):
    """What decides how much is remembered: dt (batch, length, d_inner), B and C (batch, length, d_state), and
    the output gate z (batch, length, d_inner)."""

    dt: Tensor
    B: Tensor
    C: Tensor
    z: Tensor


class Mamba(torch.nn.Module):
    """One block, (batch, length, d_model) to the same; defaults are those of `mamba_ssm`."""

    def __init__(self, d_model: int, d_state: int = 16, d_conv: int = 4, expand: int = 2) -> None:
        super().__init__()
        self.d_inner, self.d_state, self.d_conv = expand * d_model, d_state, d_conv
        self.dt_rank = math.ceil(d_model / 16)
        self.in_proj = torch.nn.Linear(d_model, 2 * self.d_inner, bias=False)
        self.conv1d = torch.nn.Conv1d(self.d_inner, self.d_inner, d_conv, groups=self.d_inner)
        self.x_proj = torch.nn.Linear(self.d_inner, self.dt_rank + 2 * d_state, bias=False)
        self.dt_proj = torch.nn.Linear(self.dt_rank, self.d_inner)
        # Real initialisation S4D, and time steps log-uniform between 1e-3 and 0.1 (section 3.6 of the paper).
        self.A_log = torch.nn.Parameter(torch.log(torch.arange(1.0, d_state + 1)).repeat(self.d_inner, 1))
        self.D = torch.nn.Parameter(torch.ones(self.d_inner))
        self.out_proj = torch.nn.Linear(self.d_inner, d_model, bias=False)
        torch.nn.init.uniform_(self.dt_proj.weight, -(self.dt_rank**-0.5), self.dt_rank**-0.5)
        dt = torch.exp(torch.rand(self.d_inner) * math.log(100.0) + math.log(1e-3))
        with torch.no_grad():
            self.dt_proj.bias.copy_(dt + torch.log(-torch.expm1(-dt)))

    def start(self, batch: int) -> MambaState:
        """The state before anything was seen."""
        like = self.D
        inputs = like.new_zeros((batch, self.d_conv - 1, self.d_inner))
        return MambaState(inputs, like.new_zeros((batch, self.d_inner, self.d_state)))

    @property
    def A(self) -> Tensor:
        """(d_inner, d_state), negative."""
        return -torch.exp(self.A_log)

    def forward(self, x: Tensor, state: MambaState | None = None) -> tuple[Tensor, MambaState, MambaGates]:
        """Output (batch, length, d_model), the state after the last step, and the gates used."""
        state = self.start(x.shape[0]) if state is None else state
        inside, z = self.in_proj(x).chunk(2, dim=-1)
        seen = torch.cat([state.inputs, inside], dim=1)
        u = functional.silu(self.conv1d(seen.transpose(1, 2)).transpose(1, 2))
        rank, B, C = self.x_proj(u).split([self.dt_rank, self.d_state, self.d_state], dim=-1)
        dt = functional.softplus(self.dt_proj(rank))
        y, h = scan(u, dt, self.A, B, C, state.h)
        y = (y + self.D * u) * functional.silu(z)
        return self.out_proj(y), MambaState(seen[:, x.shape[1] :], h), MambaGates(dt, B, C, z)
