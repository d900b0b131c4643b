"""The PySCF molecule of a system: sizes, overlaps and electrons."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import System

DECKS = Path(__file__).parents[2] / "support/decks"


def system_of(name: str) -> System:
    """System of a sample deck's last task."""
    return read_deck(DECKS / name).tasks[-1].system


@pytest.mark.parametrize(
    ("name", "functions", "electrons", "spin"),
    [
        ("methanol_kicks.nw", 36, (9, 9), 0),
        ("helium_fragments.nw", 4, (2, 1), 1),
        ("nitric_oxide.INP", 10, (8, 7), 1),
        # LANL2DZ leaves gold 19 of its electrons in 22 (24 cartesian) functions; 3-21G hydrogen has 2.
        ("gold_hydride.nw", 26, (10, 10), 0),
    ],
)
def test_sizes(name: str, functions: int, electrons: tuple[int, int], spin: int) -> None:
    system = system_of(name)
    mol = molecule(system)
    assert mol.nao == functions == system.n_basis
    assert mol.nelec == electrons
    assert mol.spin == spin
    assert mol.cart == (not system.spherical)
    np.testing.assert_array_equal(mol.atom_coords(), system.geometry.positions)


@pytest.mark.parametrize("name", ["methanol_kicks.nw", "helium_fragments.nw", "nitric_oxide.INP"])
def test_pure_functions_and_s_p_shells_are_normalised(name: str) -> None:
    overlap = molecule(system_of(name)).intor_symmetric("int1e_ovlp")
    np.testing.assert_allclose(np.diag(overlap), 1.0, atol=1e-12)
    assert np.linalg.eigvalsh(overlap)[0] > 1e-4


def test_overlap_of_helium_functions_at_six_bohr() -> None:
    # The outer 6-31G shell of helium is one Gaussian of exponent 0.297964: S = exp(-a R² / 2).
    overlap = molecule(system_of("helium_fragments.nw")).intor_symmetric("int1e_ovlp")
    assert overlap[1, 3] == pytest.approx(np.exp(-0.297964 * 36.0 / 2), rel=1e-10)


def test_ghost_centres_carry_functions_and_no_charge(tmp_path: Path) -> None:
    path = tmp_path / "ghost.nw"
    path.write_text(
        "geometry noautosym nocenter\nHe 0 0 0\nbqHe 0 0 2.0\nend\nbasis\n* library 6-31G\nend\n"
        "task dft\nrt_tddft\ntmax 1\ndt 1\nend\ntask dft rt_tddft\n"
    )
    mol = molecule(read_deck(path).tasks[-1].system)
    assert (mol.nao, mol.nelectron, list(mol.atom_charges())) == (4, 2, [2, 0])


def test_the_ecp_is_pyscfs_own() -> None:
    from pyscf import gto

    mol = molecule(system_of("gold_hydride.nw"))
    own = gto.M(atom="Au 0 0 0; H 0 0 1.52", basis={"Au": "lanl2dz", "H": "3-21g"}, ecp="lanl2dz", cart=True)
    ours = np.linalg.eigvalsh(mol.intor("ECPscalar_cart"))
    np.testing.assert_allclose(ours, np.linalg.eigvalsh(own.intor("ECPscalar_cart")), atol=1e-6)


@pytest.mark.parametrize("name", ["gold_hydride.nw", "helium_fragments.nw"])
def test_electrons_of_each_spin_are_pyscfs(name: str) -> None:
    """Those inside an ECP do not count: gold hydride has 20, not 80."""
    system = system_of(name)
    assert system.electrons == molecule(system).nelec
