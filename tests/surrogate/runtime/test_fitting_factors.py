"""Fitting factors: covariant, complete for small bases; the mean field against PySCF's J and K."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.kernel.analytic import apply_auxiliary_kernel
from hybrid_propagate.surrogate.runtime.fitting_factors import (
    N_CURRENTS,
    N_TOKENS,
    fitting_factors,
    lowdin_orbitals,
    mean_field_kernel,
)
from pyscf import gto, scf
from scipy.spatial.transform import Rotation

ATOMS = [("O", (0.0, 0.1, 0.2)), ("H", (0.2, 1.4, -0.9)), ("H", (0.0, -1.5, -0.8))]


def _water(basis: str = "6-31g*", turn: np.ndarray | None = None, *, cart: bool = False) -> gto.Mole:
    turn = np.eye(3) if turn is None else turn
    return gto.M(
        atom=[(s, tuple(turn @ np.array(r))) for s, r in ATOMS],
        basis=basis,
        unit="Bohr",
        cart=cart,
        verbose=0,
    )


def _e3nn_rotation(turn: np.ndarray) -> np.ndarray:
    """How the tokens of an atom turn, by e3nn."""
    import torch
    from e3nn import o3
    from hybrid_propagate.surrogate.runtime.fitting_factors import TOKENS

    return o3.Irreps(TOKENS).D_from_matrix(torch.tensor(turn)).numpy()


@pytest.mark.parametrize("cart", [False, True])
def test_tokens_turn_as_e3nn_says(cart: bool) -> None:
    """The overlap of tokens among themselves, B Bᵀ, turned; d functions too, pure and cartesian."""
    turn = Rotation.from_rotvec([0.3, 1.0, -0.6]).as_matrix()
    here, there = (fitting_factors(_water(turn=t, cart=cart)).factors for t in (None, turn))
    D = np.kron(np.eye(3), _e3nn_rotation(turn))
    np.testing.assert_allclose(there @ there.T, D @ here @ here.T @ D.T, atol=1e-6)


def test_a_small_basis_is_resolved() -> None:
    """Tokens of STO-3G water hold symmetric matrices: BᵀB is the unit matrix in all but a few core
    directions."""
    known = fitting_factors(_water("sto-3g"))
    assert known.factors.shape == (3 * N_TOKENS, 28)
    assert known.currents.shape == (3 * N_CURRENTS, 21)
    values = np.linalg.eigvalsh(known.factors.T @ known.factors)
    assert values[3] > 0.5
    assert values[-1] <= 1.0 + 1e-12


def test_mean_field_is_that_of_pyscf() -> None:
    mol = _water("6-31g")
    X = lowdin_orbitals(mol)
    rng = np.random.default_rng(0)
    change = rng.standard_normal((13, 13)) + 1j * rng.standard_normal((13, 13))
    change += change.conj().T
    J, K = scf.hf.get_jk(mol, X @ change @ X, hermi=0)
    expected = X @ (J.real - 0.5 * 0.25 * K) @ X
    found = apply_auxiliary_kernel(mean_field_kernel(mol, "PBE0"), change[None, None])[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_elements_without_tokens_are_refused() -> None:
    with pytest.raises(KeyError):
        fitting_factors(gto.M(atom="Ar 0 0 0", basis="sto-3g", verbose=0))
