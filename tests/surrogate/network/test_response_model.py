"""The contract of every model: what symmetry and the equations demand, whatever the weights."""

import numpy as np
import pytest
import torch
from hybrid_propagate.surrogate.network.response_model import ResponseModel
from pyscf import gto
from scipy.linalg import block_diag
from scipy.spatial.transform import Rotation
from small_model import WATER, answer, case, double_model, molecule, random_change

TURN = Rotation.from_rotvec([0.4, -1.1, 0.7]).as_matrix()
FIELD = np.array([2e-3, -1e-3, 5e-4])


@pytest.fixture(scope="module")
def model() -> ResponseModel:
    """Random weights in double precision."""
    return double_model()


def _transformed(matrix: np.ndarray) -> gto.Mole:
    return molecule([(symbol, tuple(matrix @ np.array(xyz))) for symbol, xyz in WATER])


def _representation(mol: gto.Mole, matrix: np.ndarray) -> np.ndarray:
    """How s and p functions turn: 1 and the matrix itself (PySCF's p functions are x, y, z)."""
    blocks = [np.eye(1) if mol.bas_angular(k) == 0 else matrix for k in range(mol.nbas)]
    return block_diag(*blocks)


@pytest.mark.parametrize("matrix", [TURN, -np.eye(3), -TURN], ids=["rotation", "inversion", "both"])
def test_responses_turn_with_the_molecule(model: ResponseModel, matrix: np.ndarray) -> None:
    here, there = case(model, molecule(WATER)), case(model, _transformed(matrix))
    D = _representation(here.mol, matrix)
    state = turned_state = None
    for seed in range(3):
        change = random_change(here.mol.nao, seed)
        now, ahead, result = answer(model, here, change, FIELD, state)
        turned, ahead_turned, of_turned = answer(model, there, D @ change @ D.T, matrix @ FIELD, turned_state)
        state, turned_state = result.next_state, of_turned.next_state
        scale = np.abs(now).max()
        np.testing.assert_allclose(turned, D @ now @ D.T, atol=1e-6 * scale)
        np.testing.assert_allclose(ahead_turned, D @ ahead @ D.T, atol=1e-6 * scale)
        assert float(of_turned.spread) == pytest.approx(float(result.spread), rel=1e-6)


def test_atoms_in_another_order(model: ResponseModel) -> None:
    here, there = case(model, molecule(WATER)), case(model, molecule([WATER[2], WATER[0], WATER[1]]))
    # Hydrogen has two functions in 6-31G, oxygen nine.
    order = np.r_[11:13, 0:9, 9:11]
    change = random_change(13)
    now, ahead, _ = answer(model, here, change, FIELD)
    moved, ahead_moved, _ = answer(model, there, change[np.ix_(order, order)], FIELD)
    np.testing.assert_allclose(moved, now[np.ix_(order, order)], atol=1e-7 * np.abs(now).max())
    np.testing.assert_allclose(ahead_moved, ahead[np.ix_(order, order)], atol=1e-7 * np.abs(now).max())


def test_translation_changes_nothing(model: ResponseModel) -> None:
    moved = molecule([(s, tuple(np.add(xyz, (3.0, -2.0, 1.0)))) for s, xyz in WATER])
    change = random_change(13)
    now, _, _ = answer(model, case(model, molecule(WATER)), change, FIELD)
    there, _, _ = answer(model, case(model, moved), change, FIELD)
    np.testing.assert_allclose(there, now, atol=1e-7 * np.abs(now).max())


def test_a_field_along_x_turned_into_y(model: ResponseModel) -> None:
    """A molecule on the x axis and its memory of a field along x, both turned by 90° about z."""
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    along_x = molecule([("C", (0.0, 0.0, 0.0)), ("O", (2.1, 0.0, 0.0))])
    along_y = molecule([("C", (0.0, 0.0, 0.0)), ("O", (0.0, 2.1, 0.0))])
    x, y = case(model, along_x), case(model, along_y)
    D = _representation(along_x, turn)
    change = random_change(along_x.nao)
    _, ahead, _ = answer(model, x, change, np.array([0.01, 0.0, 0.0]))
    _, without, _ = answer(model, x, change, np.zeros(3))
    _, turned, _ = answer(model, y, D @ change @ D.T, np.array([0.0, 0.01, 0.0]))
    np.testing.assert_allclose(turned, D @ ahead @ D.T, atol=1e-6 * np.abs(ahead).max())
    assert np.abs(ahead - without).max() > 1e-6 * np.abs(ahead).max()


def test_responses_are_hermitian_and_self_adjoint(model: ResponseModel) -> None:
    """Tr ΔF[A] B = Tr ΔF[B] A: a response is the derivative of an energy."""
    of = case(model, molecule(WATER))
    A, B = random_change(13, 1), random_change(13, 2)
    of_a, _, _ = answer(model, of, A, FIELD)
    of_b, _, _ = answer(model, of, B, FIELD)
    np.testing.assert_array_equal(of_a, of_a.conj().T)
    assert np.vdot(of_a, B).real == pytest.approx(np.vdot(of_b, A).real, rel=1e-9)


def test_nothing_gives_nothing(model: ResponseModel) -> None:
    of = case(model, molecule(WATER))
    now, ahead, result = answer(model, of, np.zeros((13, 13), complex), np.zeros(3))
    assert not now.any()
    assert not ahead.any()
    assert float(result.spread) == 0.0
    assert not result.next_state[:, : model.dynamics.irreps.dim].any()


def test_twice_the_change_gives_twice_the_response(model: ResponseModel) -> None:
    of = case(model, molecule(WATER))
    change = random_change(13)
    now, ahead, once = answer(model, of, change, FIELD)
    twice_now, twice_ahead, twice = answer(model, of, 2 * change, 2 * FIELD)
    np.testing.assert_allclose(twice_now, 2 * now, rtol=1e-10)
    np.testing.assert_allclose(twice_ahead, 2 * ahead, atol=1e-9 * np.abs(ahead).max())
    assert float(twice.spread) == pytest.approx(float(once.spread), rel=1e-10)


@pytest.mark.parametrize(
    "atoms",
    [[("H", (0, 0, 0)), ("H", (0, 0, 1.4))], WATER, [("C", (0, 0, 0)), ("O", (0, 0, 2.2)), *WATER]],
    ids=["4", "13", "31"],
)
@pytest.mark.parametrize("basis", ["sto-3g", "6-31g"])
def test_one_network_for_every_size(model: ResponseModel, atoms, basis: str) -> None:
    """The same parameters take any number of atoms and functions; the response is finite and not zero."""
    of = case(model, molecule([(s, tuple(map(float, xyz))) for s, xyz in atoms], basis))
    now, ahead, _ = answer(model, of, random_change(of.mol.nao), FIELD)
    assert np.isfinite(now).all()
    assert np.isfinite(ahead).all()
    assert np.linalg.norm(now) > 0


def test_a_batch_is_its_molecules(model: ResponseModel) -> None:
    """Two geometries end to end give the kernels that each gives alone."""
    import torch as t
    from hybrid_propagate.surrogate.matrices.atom_pairs import atom_pairs

    cases = [case(model, molecule(WATER)), case(model, _transformed(TURN @ np.diag([1.0, 1.1, 1.0])))]
    numbers = t.as_tensor(np.concatenate([c.mol.atom_charges() for c in cases]).astype(np.int64))
    positions = t.as_tensor(np.concatenate([c.mol.atom_coords() for c in cases]))
    moments = t.as_tensor(np.concatenate([c.known.basis_moments for c in cases]))
    with t.no_grad():
        together = model.token_kernel(
            numbers, positions, t.as_tensor(atom_pairs(np.array([3, 3]))), moments, 3
        )
    for k, one in enumerate(cases):
        t.testing.assert_close(together[:, k], one.kernel, rtol=1e-9, atol=1e-11)


def test_gradients_are_finite_and_reach_every_parameter(model: ResponseModel) -> None:
    """Of the kernel and of the memory, at rest too, where norms have no derivative."""
    of = case(model, molecule(WATER))
    moments = torch.as_tensor(of.known.basis_moments)
    numbers = torch.as_tensor(of.mol.atom_charges().astype(np.int64))
    positions = torch.as_tensor(of.mol.atom_coords()).requires_grad_()
    from hybrid_propagate.surrogate.matrices.atom_pairs import atom_pairs

    pairs = torch.as_tensor(atom_pairs(np.array([3])))
    kernel = model.token_kernel(numbers, positions, pairs, moments, 3)
    context, coupling = model.conditions(model.features(numbers, positions, pairs, moments))
    tokens = torch.randn(3, 5, model.dynamics.irreps.dim, dtype=torch.float64)
    tokens[:, 0] = 0.0
    drive = (coupling @ torch.as_tensor(FIELD))[:, None].expand(-1, 5, -1)
    change, _ = model.dynamics(tokens, drive, context, model.dynamics.start(3))
    (kernel.square().sum() + change.square().sum()).backward()
    assert positions.grad is not None
    assert torch.isfinite(positions.grad).all()
    missing = [name for name, p in model.named_parameters() if p.grad is None]
    assert missing == []
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    model.zero_grad()
