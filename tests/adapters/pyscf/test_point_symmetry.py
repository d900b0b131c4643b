"""Symmetry-adapted orbitals: against PySCF's own count, and by what symmetric operators do not connect."""

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.engine import one_electron
from hybrid_propagate.adapters.pyscf.point_symmetry import symmetry_orbitals
from hybrid_propagate.adapters.working_basis import WorkingBasis, make_working_basis
from pyscf import dft, gto, scf

WATER = "O 0 0 0.12; H 0 0.76 -0.47; H 0 -0.76 -0.47"
AMMONIA = "N 0 0 0; H 0.94 0 0.38; H -0.47 0.81406388 0.38; H -0.47 -0.81406388 0.38"
#: Along no axis of the frame.
NITROGEN = "N 0 0 0; N 0.6 0.7 0.6"
NONE = "O 0 0 0.12; H 0 0.76 -0.47; H 0.1 -0.7 -0.5"


def solved(atoms: str, *, symmetric: bool = True) -> tuple[gto.Mole, WorkingBasis, np.ndarray]:
    mol = gto.M(atom=atoms, basis="6-31g*", cart=True, verbose=0)
    integrals = one_electron(mol, mol.atom_charges())
    mean_field = scf.RHF(mol).set(conv_tol=1e-12)
    mean_field.kernel()
    fock = mean_field.get_fock()[None]
    return mol, make_working_basis(integrals, fock, symmetry_orbitals(mol) if symmetric else None), fock


@pytest.mark.parametrize("atoms", [WATER, AMMONIA, NITROGEN, NONE], ids=["C2v", "C3v", "tilted", "C1"])
def test_orbitals_are_adapted_and_still_eigenvectors(atoms: str) -> None:
    mol, basis, fock = solved(atoms)
    C, S = basis.coefficients[0], mol.intor("int1e_ovlp")
    np.testing.assert_allclose(C.T @ S @ C, np.eye(len(C)), atol=1e-10)
    np.testing.assert_allclose(basis.fock_in(fock)[0], np.diag(basis.energies[0]), atol=2e-7)
    plain = solved(atoms, symmetric=False)[1]
    np.testing.assert_allclose(basis.energies, plain.energies, atol=1e-9)
    assert (plain.irreps == 0).all()


@pytest.mark.parametrize(
    ("atoms", "group"), [(WATER, "C2v"), (AMMONIA, "Cs"), (NITROGEN, "D2h")], ids=["C2v", "C3v", "tilted"]
)
def test_irreps_are_as_many_as_pyscf_finds(atoms: str, group: str) -> None:
    """By PySCF's own molecule built in that group."""
    _, basis, _ = solved(atoms)
    theirs = gto.M(atom=atoms, basis="6-31g*", cart=True, verbose=0, symmetry=group)
    expected = sorted(part.shape[1] for part in theirs.symm_orb)
    assert sorted(np.unique(basis.irreps[0], return_counts=True)[1]) == expected


@pytest.mark.parametrize("atoms", [WATER, AMMONIA, NITROGEN], ids=["C2v", "C3v", "tilted"])
def test_products_of_irreps_are_exclusive_ors(atoms: str) -> None:
    """The second moment r² about the centre of charge is symmetric as a whole: its irrep is 0."""
    mol, basis, _ = solved(atoms)
    products = basis.irreps[0][:, None] ^ basis.irreps[0]
    charges = mol.atom_charges()
    with mol.with_common_origin(charges @ mol.atom_coords() / charges.sum()):
        r2 = basis.fock_in(mol.intor("int1e_r2"))[0]
    # Positions have eight digits.
    assert np.abs(r2[products != 0]).max() < 1e-8


def test_each_dipole_component_has_one_irrep() -> None:
    """Water's x, y, z are those of its group: B1, B2, A1."""
    mol, basis, _ = solved(WATER)
    products = basis.irreps[0][:, None] ^ basis.irreps[0]
    for component in basis.fock_in(mol.intor("int1e_r")):
        weight = sorted(np.linalg.norm(component[products == irrep]) for irrep in range(4))
        assert weight[-2] < 1e-9 * weight[-1]


def test_a_fock_matrix_without_the_symmetry_keeps_no_irreps() -> None:
    mol, _, fock = solved(WATER)
    tilted = fock + 1e-3 * mol.intor("int1e_r")[1]
    basis = make_working_basis(one_electron(mol, mol.atom_charges()), tilted, symmetry_orbitals(mol))
    assert (basis.irreps == 0).all()


def test_a_symmetry_that_holds_only_nearly_is_none() -> None:
    """Naphthalene rounded to five digits: a group is found, but not the image of every atom."""
    carbons = [(-2.42488, 0.7), (-1.21244, 1.4), (0.0, 0.7), (1.21243, 1.4), (2.42487, 0.7)]
    hydrogens = [(-3.36018, 1.24), (-1.21244, 2.48), (1.21244, 2.48), (3.36018, 1.24)]
    named = [("C", *at) for at in carbons] + [("H", *at) for at in hydrogens]
    atoms = "; ".join(f"{name} {x} {sign * y} 0" for name, x, y in named for sign in (1, -1))
    mol = gto.M(atom=atoms, basis="sto-3g", verbose=0)
    found = symmetry_orbitals(mol)
    assert found.combinations.shape == (mol.nao, mol.nao)
    assert np.linalg.matrix_rank(found.combinations) == mol.nao


@pytest.mark.parametrize(("axis", "irreps"), [((0.48, 0.6, 0.64), 1), ((0.0, 0.0, 1.0), 3)])
def test_a_grid_oblique_to_the_axis_keeps_no_irreps(axis: tuple[float, ...], irreps: int) -> None:
    """What it leaves between irreps turns degenerate modes into one another, at a constant rate."""
    atoms = [["Li", (0, 0, 0)], ["F", tuple(1.5639 * np.array(axis))]]
    mol = gto.M(atom=atoms, basis="sto-3g", verbose=0)
    fock = dft.RKS(mol, xc="pbe").run(conv_tol=1e-12).get_fock()[None]
    basis = make_working_basis(one_electron(mol, mol.atom_charges()), fock, symmetry_orbitals(mol))
    assert len(np.unique(basis.irreps)) == irreps
