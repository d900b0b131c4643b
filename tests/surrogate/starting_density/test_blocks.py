"""Blocks of a matrix as irreps: order of functions, orthonormality, round trip, superposed potentials."""

import numpy as np
import pytest
import torch
from e3nn import o3
from hybrid_propagate.surrogate.matrices.atom_pairs import atom_pairs
from hybrid_propagate.surrogate.starting_density.atomic_potentials import atomic_potential_fock
from hybrid_propagate.surrogate.starting_density.blocks import (
    AXES,
    block_coupling,
    block_groups,
    coupled,
    decoupled,
    layout,
)
from hybrid_propagate.surrogate.training.density_readout import couplings
from pyscf import gto, scf

FORMALDEHYDE = "C 0 0 0; O 0 0.1 1.2; H 0.9 0 -0.6; H -0.9 0.1 -0.5"


def _molecule(atoms: str = FORMALDEHYDE, basis: str = "def2-svp") -> gto.Mole:
    return gto.M(atom=atoms, basis=basis, verbose=0)


def test_functions_are_in_the_order_of_the_harmonics() -> None:
    # PySCF's own values of the functions of one atom against e3nn's harmonics of the points.
    mole = _molecule("Ne 0 0 0")
    places = layout(mole)
    assert places.shells == ((0, 0, 0, 1, 1, 2),)
    points = np.random.default_rng(1).normal(size=(20, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    values = mole.eval_gto("GTOval_sph", points)[:, places.order]
    for degree, start in ((1, 3), (2, 9)):
        harmonics = o3.spherical_harmonics(degree, torch.tensor(points[:, list(AXES)]), True).numpy()
        ratios = values[:, start : start + 2 * degree + 1] / harmonics
        np.testing.assert_allclose(ratios, ratios[0, 0], rtol=1e-6)


@pytest.mark.parametrize("same", [False, True])
def test_coupling_is_orthonormal(same: bool) -> None:
    left, right = (0, 0, 1, 2), (0, 0, 1, 2) if same else (0, 1)
    coupling = block_coupling(left, right, same, couplings())
    rows = np.concatenate([C.reshape(-1, C.shape[2] * C.shape[3]) for C in coupling.couple.values()])
    np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-12)


@pytest.mark.parametrize("basis", ["6-31g", "def2-svp"])
def test_a_symmetric_matrix_survives_coupling_and_decoupling(basis: str) -> None:
    mole = _molecule(basis=basis)
    A = np.random.default_rng(2).normal(size=(mole.nao, mole.nao))
    A += A.T
    numbers, places = mole.atom_charges(), layout(mole)
    back = np.zeros_like(A)
    for group in block_groups(numbers, atom_pairs(np.array([len(numbers)])), places):
        shells = [places.shells[int(np.flatnonzero(numbers == z)[0])] for z in group.elements]
        coupling = block_coupling(*shells, group.elements[0] == group.elements[1], couplings())
        blocks = A[group.left[:, :, None], group.right[:, None, :]]
        back[group.left[:, :, None], group.right[:, None, :]] += decoupled(
            coupled(blocks, coupling), coupling
        )
    np.testing.assert_allclose(back + back.T, A, atol=1e-12)


def test_shells_above_d_are_refused() -> None:
    with pytest.raises(ValueError, match="l = 3"):
        layout(_molecule("Ne 0 0 0", "cc-pvtz"))


def test_atomic_potentials_give_pyscf_s_sap_density() -> None:
    mole = _molecule()
    fock = atomic_potential_fock(mole)
    field = scf.RHF(mole)
    field.sap_basis = "sapgraspsmall"
    energies, orbitals = field.eig(fock, mole.intor("int1e_ovlp"))
    density = field.make_rdm1(orbitals, field.get_occ(energies, orbitals))
    np.testing.assert_allclose(density, field.get_init_guess(key="sap"), atol=1e-8)
