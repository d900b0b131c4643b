"""Response pairs: what is sampled is a density, what is stored is the reference's answer, and comes back."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.files.basis_table import basis_table
from hybrid_propagate.driver.dataset.config import Level, Molecule, system_of
from hybrid_propagate.surrogate.samples.pairs_file import (
    Geometries,
    Pairs,
    PairsError,
    ResponsePairs,
    read_pairs,
    write_pairs,
)
from hybrid_propagate.surrogate.samples.resonances import resonances
from hybrid_propagate.surrogate.samples.sampling import SIZES, Point, respond, rotated_densities, solve_point
from pyscf import dft, gto, scf, tdscf


@cache
def point(xc: str, charge: int) -> Point:
    """Water and its cation, STO-3G."""
    positions = np.array([[0.0, 0.0, 0.1173], [0.0, 0.7572, -0.4692], [0.0, -0.7572, -0.4692]])
    molecule = Molecule("H2O", ("O", "H", "H"), positions, charge, 1 + charge, held_out=False)
    return solve_point(system_of(molecule, Level("STO-3G", xc), positions))


@pytest.mark.parametrize("charge", [0, 1])
def test_rotated_densities_are_densities(charge: int) -> None:
    """Hermitian, idempotent, as many electrons, and as far from the ground state as asked."""
    here = point("pbe0", charge)
    densities = rotated_densities(here, np.random.default_rng(1), 6)
    share = 2.0 if charge == 0 else 1.0
    np.testing.assert_allclose(densities, densities.conj().swapaxes(-1, -2), atol=1e-13)
    np.testing.assert_allclose(densities @ densities, share * densities, atol=1e-12)
    np.testing.assert_allclose(np.trace(densities, axis1=2, axis2=3).sum(1), 10 - charge, atol=1e-12)
    sizes = np.linalg.norm((densities - here.density).reshape(6, -1), axis=1)
    assert (sizes > 0.8 * SIZES[0]).all()
    assert (sizes < 1.2 * SIZES[1]).all()


def test_pairs_are_pyscfs_response() -> None:
    """ΔF from PySCF's own veff, at a density taken back out of the Löwdin basis."""
    here = point("pbe0", 0)
    densities = rotated_densities(here, np.random.default_rng(2), 2)
    change, fock, kernel = respond(here, densities)
    overlap = here.engine.integrals.overlap
    s, u = np.linalg.eigh(overlap)
    inverse_root = (u / np.sqrt(s)) @ u.T
    mean_field = dft.RKS(here.engine.mol, xc="pbe0")
    mean_field.grids.level = 3
    ground = here.orbitals.density()[0]
    for delta, response in zip(change[:, 0], fock[:, 0], strict=True):
        P = ground + np.real(inverse_root @ delta @ inverse_root)
        expected = mean_field.get_veff(dm=P) - mean_field.get_veff(dm=ground)
        # The imaginary part responds through exact exchange, -½ · 0.25 K.
        imaginary = scf.hf.get_jk(
            here.engine.mol, np.imag(inverse_root @ delta @ inverse_root), hermi=2, with_j=False
        )[1]
        np.testing.assert_allclose(
            response.real, inverse_root @ expected @ inverse_root, atol=3e-6 * np.linalg.norm(response)
        )
        np.testing.assert_allclose(
            response.imag, -0.125 * inverse_root @ imaginary @ inverse_root, atol=1e-10
        )
    assert kernel is not None
    weakest = int(np.argmin(np.linalg.norm(change.reshape(2, -1), axis=1)))
    error = np.linalg.norm(kernel[weakest] - fock[weakest]) / np.linalg.norm(fock[weakest])
    assert 1e-6 < error < 5e-3


def test_hartree_fock_is_its_own_kernel() -> None:
    here = point("hf", 0)
    _, fock, kernel = respond(here, rotated_densities(here, np.random.default_rng(3), 3))
    np.testing.assert_allclose(fock, kernel, atol=1e-10)


@pytest.mark.parametrize("charge", [0, 1])
def test_resonances_are_linear_responses(charge: int) -> None:
    """Against PySCF's TDDFT."""
    here = point("pbe0", charge)
    driven = resonances(here)
    assert driven is not None
    energies = driven.energies
    mean_field = (dft.UKS if charge else dft.RKS)(here.engine.mol, xc="pbe0")
    mean_field.grids.level = 3
    mean_field.kernel()
    solver = tdscf.TDDFT(mean_field)
    solver.nstates = 4
    solver.kernel()
    # The last orbital of a cation may be a hole below the Fermi level, whose root PySCF leaves out.
    found = [int(np.argmin(np.abs(energies - energy))) for energy in solver.e]
    np.testing.assert_allclose(energies[found], solver.e, atol=2e-4)
    np.testing.assert_allclose(driven.strengths[found], solver.oscillator_strength(), atol=2e-4)


def content() -> ResponsePairs:
    mol = gto.M(atom="H 0 0 0; H 0 0 0.7", basis="sto-3g", verbose=0)
    rng = np.random.default_rng(4)
    pairs = rng.standard_normal((3, 5, 1, 2, 2)) + 1j * rng.standard_normal((3, 5, 1, 2, 2))
    matrices = rng.standard_normal((2, 1, 2, 2))
    return ResponsePairs(
        {"molecule": "H2"},
        np.array([1, 1]),
        basis_table(mol),
        Geometries(
            rng.standard_normal((2, 2, 3)),
            matrices[:, 0],
            rng.standard_normal((2, 3, 2, 2)),
            matrices,
            matrices,
            rng.standard_normal((2, 3)),
            np.array([0, 2], np.int8),
        ),
        Pairs(np.array([0, 0, 1, 1, 1]), np.zeros(5, np.int8), *pairs),
    )


def test_files_come_back(tmp_path: Path) -> None:
    stored = content()
    write_pairs(tmp_path / "pairs.h5", stored)
    again = read_pairs(tmp_path / "pairs.h5")
    assert again.attributes["molecule"] == "H2"
    np.testing.assert_array_equal(again.basis.exponents, stored.basis.exponents)
    np.testing.assert_array_equal(again.geometries.dipole, stored.geometries.dipole)
    np.testing.assert_array_equal(again.pairs.geometry, stored.pairs.geometry)
    np.testing.assert_allclose(again.pairs.fock, stored.pairs.fock, rtol=1e-6)
    np.testing.assert_allclose(again.pairs.kernel, stored.pairs.kernel, rtol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.h5"]


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.h5"
    path.write_text("no HDF5")
    with pytest.raises(PairsError, match=r"pairs\.h5: not a file of response pairs"):
        read_pairs(path)


def test_basis_table_of_a_contracted_basis() -> None:
    """6-31G hydrogen by the numbers of Ditchfield, Hehre and Pople (1971), as libraries print them."""
    table = basis_table(gto.M(atom="H 0 0 0; F 0 0 0.9", basis="6-31g", verbose=0))
    np.testing.assert_allclose(table.exponents[0, :3], [18.7311370, 2.8253937, 0.6401217])
    np.testing.assert_allclose(table.coefficients[0, :3], [0.03349460, 0.23472695, 0.81375733], atol=1e-6)
    assert table.exponents[1].tolist() == [0.1612778, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert table.atom_index.tolist() == [0] * 2 + [1] * 9
    assert table.angular_momentum.tolist() == [0, 0, 0, 0, 0, *[1] * 6]
    assert table.magnetic_quantum.tolist() == [0, 0, 0, 0, 0, 1, -1, 0, 1, -1, 0]
