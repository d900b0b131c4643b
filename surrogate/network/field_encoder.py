"""The electric field as an input of tokens: E(t) is one 1o vector, coupled to an atom's features.

What reaches a token of an atom is a tensor product of E with that atom's surroundings, linear in E: no field
gives exactly nothing, and selection rules hold exactly (a centrosymmetric atom's even tokens never see the
field).
"""

import torch
from e3nn import o3
from torch import Tensor


class FieldEncoder(torch.nn.Module):
    """Features (n, irreps) to the matrix that takes E to the tokens of each atom."""

    def __init__(self, irreps: o3.Irreps, tokens: o3.Irreps) -> None:
        super().__init__()
        paths = [
            (i, irrep, multiplicity)
            for i, (multiplicity, left) in enumerate(irreps)
            for irrep in left * o3.Irrep("1o")
            if irrep in tokens
        ]
        between = o3.Irreps([(multiplicity, irrep) for _, irrep, multiplicity in paths])
        instructions = [(i, 0, place, "uvu", False) for place, (i, _, _) in enumerate(paths)]
        self.product = o3.TensorProduct(irreps, "1x1o", between, instructions, internal_weights=False)
        self.linear = o3.Linear(between, tokens)

    def forward(self, features: Tensor) -> Tensor:
        """(n, irreps) to (n, d, 3): tokens of an atom of a unit field along x, y, z."""
        n = features.shape[0]
        axes = torch.eye(3, dtype=features.dtype, device=features.device).repeat(n, 1)
        tokens = self.linear(self.product(features.repeat_interleave(3, dim=0), axes))
        return tokens.reshape(n, 3, -1).transpose(1, 2)
