"""Feature-wise linear modulation: a geometry's invariants scale and shift a sequence's scalars.

Perez et al., AAAI 2018, with the scale bounded, γ = 2σ(·), so that no geometry can make the recurrence
unstable.
"""

import torch
from torch import Tensor


class Film(torch.nn.Module):
    """Scalars (batch, length, width), context (batch, context) to γ(context) · scalars + β(context)."""

    def __init__(self, context: int, width: int) -> None:
        super().__init__()
        self.network = torch.nn.Linear(context, 2 * width)

    def forward(self, scalars: Tensor, context: Tensor) -> Tensor:
        """Scalars as the molecule conditions them."""
        gamma, beta = self.network(context)[:, None].chunk(2, dim=-1)
        return 2 * torch.sigmoid(gamma) * scalars + beta
