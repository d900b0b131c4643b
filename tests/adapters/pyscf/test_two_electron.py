"""J and K of every storage form against PySCF's get_jk."""

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.pyscf.two_electron import (
    SMALL,
    coulomb,
    exchange,
    long_range_exchange,
    make_two_electron,
)
from pyscf import scf
from pyscf_systems import GIB, water

OMEGA = 0.33


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
    integrals = make_two_electron(mol, OMEGA, None, memory)
    assert (integrals.coulomb_pairs is not None) == (form == "pairs") == (mol.nao <= SMALL)
    assert (integrals.packed is None) == (form == "direct")
    density = hermitian(mol.nao)
    J, K = scf.hf.get_jk(mol, density, hermi=0)
    with mol.with_range_coulomb(OMEGA):
        _, K_long = scf.hf.get_jk(mol, density, hermi=0)
    np.testing.assert_allclose(coulomb(integrals, density.real.copy()), np.asarray(J).real, atol=1e-10)
    np.testing.assert_allclose(exchange(integrals, density), K, atol=1e-10)
    np.testing.assert_allclose(long_range_exchange(integrals, density), K_long, atol=1e-10)


def test_a_real_density_has_real_exchange() -> None:
    mol = molecule(water())
    integrals = make_two_electron(mol, 0.0, None, GIB)
    density = hermitian(mol.nao)
    K = exchange(integrals, density.real.copy())
    assert K.dtype == np.float64
    np.testing.assert_allclose(K, exchange(integrals, density).real, atol=1e-12)


def test_the_attenuated_operator_is_kept_only_where_asked_for() -> None:
    mol = molecule(water())
    assert make_two_electron(mol, 0.0, None, GIB).long_range is None
    assert make_two_electron(mol, OMEGA, None, GIB).long_range is not None


def test_memory_decides_between_in_core_and_direct() -> None:
    mol = molecule(water(basis="6-31g"))
    n_pairs = mol.nao * (mol.nao + 1) // 2
    needed = 8 * n_pairs * (n_pairs + 1) // 2
    assert make_two_electron(mol, 0.0, None, needed).packed is not None
    assert make_two_electron(mol, 0.0, None, needed - 1).packed is None
    # Two sets of integrals for range separation.
    assert make_two_electron(mol, OMEGA, None, needed).packed is None
