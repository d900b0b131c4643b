"""The hard projection of a predicted density: Hermitian, idempotent, the right trace.

McWeeny's step ρ ← 3ρρ − 2ρρρ (Rev. Mod. Phys. 32, 335 (1960)) purifies a ρ whose eigenvalues are near 0 and
1. The density of a closed shell has eigenvalues 0 and 2: it is ½P that is purified, P itself would be driven
to 1. An open shell's spin densities are ρ already.
"""

import torch
from torch import Tensor


def purify(density: Tensor, n_electrons: Tensor, occupation: float, rounds: int = 3) -> Tensor:
    """Hermitian (…, n, n) complex in an orthonormal basis, to an idempotent one of trace `n_electrons` (…,).

    occupation: of a full orbital, 2 for a closed shell's total density, 1 for a spin density.
    The trace is put right before every step, by the least change: a multiple of the unit matrix.
    """
    n = density.shape[-1]
    unit = torch.eye(n, dtype=density.dtype, device=density.device)
    rho = (density + density.mH) / (2 * occupation)
    for _ in range(rounds):
        missing = n_electrons / occupation - torch.diagonal(rho, dim1=-2, dim2=-1).sum(-1).real
        rho = rho + (missing / n)[..., None, None] * unit
        square = rho @ rho
        rho = 3 * square - 2 * square @ rho
    missing = n_electrons / occupation - torch.diagonal(rho, dim1=-2, dim2=-1).sum(-1).real
    return occupation * (rho + (missing / n)[..., None, None] * unit)
