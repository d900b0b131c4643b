"""The geometry encoder's contract: rotation, inversion, permutation, translation, batch, cut-off, export."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from e3nn import o3
from hybrid_propagate.adapters.system.geometry import ANGSTROM_PER_BOHR
from hybrid_propagate.surrogate.matrices.atom_pairs import atom_pairs
from hybrid_propagate.surrogate.network.geometry_encoder import (
    GeometryEncoder,
    GeometryEncoderShape,
    PairEncoder,
)
from torch import Tensor

SHAPE = GeometryEncoderShape(elements=(1, 6, 8), irreps="6x0e + 4x1o + 2x2e", layers=2, radial_width=8)
PAIR_IRREPS = "5x0e + 3x1o + 2x1e + 2x2e + 1x3o"
NUMBERS = torch.tensor([6, 8, 1, 1])
# Formaldehyde, bohr, out of any symmetry.
POSITIONS = torch.tensor([[0.1, 0.0, 0.2], [0.0, 0.1, 2.5], [1.8, 0.1, -0.9], [-1.7, 0.3, -1.2]])


class Encoders(torch.nn.Module):
    """Features of atoms and of pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.atoms = GeometryEncoder(SHAPE)
        self.pairs = PairEncoder(SHAPE, PAIR_IRREPS, harmonics=3)

    def forward(self, numbers: Tensor, positions: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """Both features."""
        features = self.atoms(numbers, positions, pairs)
        return features, self.pairs(features, positions, pairs)


@pytest.fixture(scope="module")
def encoders() -> Encoders:
    """Random weights, seeded; e3nn keeps its constants in the precision that it was built in."""
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    try:
        return Encoders()
    finally:
        torch.set_default_dtype(torch.float32)


def _pairs(*n_atoms: int) -> Tensor:
    return torch.tensor(atom_pairs(np.array(n_atoms)))


def _double(encoders: Encoders, positions: Tensor, numbers: Tensor = NUMBERS, *n_atoms: int):
    with torch.no_grad():
        return encoders(numbers, positions, _pairs(*(n_atoms or (len(numbers),))))


def _representation(irreps: str, rotation: Tensor) -> Tensor:
    """D with Y(R r) = D Y(r), from harmonics at random points; det R D if the parity is not (-1)^l."""
    points = torch.randn(64, 3, dtype=torch.float64)
    blocks = []
    for multiplicity, (degree, parity) in o3.Irreps(irreps):
        Y, turned = (o3.spherical_harmonics(degree, x, True) for x in (points, points @ rotation.T))
        D = torch.linalg.lstsq(Y, turned).solution.T
        axial = parity != (-1) ** degree
        blocks += [D * torch.linalg.det(rotation) if axial else D] * multiplicity
    return torch.block_diag(*blocks)


def test_atom_pairs_are_all_ordered_pairs_within_molecules() -> None:
    expected = [(i, j) for group in ([0, 1, 2], [3], [4, 5]) for i in group for j in group if i != j]
    assert [tuple(p) for p in atom_pairs(np.array([3, 1, 2])).T.tolist()] == expected
    line = np.array([[0.0, 0, 0], [1, 0, 0], [3, 0, 0]])
    assert atom_pairs(np.array([3]), line, 1.5).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("inversion", [0, 1])
def test_features_turn_with_the_molecule(encoders: Encoders, inversion: int) -> None:
    rotation = o3.rand_matrix(dtype=torch.float64) * (-1) ** inversion
    positions = POSITIONS.double()
    atoms, pairs = _double(encoders, positions)
    turned_atoms, turned_pairs = _double(encoders, positions @ rotation.T + torch.tensor([1.0, -2.0, 3.0]))
    # D of an improper rotation: that of the proper one times the irrep's parity.
    for irreps, before, after in [(SHAPE.irreps, atoms, turned_atoms), (PAIR_IRREPS, pairs, turned_pairs)]:
        D = _representation(irreps, rotation)
        assert before.abs().max() > 0.1
        torch.testing.assert_close(after, before @ D.T, rtol=1e-9, atol=1e-9)


def test_permutation_of_atoms_permutes_features(encoders: Encoders) -> None:
    order = torch.tensor([2, 0, 3, 1])
    before = _double(encoders, POSITIONS.double())
    after = _double(encoders, POSITIONS.double()[order], NUMBERS[order])
    torch.testing.assert_close(after[0], before[0][order])
    n = len(order)
    place = {tuple(p): k for k, p in enumerate(_pairs(n).T.tolist())}
    rows = [place[int(order[i]), int(order[j])] for i, j in _pairs(n).T.tolist()]
    torch.testing.assert_close(after[1], before[1][rows])


def test_a_batch_gives_what_its_molecules_give_alone(encoders: Encoders) -> None:
    positions = POSITIONS.double()
    alone = _double(encoders, positions)
    both = _double(
        encoders, torch.cat([positions[:2] * 0.9, positions]), torch.cat([NUMBERS[:2], NUMBERS]), 2, 4
    )
    torch.testing.assert_close(both[0][2:], alone[0])
    torch.testing.assert_close(both[1][2:], alone[1])


def test_features_end_smoothly_at_the_cutoff(encoders: Encoders) -> None:
    far = SHAPE.cutoff / ANGSTROM_PER_BOHR
    numbers = NUMBERS[:2]

    def carbon(distance: float) -> Tensor:
        return _double(encoders, torch.tensor([[0.0, 0, 0], [0, 0, distance]]).double(), numbers)[0][0]

    alone = carbon(far * 1.5)
    assert torch.equal(carbon(far * 1.01), alone)
    # The envelope's third-order zero: a step ten times nearer changes the features a thousandth as much.
    near, nearer = (torch.linalg.vector_norm(carbon(far * (1 - h)) - alone) for h in (1e-2, 1e-3))
    assert 0 < nearer < near / 500
    assert torch.linalg.vector_norm(carbon(2.2) - alone) > 0.1


def test_gradients_are_finite_and_reach_every_weight(encoders: Encoders) -> None:
    positions = POSITIONS.double().requires_grad_()
    atoms, pairs = encoders(NUMBERS, positions, _pairs(4))
    weights = list(encoders.parameters())
    gradients = torch.autograd.grad(atoms.square().sum() + pairs.square().sum(), [positions, *weights])
    assert all(torch.isfinite(g).all() and g.abs().max() > 0 for g in gradients)


def test_exported_graph_agrees_on_molecules_of_other_sizes(tmp_path) -> None:
    import onnxruntime

    torch.manual_seed(2)
    encoder = GeometryEncoder(replace(SHAPE, irreps="4x0e + 2x1o", layers=1, harmonics=1))
    n, e = torch.export.Dim("n"), torch.export.Dim("e")
    example = (NUMBERS, POSITIONS, _pairs(4))
    graph = torch.export.export(
        encoder, example, dynamic_shapes=({0: n}, {0: n}, {1: e})
    ).run_decompositions()
    names = ["numbers", "positions", "pairs"]
    torch.onnx.export(graph, dynamo=True, input_names=names, verbose=False).save(tmp_path / "g.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "g.onnx", providers=["CPUExecutionProvider"])
    inputs = (torch.cat([NUMBERS, NUMBERS[:3]]), torch.cat([POSITIONS, POSITIONS[:3] * 1.1]), _pairs(4, 3))
    (found,) = session.run(None, {k: v.numpy() for k, v in zip(names, inputs, strict=True)})
    with torch.no_grad():
        np.testing.assert_allclose(found, encoder(*inputs).numpy(), rtol=1e-4, atol=1e-5)
