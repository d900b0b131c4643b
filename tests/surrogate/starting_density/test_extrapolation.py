"""Densities carried to another geometry: turned, interpolated along a scan, refused where they do not fit."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import System
from hybrid_propagate.surrogate.starting_density.extrapolation import (
    Extrapolation,
    interpolation_weights,
    snapshot,
)
from hybrid_propagate.surrogate.starting_density.predictor import NotApplicable
from pyscf import scf
from pyscf_systems import water
from scipy.stats import ortho_group


def converged(system: System) -> tuple[np.ndarray, float]:
    """Hartree-Fock density (n_spin, n, n) and energy by PySCF."""
    mean_field = (scf.UHF if system.open_shell else scf.RHF)(molecule(system))
    mean_field.conv_tol, mean_field.conv_tol_grad = 1e-12, 1e-7
    mean_field.kernel()
    return np.asarray(mean_field.make_rdm1()).reshape(system.n_spin, system.n_basis, -1), mean_field.e_tot


def energy(system: System, density: np.ndarray) -> float:
    """Hartree-Fock energy of a density, Hartree."""
    mean_field = (scf.UHF if system.open_shell else scf.RHF)(molecule(system))
    return mean_field.energy_tot(density if system.open_shell else density[0])


def at(system: System, positions: np.ndarray) -> System:
    return replace(system, geometry=replace(system.geometry, positions=positions))


@pytest.mark.parametrize("spherical", [True, False])
@pytest.mark.parametrize("cation", [True, False])
def test_a_turned_molecule_keeps_its_energy(spherical: bool, cation: bool) -> None:
    system = water("HF", "6-31g*", spherical=spherical, cation=cation)
    density, ground = converged(system)
    rotation = ortho_group.rvs(3, random_state=2)
    rotation *= np.linalg.det(rotation)
    turned = at(system, system.geometry.positions @ rotation.T + [1.0, -2.0, 0.5])
    predicted = Extrapolation((snapshot(system, density),)).predict(turned)
    assert energy(turned, predicted) == pytest.approx(ground, abs=1e-9)
    assert energy(turned, density) > ground + 0.1


def test_the_error_falls_with_every_point_of_a_scan() -> None:
    """O-H from 1.6 bohr on in steps of 0.05: each point known takes the error down, five by a lot."""
    systems = []
    for k in range(6):
        positions = np.array([(0.0, 0.0, 0.0), (0.0, 0.0, 1.6 + 0.05 * k), (0.0, 1.75, -0.45)])
        systems.append(at(water("HF", "6-31g"), positions))
    densities = [converged(system)[0] for system in systems]
    known = [snapshot(system, P) for system, P in zip(systems, densities, strict=True)]
    errors = [
        np.linalg.norm(Extrapolation(tuple(known[k:5])).predict(systems[5]) - densities[5])
        for k in range(4, -1, -1)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[1] < errors[0] / 20
    assert errors[4] < errors[0] / 5000


def test_predictions_are_idempotent_and_hold_the_electrons() -> None:
    system = water("HF", "6-31g", cation=True)
    other = at(system, system.geometry.positions * 1.03)
    known = tuple(snapshot(there, converged(there)[0]) for there in (system, other))
    here = at(system, system.geometry.positions * 1.1)
    predicted = Extrapolation(known).predict(here)
    S = molecule(here).intor("int1e_ovlp")
    for P, n_electrons in zip(predicted, (5, 4), strict=True):
        np.testing.assert_allclose(P @ S @ P, P, atol=1e-10)
        assert np.vdot(P, S) == pytest.approx(n_electrons, abs=1e-10)


def test_weights_along_a_line_are_lagranges() -> None:
    """Four equidistant points, cubic extrapolation: -1, 4, -6, 4."""
    weights = interpolation_weights(np.arange(4.0)[:, None], np.array([4.0]))
    np.testing.assert_allclose(weights, [-1.0, 4.0, -6.0, 4.0], atol=0.1)
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(
        interpolation_weights(np.arange(4.0)[:, None], np.array([2.0])), [0.0, 0.0, 1.0, 0.0], atol=1e-5
    )
    np.testing.assert_allclose(interpolation_weights(np.zeros((3, 2)), np.zeros(2)), [1 / 3] * 3)


def test_only_what_fits_is_used() -> None:
    system = water("HF", "sto-3g")
    known = Extrapolation((snapshot(system, converged(system)[0]),))
    with pytest.raises(NotApplicable, match="another basis, charge or multiplicity"):
        known.predict(water("HF", "6-31g"))
    with pytest.raises(NotApplicable, match="another basis, charge or multiplicity"):
        known.predict(water("HF", "sto-3g", cation=True))
    numbers = system.geometry.atomic_numbers[[1, 0, 2]]
    tags = ("H", "O", "H")
    swapped = replace(system, geometry=replace(system.geometry, tags=tags, atomic_numbers=numbers))
    with pytest.raises(NotApplicable, match="other atoms"):
        known.predict(swapped)
