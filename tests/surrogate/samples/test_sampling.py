"""Response pairs: what is sampled is a density, what is stored is the reference's answer."""

from functools import cache

import numpy as np
import pytest
from hybrid_propagate.driver.dataset.config import Level, Molecule, system_of
from hybrid_propagate.surrogate.samples.sampling import SIZES, Point, respond, rotated_densities, solve_point
from pyscf import dft, scf


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
