"""Blocks, memory and single precision of the quadrature; its physics is tested in test_engine."""

from itertools import pairwise

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.pyscf.quadrature import (
    GRID_LEVEL,
    ao_blocks,
    apply_kernel,
    exchange_correlation,
    make_expansion_point,
    make_kernel,
    make_quadrature,
    quadrature_on,
)
from pyscf import dft
from pyscf_systems import GIB, solved, water


@pytest.mark.parametrize("word", ["xcoarse", "fine"])
def test_points_left_out_hold_nothing(word: str) -> None:
    """The kept weights integrate the density to as many electrons as PySCF's whole grid."""
    mol = molecule(water("PBE"))
    quadrature = make_quadrature(mol, "PBE, PBE", GRID_LEVEL[word], GIB)
    grids = dft.gen_grid.Grids(mol)
    grids.level = GRID_LEVEL[word]
    grids.build()
    density = solved("PBE")[1].density()
    point = make_expansion_point(quadrature, density)
    ao = dft.numint.eval_ao(mol, grids.coords)
    rho = dft.numint.eval_rho(mol, ao, density[0])
    assert quadrature.weights.size < grids.weights.size
    assert point.rho[0, 0] @ quadrature.weights == pytest.approx(rho @ grids.weights, abs=1e-10)
    assert rho @ grids.weights == pytest.approx(10.0, abs=0.02 if word == "xcoarse" else 1e-4)


def test_blocks_cut_the_grid_without_gap() -> None:
    quadrature = make_quadrature(molecule(water("PBE")), "PBE, PBE", 1, GIB)
    ends = [(part.start, part.stop) for part in quadrature.blocks]
    assert ends[0][0] == 0
    assert ends[-1][1] == quadrature.weights.size == len(quadrature.coords)
    assert all(a[1] == b[0] for a, b in pairwise(ends))
    assert len(ends) > 1
    assert all(0 < stop - start <= 4096 for start, stop in ends)
    assert [ao.shape[1] for ao in quadrature.aos] == [stop - start for start, stop in ends]


def test_memory_bounds_what_is_kept() -> None:
    mol = molecule(water("PBE"))
    whole = make_quadrature(mol, "PBE, PBE", 1, GIB)
    bytes_needed = sum(ao.nbytes for ao in whole.aos)
    half = make_quadrature(mol, "PBE, PBE", 1, 0.5 * bytes_needed)
    assert 0 < len(half.aos) < len(half.blocks)
    assert sum(ao.nbytes for ao in half.aos) <= 0.5 * bytes_needed
    density = solved("PBE")[1].density()
    matrices = []
    for quadrature in (whole, half):
        point = make_expansion_point(quadrature, density)
        matrices.append(exchange_correlation(quadrature, point, 1.001 * density)[1])
    np.testing.assert_array_equal(matrices[0], matrices[1])


@pytest.mark.parametrize("memory", [GIB, 0.0], ids=["held", "evaluated anew"])
def test_products_of_three_function_values_are_no_subnormal_numbers(memory: float) -> None:
    """Subnormal products took most of a Fock build's time."""
    quadrature = make_quadrature(molecule(water("PBE")), "PBE, PBE", 3, memory)
    assert len(quadrature.aos) == (len(quadrature.blocks) if memory else 0)
    values = np.concatenate([np.abs(ao).ravel() for _, ao in ao_blocks(quadrature)])
    assert values.dtype == np.float32
    assert values[values > 0.0].min() ** 3 > np.finfo(np.float32).tiny
    # What vanishes is there: its true values go on below.
    assert (values == 0.0).mean() > 1e-3


def test_at_the_expansion_point_nothing_is_in_single_precision() -> None:
    quadrature = make_quadrature(molecule(water("PBE")), "PBE, PBE", 1, GIB)
    density = solved("PBE")[1].density()
    point = make_expansion_point(quadrature, density)
    _, matrix = exchange_correlation(quadrature, point, density)
    np.testing.assert_array_equal(matrix, point.matrix)


@pytest.mark.parametrize("size", [1e-3, 1e-9, 1e-24])
def test_rounding_is_relative_to_the_change(size: float) -> None:
    """A kick of any strength: the kernel's image of it keeps single precision's seven digits."""
    quadrature = make_quadrature(molecule(water("PBE")), "PBE, PBE", 1, GIB)
    density = solved("PBE")[1].density()
    kernel = make_kernel(quadrature, make_expansion_point(quadrature, density))
    change = np.random.default_rng(1).standard_normal(density.shape)
    change += change.transpose(0, 2, 1)
    image = apply_kernel(quadrature, kernel, change)
    scaled = apply_kernel(quadrature, kernel, size * change) / size
    np.testing.assert_allclose(scaled, image, atol=1e-6 * np.abs(image).max())


def test_the_kernel_is_symmetric() -> None:
    """Tr A K[B] = Tr B K[A], both spins, GGA."""
    engine, orbitals = solved("PBE", True)
    quadrature = engine.quadrature
    assert quadrature is not None
    assert engine.kernel is not None
    rng = np.random.default_rng(2)
    a, b = (rng.standard_normal(orbitals.density().shape) for _ in range(2))
    a, b = a + a.transpose(0, 2, 1), b + b.transpose(0, 2, 1)
    image_a, image_b = (apply_kernel(quadrature, engine.kernel, x) for x in (a, b))
    assert np.vdot(a, image_b) == pytest.approx(np.vdot(b, image_a), rel=1e-5)


def test_grid_words_get_finer() -> None:
    mol = molecule(water("PBE"))
    levels = [GRID_LEVEL[w] for w in ("xcoarse", "coarse", "medium", "fine", "xfine", "huge")]
    assert levels == sorted(set(levels))
    sizes = [make_quadrature(mol, "LDA, VWN", level, 0.0).weights.size for level in levels[:4]]
    assert sizes == sorted(set(sizes))


def test_blocks_of_points_that_hold_nothing_are_left_out() -> None:
    """As the outer points of a large molecule may be."""
    mol = molecule(water("PBE"))
    grids = dft.gen_grid.Grids(mol)
    grids.level = 1
    grids.build()
    coords, weights = np.asarray(grids.coords), np.asarray(grids.weights)
    far = np.tile([200.0, 0.0, 0.0], (9000, 1))
    density = solved("PBE")[1].density()
    near = quadrature_on(mol, "PBE, PBE", coords, weights, GIB)
    both = quadrature_on(mol, "PBE, PBE", np.vstack([far, coords]), np.append(np.ones(9000), weights), GIB)
    assert all(part.stop > part.start for part in both.blocks)
    matrices = [make_expansion_point(quadrature, density).matrix for quadrature in (near, both)]
    assert np.abs(matrices[0] - matrices[1]).max() < 1e-12
