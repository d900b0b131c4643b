"""Equivariant coefficients as blocks of a matrix on tokens, by Clebsch-Gordan coupling.

A block between tokens of two atoms is a tensor product of their irreps; each pair (l1, l2) of it falls apart
into irreps L = |l1 − l2| … l1 + l2, one coefficient a pair of channels. This is the fixed orthogonal matrix
between the two forms, applied pair of shells by pair of shells.
"""

# e3nn's irreps and torch's buffers come without types.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

import math

import torch
from e3nn import o3
from torch import Tensor


class KernelBlocks(torch.nn.Module):
    """Coefficients (…, irreps) to blocks (…, d, d), d the dimension of `tokens`.

    highest: L of the irreps; what couples to more is left out of the blocks.
    irreps: what the coefficients transform as, each irrep once, sorted.
    """

    def __init__(self, tokens: o3.Irreps, highest: int) -> None:
        super().__init__()
        self.tokens = tokens
        wanted: dict[o3.Irrep, int] = {}
        self._parts: list[tuple[int, int, list[tuple[o3.Irrep, int]]]] = []
        for i, (m1, ir1) in enumerate(tokens):
            for j, (m2, ir2) in enumerate(tokens):
                places = []
                for irrep in ir1 * ir2:
                    if irrep.l > highest:
                        continue
                    places.append((irrep, wanted.get(irrep, 0)))
                    wanted[irrep] = wanted.get(irrep, 0) + m1 * m2
                    name = _buffer(ir1, ir2, irrep)
                    if not hasattr(self, name):
                        coupling = o3.wigner_3j(ir1.l, ir2.l, irrep.l) * math.sqrt(irrep.dim)
                        self.register_buffer(name, coupling, persistent=False)
                self._parts.append((i, j, places))
        self.irreps = o3.Irreps(
            sorted([(count, irrep) for irrep, count in wanted.items()], key=lambda x: x[1])
        )
        self._offsets = {
            irrep: piece.start for (_, irrep), piece in zip(self.irreps, self.irreps.slices(), strict=True)
        }

    def forward(self, coefficients: Tensor) -> Tensor:
        """(…, irreps.dim) to (…, d, d)."""
        leading = coefficients.shape[:-1]
        rows: list[list[Tensor]] = [[] for _ in self.tokens]
        for i, j, places in self._parts:
            (m1, ir1), (m2, ir2) = self.tokens[i], self.tokens[j]
            block = None
            for irrep, first in places:
                start = self._offsets[irrep] + first * irrep.dim
                part = coefficients[..., start : start + m1 * m2 * irrep.dim]
                part = part.reshape(*leading, m1, m2, irrep.dim)
                term = torch.einsum("...abk,ijk->...aibj", part, getattr(self, _buffer(ir1, ir2, irrep)))
                block = term if block is None else block + term
            assert block is not None
            rows[i].append(block.reshape(*leading, m1 * ir1.dim, m2 * ir2.dim))
        return torch.cat([torch.cat(row, dim=-1) for row in rows], dim=-2)


def _buffer(ir1: o3.Irrep, ir2: o3.Irrep, irrep: o3.Irrep) -> str:
    return f"coupling_{ir1.l}_{ir2.l}_{irrep.l}"
