"""Coulomb and exchange from vectors of three indices, against the engine's own."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, make_engine
from hybrid_propagate.adapters.system import Functional
from hybrid_propagate.adapters.working_basis import WorkingBasis, make_working_basis
from hybrid_propagate.surrogate.kernel.cholesky_vectors import VECTORS
from hybrid_propagate.surrogate.kernel.factored_mean_field import SHARE, factored_mean_field, fits_factors
from pyscf import gto
from pyscf_systems import GIB, water

#: The full operator alone; with an attenuated one; with its long range taken off; no exchange.
XC = {"PBE0": "PBE0", "CAM-B3LYP": "CAMB3LYP", "HSE06": "HSE06", "PBE": "PBE, PBE"}


def made(xc: str, *, cation: bool = False, fitted: bool = False) -> tuple[PySCFEngine, WorkingBasis]:
    """Water with diffuse functions, about a random symmetric Fock matrix a spin."""
    system = replace(water(basis="6-31++g", cation=cation, grid="xcoarse"), functional=Functional(xc, XC[xc]))
    if fitted:
        fitting = {tag: gto.basis.load("def2-universal-jfit", tag) for tag in system.basis}
        system = replace(system, fitting_basis=fitting)
    engine = make_engine(system, GIB)
    random = np.random.default_rng(4)
    shape = (system.n_spin, engine.mol.nao, engine.mol.nao)
    fock = random.standard_normal(shape)
    return engine, make_working_basis(engine.integrals, fock + fock.swapaxes(1, 2))


def turned(basis: WorkingBasis, size: float, seed: int = 7) -> np.ndarray:
    """A determinant of five orbitals turned at random, less itself: (n_spin, m, m)."""
    random = np.random.default_rng(seed)
    n_spin, _, m = basis.coefficients.shape
    found = []
    for _ in range(n_spin):
        a = size * (random.standard_normal((m, m)) + 1j * random.standard_normal((m, m)))
        turn = np.linalg.qr(np.eye(m) + a - a.conj().T)[0]
        occupied = np.diag((np.arange(m) < 5).astype(float))
        found.append(turn @ occupied @ turn.conj().T - occupied)
    return np.array(found)


def drawn(basis: WorkingBasis, size: float) -> np.ndarray:
    """Twenty of these, (20, n_spin, m, m). An orbital's sign is the processor's, so that one alone is another
    elsewhere, and where its response cancels, what is off is a larger part of it.
    """
    return np.array([turned(basis, size, seed) for seed in range(20)])


@pytest.mark.parametrize("xc", XC)
@pytest.mark.parametrize("cation", [False, True], ids=["closed", "open"])
@pytest.mark.parametrize("size", [1e-6, 0.1])
def test_as_the_engine_has_it(xc: str, cation: bool, size: float) -> None:
    """Of small changes as of large ones: a part in ten thousand of them."""
    engine, basis = made(xc, cation=cation)
    mean_field, changes = factored_mean_field(engine, basis), drawn(basis, size)
    densities = [basis.density_out(change) for change in changes]
    exact = np.array([basis.fock_in(engine.mean_field_response(density)) for density in densities])
    found = mean_field.total(changes)
    np.testing.assert_allclose(found, found.conj().swapaxes(2, 3), atol=1e-12 * np.abs(found).max())
    assert np.linalg.norm(found - exact) < 1e-4 * np.linalg.norm(exact)
    totals = [np.real(density).sum(axis=0) for density in densities]
    coulomb = np.array(
        [basis.fock_in(np.broadcast_to(engine.coulomb(total), exact[0].shape)) for total in totals]
    )
    assert np.linalg.norm(mean_field.coulomb(changes) - coulomb) < 1e-4 * np.linalg.norm(coulomb)


@pytest.mark.parametrize("xc", XC)
def test_nearly_is_the_same_to_three_thousandths(xc: str) -> None:
    """And what is still counts nothing."""
    engine, basis = made(xc, cation=True)
    mean_field, changes = factored_mean_field(engine, basis), drawn(basis, 0.01)
    exact = mean_field.total(changes)
    unit = np.linalg.norm(exact)
    assert np.linalg.norm(mean_field.nearly(changes, 0.0) - exact) < 3e-3 * unit
    largest = np.abs(np.linalg.eigvalsh(changes)).max()
    assert np.linalg.norm(mean_field.nearly(changes, 1e-3 * largest) - exact) < 3e-3 * unit
    coulomb = mean_field.coulomb(changes)
    np.testing.assert_array_equal(mean_field.nearly(changes, 1.1 * largest), coulomb)


def test_an_imaginary_change_responds_by_exchange_alone() -> None:
    for xc, responds in (("PBE", False), ("PBE0", True)):
        engine, basis = made(xc)
        change = 1j * np.imag(turned(basis, 0.1))
        found = factored_mean_field(engine, basis).total(change[None])
        assert (np.linalg.norm(found) > 1e-3) == responds
        assert np.abs(np.real(found)).max() < 1e-6


def test_coulomb_is_fitted_where_the_engines_is() -> None:
    engine, basis = made("CAM-B3LYP", fitted=True)
    change = turned(basis, 0.1)
    exact = basis.fock_in(engine.mean_field_response(basis.density_out(change)))
    found = factored_mean_field(engine, basis).total(change[None])[0]
    assert np.linalg.norm(found - exact) < 1e-4 * np.linalg.norm(exact)
    plain = made("CAM-B3LYP")[0]
    unfitted = basis.fock_in(plain.mean_field_response(basis.density_out(change)))
    assert np.linalg.norm(unfitted - exact) > 3e-4 * np.linalg.norm(exact)


def test_no_change_has_no_response() -> None:
    engine, basis = made("CAM-B3LYP")
    nothing = np.zeros((2, 1, basis.n_functions, basis.n_functions), complex)
    assert not factored_mean_field(engine, basis).total(nothing).any()


@pytest.mark.parametrize(("xc", "sets"), [("PBE0", 2), ("CAM-B3LYP", 3)])
def test_what_does_not_fit_is_not_made(xc: str, sets: int) -> None:
    """A range-separated operator has a set of vectors more, and one more is Coulomb's."""
    engine = made(xc)[0]
    n = engine.mol.nao
    held = sets * 8.0 * VECTORS * n * (n * (n + 1) // 2)
    assert fits_factors(engine, 1.01 * held / SHARE)
    assert not fits_factors(engine, 0.99 * held / SHARE)
