"""Atom features to the exchange-correlation kernel on tokens: the learned part of the density fitting.

    ΔF = base(δP) + Bᵀ W B δP,   W symmetric, one block (A, B) of it for every two atoms

B are analytic factors (`runtime.fitting_factors`), W is what the network decodes: blocks between two atoms
from the bond and the features of both, blocks of one atom from its own features and those of its neighbours.
Each member of the ensemble reads out on its own, on top of a read-out that all share, as they do the geometry
encoder and the products.
"""

# e3nn's irreps and torch's buffers come without types.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

import torch
from e3nn import o3
from torch import Tensor

from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from .geometry_encoder import Bonds, GeometryEncoderShape, PairProduct, envelope
from .kernel_blocks import KernelBlocks

#: Highest irrep that blocks are made of. Tokens of d and f functions couple to L = 6; what lies beyond costs
#: more than it tells.
HIGHEST = 4


class PairLatents(torch.nn.Module):
    """Features of ordered pairs of atoms whose radial network also sees the invariants of both atoms."""

    def __init__(
        self, shape: GeometryEncoderShape, irreps_out: o3.Irreps, harmonics: int, width: int
    ) -> None:
        super().__init__()
        irreps = o3.Irreps(shape.irreps)
        self.n_scalars = irreps.count("0e")
        self.cutoff = shape.cutoff / ANGSTROM_PER_BOHR
        self.bonds = Bonds(shape.radial_functions, harmonics, self.cutoff)
        self.receiver, self.sender = o3.Linear(irreps, irreps), o3.Linear(irreps, irreps)
        radial = [shape.radial_functions + 2 * self.n_scalars, width]
        self.product = PairProduct(irreps, self.bonds.irreps, irreps_out, radial)

    def forward(self, features: Tensor, positions: Tensor, pairs: Tensor) -> Tensor:
        """Features (n, irreps), positions (n, 3) bohr, pairs (2, e) to (e, irreps_out); zero beyond the
        cut-off."""
        radial, harmonics = self.bonds(positions, pairs)
        receiver, sender = features[pairs[0]], features[pairs[1]]
        distance = torch.linalg.vector_norm(positions[pairs[1]] - positions[pairs[0]], dim=-1, keepdim=True)
        fade = envelope((distance / self.cutoff).clamp(max=1.0))
        seen = torch.cat([radial, receiver[:, : self.n_scalars], sender[:, : self.n_scalars]], dim=1)
        return fade * self.product(self.receiver(receiver) + self.sender(sender), harmonics, seen)


class ResponseDecoder(torch.nn.Module):
    """Atom features to the kernels of all members.

    tokens: irreps of an atom's tokens. latents: multiplicity of each irrep of the coefficients before
    read-out.
    """

    def __init__(
        self, shape: GeometryEncoderShape, tokens: str, members: int, latents: int, width: int
    ) -> None:
        super().__init__()
        self.members = members
        self.blocks = KernelBlocks(o3.Irreps(tokens), HIGHEST)
        coefficients = self.blocks.irreps
        # As many latents of each irrep as asked for, so that members have something to choose from.
        hidden = o3.Irreps([(latents, irrep) for _, irrep in coefficients])
        self.bond = PairLatents(shape, hidden, HIGHEST, width)
        self.around = o3.Linear(hidden, hidden)
        self.own = o3.Linear(o3.Irreps(shape.irreps), hidden)
        self.bond_common, self.own_common = (o3.Linear(hidden, coefficients) for _ in range(2))
        self.bond_readout = torch.nn.ModuleList(o3.Linear(hidden, coefficients) for _ in range(members))
        self.own_readout = torch.nn.ModuleList(o3.Linear(hidden, coefficients) for _ in range(members))
        with torch.no_grad():
            # Untrained, the network adds nothing to the base.
            for readout in (self.bond_common, self.own_common, *self.bond_readout, *self.own_readout):
                readout.weight.zero_()

    def latents(self, features: Tensor, positions: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """What the read-outs read: of atoms (n, hidden) and of ordered pairs (e, hidden)."""
        bond = self.bond(features, positions, pairs)
        return self.own(features).index_add(0, pairs[0], self.around(bond)), bond

    def read(self, own: Tensor, bond: Tensor, member: int | None = None) -> tuple[Tensor, Tensor]:
        """Blocks of single atoms (members, n, d, d) and of ordered pairs (members, e, d, d), not yet
        symmetric; of one member alone where asked."""
        asked = slice(None) if member is None else slice(member, member + 1)
        of_atoms = torch.stack([readout(own) for readout in self.own_readout[asked]]) + self.own_common(own)
        of_pairs = torch.stack([readout(bond) for readout in self.bond_readout[asked]])
        of_pairs = of_pairs + self.bond_common(bond)
        # Together: half as many small products.
        blocks = self.blocks(torch.cat([of_atoms, of_pairs], dim=1))
        return blocks[:, : own.shape[0]], blocks[:, own.shape[0] :]

    def forward(
        self, features: Tensor, positions: Tensor, pairs: Tensor, member: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """`read` of `latents`."""
        return self.read(*self.latents(features, positions, pairs), member)


def assemble_kernel(of_atoms: Tensor, of_pairs: Tensor, pairs: Tensor, n_atoms: int) -> Tensor:
    """Blocks to symmetric matrices: (members, molecules, n_atoms d, n_atoms d).

    All molecules of the batch have `n_atoms` atoms and lie end to end.
    """
    members, n, d, _ = of_atoms.shape
    # Block (A, B) of the flat list of all: A n_atoms + B less its molecule's first atom.
    atoms = torch.arange(n, device=pairs.device)
    first = torch.div(atoms, n_atoms, rounding_mode="floor") * n_atoms
    own = atoms * n_atoms + (atoms - first)
    between = pairs[0] * n_atoms + (pairs[1] - first[pairs[1]])
    matrix = of_atoms.new_zeros((members, n * n_atoms, d, d))
    matrix = matrix.index_add(1, own, of_atoms).index_add(1, between, of_pairs)
    matrix = matrix.reshape(members, n // n_atoms, n_atoms, n_atoms, d, d).transpose(3, 4)
    matrix = matrix.reshape(members, n // n_atoms, n_atoms * d, n_atoms * d)
    return (matrix + matrix.transpose(-1, -2)) / 2
