"""Geometries of a temperature."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import Functional, System
from hybrid_propagate.driver.campaign.config import Thermal
from hybrid_propagate.driver.campaign.thermal import (
    ELECTRONS_PER_AMU,
    HARTREE_PER_CM,
    HARTREE_PER_K,
    NoModes,
    NormalModes,
    modes_of,
    sampled,
    variance,
)
from pyscf import scf
from pyscf_systems import small_system


def hydrogen(apart: float) -> System:
    """RHF/STO-3G has its minimum at 1.346 bohr (Szabo and Ostlund, 3.5.2)."""
    places = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, apart]])
    return small_system(("H", "H"), places, "sto-3g", Functional("HF", "HF"))


def test_variances_are_those_of_the_formulas() -> None:
    omega = np.array([HARTREE_PER_CM * 3000.0])
    assert variance(omega, Thermal(0.0, 1)) == pytest.approx(0.5 / omega)
    hot = 1e5
    classical = variance(omega, Thermal(hot, 1, "classical"))
    assert classical == pytest.approx(HARTREE_PER_K * hot / omega**2)
    # coth x = 1/x + x/3 - …
    x = float(omega[0]) / (2.0 * HARTREE_PER_K * hot)
    assert variance(omega, Thermal(hot, 1)) == pytest.approx(classical * (1.0 + x * x / 3.0), rel=1e-5)


def test_samples_have_the_variance_and_their_own_seeds() -> None:
    modes = NormalModes(np.array([0.01]), np.array([[[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]]), 0.0)
    thermal = Thermal(300.0, 4000, "wigner", 3)
    drawn = sampled(np.zeros((2, 3)), modes, thermal)
    wanted = math.sqrt(float(variance(modes.omega, thermal)[0]))
    assert drawn[:, 0, 2].std() == pytest.approx(wanted, rel=0.05)
    np.testing.assert_allclose(drawn[:, 0], -drawn[:, 1])
    fewer = sampled(np.zeros((2, 3)), modes, Thermal(300.0, 5, "wigner", 3))
    np.testing.assert_array_equal(fewer, drawn[:5])


def test_hydrogen_vibrates_as_its_curvature_says() -> None:
    """ω = √(k / μ), k by central differences of PySCF's energy along the bond."""
    system = hydrogen(1.346)
    modes = modes_of(system, lambda _: None)
    assert modes.omega.shape == (1,)
    positions = system.geometry.positions
    along = (positions[1] - positions[0]) / np.linalg.norm(positions[1] - positions[0])

    def energy(stretch: float) -> float:
        moved = positions + np.array([[0.0], [stretch]]) * along
        there = replace(system, geometry=replace(system.geometry, positions=moved))
        return float(scf.RHF(molecule(there)).run(conv_tol=1e-12).e_tot)

    h = 0.01
    k = (energy(h) - 2.0 * energy(0.0) + energy(-h)) / h**2
    mass = 1.008 * ELECTRONS_PER_AMU / 2.0
    assert modes.omega[0] == pytest.approx(math.sqrt(k / mass), rel=1e-3)
    # Q = √μ r of a stretch r, each atom by half of it.
    assert np.linalg.norm(modes.displacements[0, 0]) == pytest.approx(0.5 / math.sqrt(mass), rel=1e-3)


def test_a_geometry_that_is_no_minimum_is_refused() -> None:
    with pytest.raises(NoModes, match="no minimum, a mode has"):
        modes_of(hydrogen(3.5), lambda _: None)
