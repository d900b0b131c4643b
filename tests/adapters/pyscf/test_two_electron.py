"""J and K of every storage form against PySCF's get_jk."""

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.pyscf.two_electron import (
    SMALL,
    ExchangeOperator,
    coulomb,
    coulomb_and_exchange,
    exchange,
    make_two_electron,
)
from pyscf import scf
from pyscf_systems import GIB, water

CAM = ExchangeOperator(0.33, 0.19, 0.46)
FULL = ExchangeOperator(0.0, 1.0, 0.0)


def hermitian(n: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    matrix = rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))
    return matrix + matrix.conj().T


@pytest.mark.parametrize(
    ("basis", "memory", "form"),
    [("sto-3g", GIB, "pairs"), ("6-31g**", GIB, "packed"), ("6-31g**", 0.0, "direct")],
)
@pytest.mark.parametrize("spherical", [False, True])
def test_coulomb_and_exchange(basis: str, memory: float, form: str, spherical: bool) -> None:
    """Each form, cartesian and pure functions, full and attenuated operator."""
    mol = molecule(water(basis=basis, spherical=spherical))
    integrals = make_two_electron(mol, CAM, None, memory)
    assert (integrals.coulomb_pairs is not None) == (form == "pairs") == (mol.nao <= SMALL)
    assert (integrals.packed is None) == (form == "direct")
    density = hermitian(mol.nao)
    J, K = scf.hf.get_jk(mol, density, hermi=0)
    with mol.with_range_coulomb(CAM.omega):
        _, K_long = scf.hf.get_jk(mol, density, hermi=0)
    np.testing.assert_allclose(coulomb(integrals, density.real.copy()), np.asarray(J).real, atol=1e-10)
    expected = CAM.full * K + CAM.attenuated * K_long
    np.testing.assert_allclose(exchange(integrals, density), expected, atol=1e-10)
    whole = make_two_electron(mol, FULL, None, memory)
    np.testing.assert_allclose(exchange(whole, density), K, atol=1e-10)


@pytest.mark.parametrize("operator", [FULL, CAM], ids=["full", "attenuated"])
@pytest.mark.parametrize("kind", [float, complex])
def test_one_pass_for_both(operator: ExchangeOperator, kind: type) -> None:
    """Of integrals computed on the way, two spins; a small imaginary part keeps its digits."""
    mol = molecule(water(basis="6-31g**"))
    density = np.array([hermitian(mol.nao), 0.3 * hermitian(mol.nao).conj()])
    density = np.real(density) if kind is float else np.real(density) + 1e-7j * np.imag(density)
    direct, held = (
        coulomb_and_exchange(make_two_electron(mol, operator, None, memory), density) for memory in (0.0, GIB)
    )
    for found, expected in zip(direct, held, strict=True):
        np.testing.assert_allclose(np.real(found), np.real(expected), atol=1e-10)
        np.testing.assert_allclose(np.imag(found), np.imag(expected), atol=1e-16)


def test_a_real_density_has_real_exchange() -> None:
    mol = molecule(water())
    integrals = make_two_electron(mol, FULL, None, GIB)
    density = hermitian(mol.nao)
    K = exchange(integrals, density.real.copy())
    assert K.dtype == np.float64
    np.testing.assert_allclose(K, exchange(integrals, density).real, atol=1e-12)


@pytest.mark.parametrize("basis", ["sto-3g", "6-31g**"])
def test_a_weak_motion_leaves_the_real_part_as_it_is(basis: str) -> None:
    """To the last digit: rounding that comes and goes with the imaginary part would be motion."""
    mol = molecule(water(basis=basis))
    integrals = make_two_electron(mol, CAM, None, GIB)
    density = hermitian(mol.nao)
    weak = density.real + 1e-5j * density.imag
    K = exchange(integrals, weak)
    np.testing.assert_array_equal(K.real, exchange(integrals, density.real.copy()))
    np.testing.assert_allclose(K.imag, 1e-5 * exchange(integrals, density).imag, rtol=1e-9, atol=1e-17)


def test_a_fitted_coulomb_matrix_leaves_one_set_of_integrals() -> None:
    mol = molecule(water(basis="6-31g**"))
    assert make_two_electron(mol, FULL, None, GIB).mixed is None
    kept, fitted = (make_two_electron(mol, CAM, basis, GIB) for basis in (None, "weigend"))
    assert kept.packed is not None
    assert fitted.packed is None
    density = hermitian(mol.nao)
    np.testing.assert_allclose(exchange(fitted, density), exchange(kept, density), atol=1e-12)


def test_memory_decides_between_in_core_and_direct() -> None:
    mol = molecule(water(basis="6-31g"))
    n_pairs = mol.nao * (mol.nao + 1) // 2
    needed = 8 * n_pairs * (n_pairs + 1) // 2
    assert make_two_electron(mol, FULL, None, needed).packed is not None
    assert make_two_electron(mol, FULL, None, needed - 1).packed is None
    # Two sets of integrals for range separation.
    assert make_two_electron(mol, CAM, None, needed).packed is None
