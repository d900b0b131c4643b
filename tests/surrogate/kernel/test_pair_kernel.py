"""The kernel between empty and occupied orbitals against the engine's own response, of PySCF integrals."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.pyscf.point_symmetry import symmetry_orbitals
from hybrid_propagate.adapters.system import Functional, System
from hybrid_propagate.adapters.working_basis import WorkingBasis, make_working_basis
from hybrid_propagate.surrogate.kernel import pair_kernel as pair_kernel_module
from hybrid_propagate.surrogate.kernel.cholesky_vectors import cholesky_vectors
from hybrid_propagate.surrogate.kernel.pair_kernel import (
    FIRST,
    Means,
    PairBlock,
    bytes_taken,
    moved_blocks,
    pair_kernel,
    pairs_by_irrep,
)
from hybrid_propagate.surrogate.matrices.occupied_empty import OccupiedEmpty, occupied_empty
from pyscf import gto
from pyscf_systems import GIB, small_system, water

MEANS = Means(GIB)


@cache
def case(xc: str, cation: bool) -> tuple[PySCFEngine, WorkingBasis, OccupiedEmpty]:
    return prepared(water(xc, cation=cation))


def prepared(system: System) -> tuple[PySCFEngine, WorkingBasis, OccupiedEmpty]:
    engine, orbitals = solve_ground_state(make_engine(system, GIB), None, 80)
    engine = expanded_about(engine, orbitals.density(), kernel=True)
    fock = np.real(engine.fock(orbitals.density().astype(complex)).fock)
    basis = make_working_basis(engine.integrals, fock, symmetry_orbitals(engine.mol))
    return engine, basis, occupied_empty(basis.density_in(orbitals.density()), basis.energies, 1e-4)


def by_irrep(basis: WorkingBasis, pairs: OccupiedEmpty) -> list[np.ndarray]:
    return list(pairs_by_irrep(pairs, basis.irreps).values())


def applied(blocks: tuple[PairBlock, ...], x: np.ndarray) -> np.ndarray:
    found = np.zeros_like(x)
    for block in blocks:
        found[block.index] = block.real @ np.real(x[block.index])
        if block.imaginary is not None:
            found[block.index] += 1j * (block.imaginary @ np.imag(x[block.index]))
    return found


@pytest.mark.parametrize("interpolated_from", [0, 1000])
@pytest.mark.parametrize("cation", [False, True])
@pytest.mark.parametrize("xc", ["HF", "LDA", "PBE", "CAM-B3LYP", "TPSS"])
def test_it_is_the_engines_response(
    xc: str, cation: bool, interpolated_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_kernel_module, "FROM_PAIRS", interpolated_from)
    engine, basis, pairs = case(xc, cation)
    blocks = pair_kernel(engine, basis, pairs, basis.irreps, by_irrep(basis, pairs), MEANS)
    assert blocks is not None
    assert sum(len(block.index) for block in blocks) == pairs.n_pairs
    rng = np.random.default_rng(0)
    x = rng.standard_normal(pairs.n_pairs) + 1j * rng.standard_normal(pairs.n_pairs)
    response = basis.fock_in(engine.response(basis.density_out(pairs.matrix(x))))
    expected = pairs.block(response)
    found = applied(blocks, x)
    # The engine has single precision on the grid; f_xc is large where one spin is thin.
    error = 1e-11 if xc == "HF" else 1e-5 if cation else 2e-6
    for part in (np.real, np.imag):
        np.testing.assert_allclose(
            part(found), part(expected), rtol=0, atol=error * float(np.linalg.norm(expected)) + 1e-12
        )
    for block in blocks:
        np.testing.assert_allclose(block.real, block.real.T, atol=1e-12)
        if block.imaginary is not None:
            np.testing.assert_allclose(block.imaginary, block.imaginary.T, atol=1e-12)


def test_coulomb_is_the_engines() -> None:
    engine, basis, pairs = case("PBE", False)
    blocks = pair_kernel(engine, basis, pairs, basis.irreps, by_irrep(basis, pairs), MEANS)
    assert blocks is not None
    x = np.random.default_rng(1).standard_normal(pairs.n_pairs)
    change = np.real(basis.density_out(pairs.matrix(x.astype(complex)))[0])
    expected = np.real(pairs.block(basis.fock_in(engine.coulomb(change)[None])))
    found = np.concatenate([block.coulomb @ x[block.index] for block in blocks])
    order = np.argsort(np.concatenate([block.index for block in blocks]))
    np.testing.assert_allclose(found[order], expected, atol=1e-11)


def test_irreps_are_kept_apart() -> None:
    """The distorted water keeps its plane: two irreps; without symmetry one block holds the same kernel."""
    engine, basis, pairs = case("HF", False)
    whole = pair_kernel(engine, basis, pairs, np.zeros_like(basis.irreps), [np.arange(pairs.n_pairs)], MEANS)
    parts = pair_kernel(engine, basis, pairs, basis.irreps, by_irrep(basis, pairs), MEANS)
    assert whole is not None
    assert parts is not None
    assert (len(whole), len(parts)) == (1, 2)
    for part in parts:
        np.testing.assert_allclose(part.real, whole[0].real[np.ix_(part.index, part.index)], atol=1e-12)


def test_coulomb_of_few_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fewer vectors than pairs no matrix is made; A has what they make."""
    engine, basis, pairs = case("PBE", False)
    none = np.zeros_like(basis.irreps)
    every = [np.arange(pairs.n_pairs)]
    expected = pair_kernel(engine, basis, pairs, none, every, MEANS)
    direct = replace(engine, two_electron=replace(engine.two_electron, packed=None))
    monkeypatch.setattr(pair_kernel_module, "cholesky_vectors", partial(cholesky_vectors, tolerance=0.3))
    made_of_vectors = pair_kernel(direct, basis, pairs, none, every, MEANS)
    assert expected is not None
    assert made_of_vectors is not None
    known, found = expected[0], made_of_vectors[0]
    assert len(found.coulomb) < pairs.n_pairs
    made = 2.0 * found.coulomb.T @ found.coulomb
    np.testing.assert_allclose(found.real - made, known.real - known.coulomb, rtol=0, atol=1e-5)
    x = np.random.default_rng(3).standard_normal((2, pairs.n_pairs))
    np.testing.assert_allclose(found.coulomb_energy(x), np.vecdot(x, x @ made), rtol=1e-5)
    np.testing.assert_allclose(known.coulomb_energy(x), np.vecdot(x, x @ known.coulomb), rtol=1e-12)


def test_where_there_is_none() -> None:
    engine, basis, pairs = case("HF", False)
    assert pair_kernel(engine, basis, pairs, basis.irreps, by_irrep(basis, pairs), Means(100.0)) is None


def test_making_takes_more_than_is_kept() -> None:
    """So points have room afterwards. Half-transformed integrals take some of what integrals leave."""
    engine, basis, pairs = case("HF", False)
    indices = by_irrep(basis, pairs)
    taken = [
        bytes_taken(engine, pairs, basis.irreps, indices, Means(float(engine.two_electron.n_bytes) + more))
        for more in (0.0, 400.0, 1e9)
    ]
    blocks = pair_kernel(engine, basis, pairs, basis.irreps, indices, MEANS)
    assert blocks is not None
    assert sum(block.n_bytes for block in blocks) < taken[0]
    assert taken[1] - taken[0] == pytest.approx(200.0)
    assert taken[2] > taken[1]


@pytest.mark.parametrize("cation", [False, True])
@pytest.mark.parametrize("xc", ["HF", "PBE", "CAM-B3LYP"])
def test_integrals_that_are_not_held(xc: str, cation: bool) -> None:
    """Vectors of three indices stand in for them, in two irreps as in one."""
    engine, basis, pairs = case(xc, cation)
    not_held = replace(engine.two_electron, packed=None, mixed=None)
    direct = replace(engine, two_electron=not_held)
    for irreps in (basis.irreps, np.zeros_like(basis.irreps)):
        indices = list(pairs_by_irrep(pairs, irreps).values())
        expected, found = (pair_kernel(e, basis, pairs, irreps, indices, MEANS) for e in (engine, direct))
        assert expected is not None
        assert found is not None
        for one, other in zip(expected, found, strict=True):
            pairs_of = ((b.real, b.imaginary, b.coulomb) for b in (one, other))
            for name, known, made in zip(("real", "imaginary", "coulomb"), *pairs_of, strict=True):
                assert (known is None) == (made is None) == (xc == "PBE" and name == "imaginary")
                if known is not None:
                    np.testing.assert_allclose(made, known, rtol=0, atol=3e-6)


@pytest.mark.parametrize("xc", ["PBE0", "CAM-B3LYP"])
def test_a_fitted_coulomb_is_the_engines(xc: str) -> None:
    system = water(xc)
    fitted = replace(system, fitting_basis={tag: gto.basis.load("weigend", tag) for tag in ("O", "H")})
    engine, basis, pairs = prepared(fitted)
    blocks = pair_kernel(engine, basis, pairs, basis.irreps, by_irrep(basis, pairs), MEANS)
    assert blocks is not None
    x = np.random.default_rng(2).standard_normal(pairs.n_pairs) * (1.0 + 0.5j)
    expected = pairs.block(basis.fock_in(engine.response(basis.density_out(pairs.matrix(x)))))
    apart = float(np.linalg.norm(applied(blocks, x) - expected))
    assert apart < 3e-6 * float(np.linalg.norm(expected))


def test_single_precision() -> None:
    engine, basis, pairs = case("PBE", False)
    indices = by_irrep(basis, pairs)
    double = pair_kernel(engine, basis, pairs, basis.irreps, indices, MEANS)
    single = pair_kernel(engine, basis, pairs, basis.irreps, indices, Means(GIB, single=True))
    assert double is not None
    assert single is not None
    for one, other in zip(double, single, strict=True):
        assert (other.real.dtype, other.coulomb.dtype) == (np.float32, np.float32)
        assert np.linalg.norm(other.real - one.real) < 1e-6 * np.linalg.norm(one.real)


def test_only_what_a_field_moves() -> None:
    """A field in the plane of the molecule moves nothing that changes sign across it."""
    engine, basis, pairs = case("HF", False)
    oxygen, *hydrogens = engine.mol.atom_coords()
    one, other = (position - oxygen for position in hydrogens)
    along = np.array([pairs.block(basis.fock_in(d[None])).real for d in engine.integrals.dipole])
    for direction, count in ((one, 1), (other, 1), (np.cross(one, other), 2)):
        found = moved_blocks(pairs, basis.irreps, (direction @ along)[None], along)
        assert len(found) == count
    assert sum(map(len, moved_blocks(pairs, basis.irreps, along, along))) == pairs.n_pairs


def test_the_first_irrep_of_a_molecule_without_a_dipole_is_left_out() -> None:
    """No field moves it, and what second order moves in it no dipole shows."""
    positions = np.array([[0.0, 0.0, -1.04], [0.0, 0.0, 1.04]])
    engine, basis, pairs = prepared(small_system(("N", "N"), positions, "sto-3g", Functional("hf", "HF")))
    along = np.array([pairs.block(basis.fock_in(d[None])).real for d in engine.integrals.dipole])
    (first,) = (index for k, index in pairs_by_irrep(pairs, basis.irreps).items() if k == FIRST)
    found = moved_blocks(pairs, basis.irreps, along, along)
    assert len(found) == 3
    assert not np.intersect1d(np.concatenate(found), first).size


def test_where_no_field_moves_anything_one_irrep_is_left() -> None:
    """Helium in s functions has no dipole at all; hydrogen's only pair has none across its axis."""
    positions = np.array([[0.0, 0.0, -0.7], [0.0, 0.0, 0.7]])
    for tags, basis_name in ((("He",), "6-31g"), (("H", "H"), "sto-3g")):
        system = small_system(tags, positions[: len(tags)], basis_name, Functional("hf", "HF"))
        engine, basis, pairs = prepared(system)
        along = np.array([pairs.block(basis.fock_in(d[None])).real for d in engine.integrals.dipole])
        assert len(moved_blocks(pairs, basis.irreps, along[:1], along)) == 1
