"""What a basis does to an atom's features: the moments of its shells, as invariants added to the atom's.

The geometry alone does not say which functions an atom carries; the same atom responds differently on tokens
of a minimal and of a split basis. Shells enter through counts by angular momentum and exponent
(`basis_moments`), so the number of parameters depends on no basis set.
"""

# e3nn's irreps and torch's buffers come without types.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

import torch
from e3nn import o3
from torch import Tensor

from ..runtime.fitting_factors import N_MOMENTS


class BasisLatents(torch.nn.Module):
    """Adds a network of the basis moments to the even scalars of atom features."""

    def __init__(self, irreps: o3.Irreps, width: int) -> None:
        super().__init__()
        first = irreps[0]
        if not first.ir.is_scalar() or any(mul_ir.ir.is_scalar() for mul_ir in irreps[1:]):
            raise ValueError(f"even scalars must come first, and once: {irreps}")
        self.n_scalars, self.n_others = first.mul, irreps.dim - first.mul
        self.network = torch.nn.Sequential(
            torch.nn.Linear(N_MOMENTS, width), torch.nn.SiLU(), torch.nn.Linear(width, self.n_scalars)
        )

    def forward(self, features: Tensor, moments: Tensor) -> Tensor:
        """Features (n, irreps) and moments (n, N_MOMENTS) to (n, irreps)."""
        scalars = features[:, : self.n_scalars] + self.network(moments)
        return torch.cat([scalars, features[:, self.n_scalars :]], dim=1)
