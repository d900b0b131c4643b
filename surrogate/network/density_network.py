"""Features of atoms and of pairs of atoms from which a molecule's ground-state Fock matrix is read out.

The shared geometry encoder, then tensor products of both atoms' features and of the bond's harmonics, up to
the L = 4 that a block of two d shells holds, multiplied by non-linear functions of the pair's invariants. The
read-out on top is linear and solved in closed form (`training/density_readout`); the weights here stay
random, seeded: a random-feature network (Rahimi and Recht, NIPS 2007), equivariant by construction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from e3nn import o3
from torch import Tensor

from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ..starting_density.blocks import AXES, IRREPS
from .geometry_encoder import (
    Bonds,
    GeometryEncoder,
    GeometryEncoderShape,
    envelope,
    make_irreps,
)

_HARMONICS = 4


@dataclass(frozen=True)
class DensityNetworkShape:
    """What the network is made of.

    encoder: the geometry encoder. channels: of each irrep that enters a tensor product.
    gated: products that are multiplied by a non-linear function, of each irrep.
    sensitivity: scale of the invariants inside these functions: small is nearly linear.
    """

    encoder: GeometryEncoderShape
    channels: int = 64
    gated: int = 400
    sensitivity: float = 0.3


class DensityNetwork(torch.nn.Module):
    """Atoms to features by irrep, in the order of `density_blocks.IRREPS`: of pairs, then of atoms."""

    def __init__(self, shape: DensityNetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = GeometryEncoder(shape.encoder)
        features = self.encoder.irreps
        channels = make_irreps([(shape.channels, irrep) for irrep in ("0e", "1o", "2e")])
        self.cutoff = shape.encoder.cutoff / ANGSTROM_PER_BOHR
        self.bonds = Bonds(shape.encoder.radial_functions, _HARMONICS, self.cutoff)
        self.receiver, self.sender = (o3.Linear(features, channels) for _ in range(2))
        self.left, self.right = (o3.Linear(features, channels) for _ in range(2))
        both, self.of_both = _product(channels, channels, "uuu")
        bond, self.of_bond = _product(channels, self.bonds.irreps, "uvu")
        atom, self.of_atom = _product(channels, channels, "uuu")
        self.pairs = Gates([*both, *bond], shape.encoder.radial_functions, shape)
        self.atoms = Gates([*atom, *channels], 0, shape)

    def forward(self, atomic_numbers: Tensor, positions: Tensor, pairs: Tensor) -> tuple[Tensor, ...]:
        """Features of pairs, then of atoms, by irrep: (rows, features, 2L+1) each.

        atomic_numbers: (n,) int64. positions: (n, 3) bohr. pairs: (2, e) int64, ordered, of different atoms.
        """
        positions = positions[:, list(AXES)]
        atoms = self.encoder(atomic_numbers, positions, pairs)
        radial, harmonics = self.bonds(positions, pairs)
        first, second = self.receiver(atoms)[pairs[0]], self.sender(atoms)[pairs[1]]
        of_pairs = torch.cat([self.of_both(first, second), self.of_bond(first + second, harmonics)], dim=1)
        left = self.left(atoms)
        of_atoms = torch.cat([self.of_atom(left, self.right(atoms)), left], dim=1)
        distance = torch.linalg.vector_norm(positions[pairs[1]] - positions[pairs[0]], dim=-1)
        ending = envelope((distance / self.cutoff).clamp(max=1.0))[:, None, None]
        return (*(f * ending for f in self.pairs(of_pairs, radial)), *self.atoms(of_atoms, None))


class Gates(torch.nn.Module):
    """Tensors sorted by irrep, and a choice of them times tanh of a random combination of the invariants."""

    def __init__(
        self, irreps: Sequence[tuple[int, o3.Irrep]], n_radial: int, shape: DensityNetworkShape
    ) -> None:
        super().__init__()
        places: dict[str, list[list[int]]] = {name: [] for name in IRREPS}
        start = 0
        for multiplicity, irrep in irreps:
            for _ in range(multiplicity):
                places[str(irrep)].append(list(range(start, start + irrep.dim)))
                start += irrep.dim
        for name, rows in places.items():
            self.register_buffer(f"places_{name}", torch.tensor(rows))
            self.register_buffer(f"chosen_{name}", torch.randint(len(rows), (shape.gated,)))
        self.gate = torch.nn.Linear(len(places["0e"]) + n_radial, shape.gated)
        self.scale = math.sqrt(3) * shape.sensitivity

    def forward(self, tensors: Tensor, radial: Tensor | None) -> list[Tensor]:
        """Tensors (rows, dim) and radial functions (rows, n_radial), or None, to features."""
        invariants = 3 * torch.tanh(tensors[:, self.get_buffer("places_0e")[:, 0]] / 3)
        if radial is not None:
            invariants = torch.cat([invariants, radial], dim=1)
        gates = torch.tanh(self.scale * self.gate(invariants)).unsqueeze(-1)
        features = []
        for name in IRREPS:
            if name == "0e":
                # Invariants themselves, bounded; a constant, for the mean.
                values = invariants.unsqueeze(-1)
                features.append(torch.cat([gates, values, torch.ones_like(values[:, :1])], dim=1))
            else:
                values = tensors[:, self.get_buffer(f"places_{name}")]
                features.append(
                    torch.cat([values[:, self.get_buffer(f"chosen_{name}")] * gates, values], dim=1)
                )
        return features


def _product(left: o3.Irreps, right: o3.Irreps, mode: str) -> tuple[o3.Irreps, o3.TensorProduct]:
    """Channel-wise tensor product with all results that blocks of a matrix hold, weighted at random."""
    outputs, paths = [], []
    for i, (multiplicity, first) in enumerate(left):
        for j, (_, second) in enumerate(right):
            for irrep in first * second:
                if str(irrep) in IRREPS:
                    paths.append((i, j, len(outputs), mode, True))
                    outputs.append((multiplicity, irrep))
    result = make_irreps(outputs)
    return result, o3.TensorProduct(left, right, result, paths, internal_weights=True, shared_weights=True)
