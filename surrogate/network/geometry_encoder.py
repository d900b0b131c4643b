"""Geometry encoder: atoms to equivariant features, by convolutions over neighbouring atoms (e3nn).

Message passing as in NequIP (Batzner et al., Nat. Commun. 13, 2453 (2022)): messages are tensor products of
the sender's features with spherical harmonics of the bond, weighted by a network of the bond length. Features
are exactly covariant under rotation, inversion and permutation, blind to translation, and depend smoothly on
positions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from e3nn import nn, o3
from torch import Tensor

from ...adapters.system.geometry import ANGSTROM_PER_BOHR


@dataclass(frozen=True)
class GeometryEncoderShape:
    """What the encoder is made of.

    elements: atomic numbers it knows.
    irreps: features of an atom, as e3nn writes them; must have even scalars.
    layers: convolutions. cutoff: Å, where messages end smoothly.
    radial_functions: Bessel functions of the bond length; radial_width: hidden units of the network on them.
    harmonics: highest l of a bond's spherical harmonics.
    neighbours: typical number of neighbours, by whose root summed messages are divided.
    """

    elements: tuple[int, ...]
    irreps: str = "32x0e + 16x1o + 8x2e"
    layers: int = 4
    cutoff: float = 5.0
    radial_functions: int = 8
    radial_width: int = 32
    harmonics: int = 2
    neighbours: float = 8.0


def make_irreps(irreps: str | Sequence[tuple[int, o3.Irrep | str]]) -> o3.Irreps:
    """e3nn's own constructor, whose return type it does not declare rightly."""
    return cast(o3.Irreps, o3.Irreps(irreps))


class RadialBasis(torch.nn.Module):
    """Bessel functions of the distance under an envelope that ends with two derivatives at the cut-off.

    Gasteiger, Groß, Günnemann, ICLR 2020, eqs. 7 and 8 with p = 6; scaled to about one at a fifth of the
    cut-off, where bonds are.
    """

    wave_numbers: Tensor

    def __init__(self, n_functions: int, cutoff: float) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.register_buffer("wave_numbers", math.pi * torch.arange(1.0, n_functions + 1))

    def forward(self, distance: Tensor) -> Tensor:
        """(n,) bohr, above zero, to (n, n_functions); zero beyond the cut-off."""
        x = (distance / self.cutoff).clamp(max=1.0).unsqueeze(-1)
        return math.sqrt(2) / 5 * torch.sin(self.wave_numbers * x) / x * envelope(x)


def envelope(x: Tensor) -> Tensor:
    """1 at x = 0, 0 at x = 1 with first and second derivative."""
    return 1 - 28 * x**6 + 48 * x**7 - 21 * x**8


class Bonds(torch.nn.Module):
    """Pairs of atoms to radial functions and spherical harmonics of the vector between them."""

    irreps: o3.Irreps

    def __init__(self, n_functions: int, harmonics: int, cutoff: float) -> None:
        super().__init__()
        self.irreps = o3.Irreps.spherical_harmonics(harmonics)
        self.radial = RadialBasis(n_functions, cutoff)

    def forward(self, positions: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """Positions (n, 3) bohr, pairs (2, e) (receiver, sender): (e, n_functions), (e, harmonics)."""
        vector = positions[pairs[1]] - positions[pairs[0]]
        distance = torch.linalg.vector_norm(vector, dim=-1)
        harmonics = o3.spherical_harmonics(self.irreps, vector, normalize=True, normalization="component")
        return self.radial(distance), harmonics


class PairProduct(torch.nn.Module):
    """Tensor product of features with a bond's harmonics, channel by channel, weighted by its length."""

    def __init__(
        self, irreps_in: o3.Irreps, harmonics: o3.Irreps, irreps_out: o3.Irreps, radial: list[int]
    ) -> None:
        super().__init__()
        paths = [
            (i, j, irrep, multiplicity)
            for i, (multiplicity, left) in enumerate(irreps_in)
            for j, (_, right) in enumerate(harmonics)
            for irrep in left * right
            if irrep in irreps_out
        ]
        order = sorted(range(len(paths)), key=lambda k: paths[k][2])
        place = {k: position for position, k in enumerate(order)}
        irreps_product = make_irreps([(paths[k][3], paths[k][2]) for k in order])
        self.product = o3.TensorProduct(
            irreps_in,
            harmonics,
            irreps_product,
            [(i, j, place[k], "uvu", True) for k, (i, j, _, _) in enumerate(paths)],
            shared_weights=False,
            internal_weights=False,
        )
        self.weights = nn.FullyConnectedNet([*radial, self.product.weight_numel], torch.nn.functional.silu)
        self.linear = o3.Linear(irreps_product, irreps_out)

    def forward(self, features: Tensor, harmonics: Tensor, radial: Tensor) -> Tensor:
        """Features (e, in), harmonics (e, h), radial functions (e, r) to (e, out), 0 beyond the cut-off."""
        return self.linear(self.product(features, harmonics, self.weights(radial)))


class Convolution(torch.nn.Module):
    """One layer: messages summed over neighbours, mixed with the atom's own features, gated, added."""

    def __init__(self, shape: GeometryEncoderShape, irreps_in: o3.Irreps, harmonics: o3.Irreps) -> None:
        super().__init__()
        irreps = make_irreps(shape.irreps)
        scalars = make_irreps([(m, ir) for m, ir in irreps if ir.is_scalar()])
        tensors = make_irreps([(m, ir) for m, ir in irreps if not ir.is_scalar()])
        gates = make_irreps([(sum(m for m, _ in tensors), "0e")]) if tensors.dim else make_irreps([])
        silu, sigmoid = torch.nn.functional.silu, torch.sigmoid
        self.gate = nn.Gate(scalars, [silu] * len(scalars), gates, [sigmoid] * len(gates), tensors)
        gate_in = make_irreps(str(self.gate.irreps_in))
        self.messages = PairProduct(
            irreps_in, harmonics, gate_in, [shape.radial_functions, shape.radial_width]
        )
        self.own = o3.Linear(irreps_in, gate_in)
        self.skip = o3.Linear(irreps_in, irreps)
        self.scale = 1 / math.sqrt(shape.neighbours)

    def forward(self, features: Tensor, pairs: Tensor, harmonics: Tensor, radial: Tensor) -> Tensor:
        """Features (n, in), pairs (2, e) with their harmonics and radial functions, to (n, irreps)."""
        messages = self.messages(features[pairs[1]], harmonics, radial) * self.scale
        received = torch.zeros(
            (features.shape[0], messages.shape[1]), dtype=features.dtype, device=features.device
        ).index_add(0, pairs[0], messages)
        return self.skip(features) + self.gate(self.own(features) + received)


class GeometryEncoder(torch.nn.Module):
    """Atoms of one or many molecules to features of every atom.

    Molecules of a batch lie end to end; `pairs` (`surrogate.atom_pairs`) joins atoms of one molecule only, so
    a batch gives what its molecules give alone. Pairs beyond the cut-off add nothing.
    """

    irreps: o3.Irreps
    element_index: Tensor

    def __init__(self, shape: GeometryEncoderShape) -> None:
        super().__init__()
        self.shape = shape
        self.irreps = make_irreps(shape.irreps)
        table = torch.full((max(shape.elements) + 1,), -1, dtype=torch.long)
        table[list(shape.elements)] = torch.arange(len(shape.elements))
        self.register_buffer("element_index", table)
        cutoff = shape.cutoff / ANGSTROM_PER_BOHR
        self.bonds = Bonds(shape.radial_functions, shape.harmonics, cutoff)
        first = make_irreps([(self.irreps.count("0e"), "0e")])
        self.embedding = torch.nn.Parameter(torch.randn(len(shape.elements), first.dim))
        self.layers = torch.nn.ModuleList(
            Convolution(shape, self.irreps if k else first, self.bonds.irreps) for k in range(shape.layers)
        )

    def forward(self, atomic_numbers: Tensor, positions: Tensor, pairs: Tensor) -> Tensor:
        """Features of atoms, (n, irreps.dim).

        atomic_numbers: (n,) int64, each among the shape's elements (not checked here: graphs cannot).
        positions: (n, 3) bohr. pairs: (2, e) int64, receiver and sender, different atoms.
        """
        radial, harmonics = self.bonds(positions, pairs)
        features = self.embedding[self.element_index[atomic_numbers]]
        for layer in self.layers:
            features = layer(features, pairs, harmonics, radial)
        return features


class PairEncoder(torch.nn.Module):
    """Features of pairs of atoms, from the features of both and the bond between them.

    Features of (b, a) are in general not those of (a, b) turned round: symmetrise where a matrix must be.
    """

    irreps: o3.Irreps

    def __init__(self, shape: GeometryEncoderShape, irreps_out: str, harmonics: int | None = None) -> None:
        super().__init__()
        irreps = make_irreps(shape.irreps)
        cutoff = shape.cutoff / ANGSTROM_PER_BOHR
        self.irreps = make_irreps(irreps_out)
        self.bonds = Bonds(
            shape.radial_functions, shape.harmonics if harmonics is None else harmonics, cutoff
        )
        self.receiver = o3.Linear(irreps, irreps)
        self.sender = o3.Linear(irreps, irreps)
        self.product = PairProduct(
            irreps, self.bonds.irreps, self.irreps, [shape.radial_functions, shape.radial_width]
        )

    def forward(self, features: Tensor, positions: Tensor, pairs: Tensor) -> Tensor:
        """Atom features (n, irreps), positions (n, 3) bohr, pairs (2, e) without (a, a): (e, irreps_out)."""
        radial, harmonics = self.bonds(positions, pairs)
        both = self.receiver(features)[pairs[0]] + self.sender(features)[pairs[1]]
        return self.product(both, harmonics, radial)
