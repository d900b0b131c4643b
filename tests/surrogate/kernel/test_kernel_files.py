"""Kernels of weak motion in files: back as they were, turned with their orbitals, and never another's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.working_basis import WorkingBasis, make_working_basis
from hybrid_propagate.atomic.errors import BadInput
from hybrid_propagate.surrogate.kernel.kernel_files import KernelFolder, read_blocks, write_blocks
from hybrid_propagate.surrogate.kernel.pair_kernel import Means, PairBlock, pair_kernel
from hybrid_propagate.surrogate.matrices.occupied_empty import OccupiedEmpty, occupied_empty
from pyscf_systems import GIB, water

Case = tuple[PySCFEngine, WorkingBasis, OccupiedEmpty]


@pytest.fixture(name="case", scope="module", params=["pbe0", "pbe"])
def make_case(request: pytest.FixtureRequest) -> Case:
    engine, orbitals = solve_ground_state(make_engine(water(request.param, cation=False), GIB), None, 80)
    engine = expanded_about(engine, orbitals.density(), kernel=True)
    basis = make_working_basis(
        engine.integrals, np.real(engine.fock(orbitals.density().astype(complex)).fock)
    )
    return engine, basis, occupied_empty(basis.density_in(orbitals.density()), basis.energies, 1e-4)


def kernel(case: Case, basis: WorkingBasis | None = None, *, single: bool = False) -> tuple[PairBlock, ...]:
    engine, own, pairs = case
    # Two blocks, of odd and of even pairs: nothing says that blocks are irreps.
    indices = [np.arange(first, pairs.n_pairs, 2) for first in (0, 1)]
    irreps = np.zeros(own.energies.shape, int)
    made = pair_kernel(engine, basis or own, pairs, irreps, [np.arange(pairs.n_pairs)], Means(GIB, single))
    assert made is not None
    (whole,) = made

    def part(matrix: np.ndarray, index: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(matrix[np.ix_(index, index)])

    return tuple(
        PairBlock(
            index,
            part(whole.real, index),
            None if whole.imaginary is None else part(whole.imaginary, index),
            part(whole.coulomb, index),
        )
        for index in indices
    )


def folder(path: Path, basis: WorkingBasis, xc: str = "pbe0") -> KernelFolder:
    return KernelFolder(path, "H2O", {"xc": xc}, basis.coefficients)


def check_same(found: list[PairBlock], expected: tuple[PairBlock, ...], rounding: float = 0.0) -> None:
    assert len(found) == len(expected)
    for block, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(block.index, other.index)
        assert block.real.dtype == other.real.dtype
        assert (block.imaginary is None) == (other.imaginary is None)
        for name in ("real", "imaginary", "coulomb"):
            if getattr(other, name) is not None:
                np.testing.assert_allclose(getattr(block, name), getattr(other, name), rtol=0, atol=rounding)


@pytest.mark.parametrize("single", [False, True])
def test_what_was_written_is_read(case: Case, single: bool, tmp_path: Path) -> None:
    blocks, kind = kernel(case, single=single), np.float32 if single else np.float64
    indices = [block.index for block in blocks]
    _, basis, pairs = case
    # Campaigns run decks with no command that has made the folder.
    tmp_path = tmp_path / "new" / "folder"
    write_blocks(folder(tmp_path, basis), blocks)
    check_same(read_blocks(folder(tmp_path, basis), pairs, indices, kind), blocks)
    # Nothing of another level, other pairs, or the other precision.
    assert not read_blocks(folder(tmp_path, basis, "b3lyp"), pairs, indices, kind)
    assert not read_blocks(folder(tmp_path, basis), pairs, [indices[0][:-1]], kind)
    assert not read_blocks(folder(tmp_path, basis), pairs, indices, np.float64 if single else np.float32)
    assert len(list(tmp_path.iterdir())) == 2


def test_vectors_turn_by_their_columns(case: Case, tmp_path: Path) -> None:
    """Coulomb as vectors, of the pairs' kernel: L^T L stays the matrix of the turned orbitals."""
    _, basis, pairs = case
    block, _ = kernel(case)
    sizes, vectors = np.linalg.eigh(block.coulomb)
    kept = sizes > 1e-12 * sizes.max()
    few = (vectors[:, kept] * np.sqrt(0.5 * sizes[kept])).T
    write_blocks(folder(tmp_path, basis), [replace(block, coulomb=few)])
    turned = turned_basis(basis)
    (found,) = read_blocks(folder(tmp_path, turned), pairs, [block.index], np.float64)
    expected, _ = kernel(case, turned)
    np.testing.assert_allclose(2.0 * found.coulomb.T @ found.coulomb, expected.coulomb, rtol=0, atol=1e-8)


def turned_basis(basis: WorkingBasis) -> WorkingBasis:
    """Every third orbital with the other sign."""
    coefficients = basis.coefficients.copy()
    coefficients[:, :, ::3] *= -1.0
    return replace(basis, coefficients=coefficients)


def test_signs_of_orbitals_turn_the_kernel(case: Case, tmp_path: Path) -> None:
    _, basis, pairs = case
    blocks = kernel(case)
    write_blocks(folder(tmp_path, basis), blocks)
    turned = turned_basis(basis)
    expected = kernel(case, turned)
    assert np.abs(expected[0].real - blocks[0].real).max() > 0.01
    found = read_blocks(folder(tmp_path, turned), pairs, [block.index for block in blocks], np.float64)
    check_same(found, expected, 1e-9)


def test_other_orbitals_have_no_kernel_there_until_it_is_written(case: Case, tmp_path: Path) -> None:
    """Two of them mixed, as degenerate ones may be."""
    _, basis, pairs = case
    blocks = kernel(case)
    indices = [block.index for block in blocks]
    write_blocks(folder(tmp_path, basis), blocks)
    mixed = basis.coefficients.copy()
    first, second = basis.coefficients[:, :, -1], basis.coefficients[:, :, -2]
    mixed[:, :, -1], mixed[:, :, -2] = 0.8 * first + 0.6 * second, 0.8 * second - 0.6 * first
    other = replace(basis, coefficients=mixed)
    assert not read_blocks(folder(tmp_path, other), pairs, indices, np.float64)
    write_blocks(folder(tmp_path, other), kernel(case, other))
    check_same(read_blocks(folder(tmp_path, other), pairs, indices, np.float64), kernel(case, other), 1e-9)
    assert not read_blocks(folder(tmp_path, basis), pairs, indices, np.float64)


@pytest.mark.parametrize("damage", ["cut", "changed", "text"])
def test_a_damaged_file_is_refused_in_one_line(case: Case, damage: str, tmp_path: Path) -> None:
    _, basis, pairs = case
    blocks = kernel(case)
    write_blocks(folder(tmp_path, basis), blocks[:1])
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "cut": content[:middle],
            "changed": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "text": b"no kernel\n",
        }[damage]
    )
    with pytest.raises(BadInput, match=r"\.kernel\.h5: .*remove it") as caught:
        read_blocks(folder(tmp_path, basis), pairs, [blocks[0].index], np.float64)
    assert "\n" not in str(caught.value)
