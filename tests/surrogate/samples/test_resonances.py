"""Resonances against PySCF's linear response."""

from functools import cache

import numpy as np
import pytest
from hybrid_propagate.driver.dataset.config import Level, Molecule, system_of
from hybrid_propagate.surrogate.samples.resonances import resonances
from hybrid_propagate.surrogate.samples.sampling import Point, solve_point
from pyscf import dft, tdscf


@cache
def point(xc: str, charge: int) -> Point:
    """Water and its cation, STO-3G."""
    positions = np.array([[0.0, 0.0, 0.1173], [0.0, 0.7572, -0.4692], [0.0, -0.7572, -0.4692]])
    molecule = Molecule("H2O", ("O", "H", "H"), positions, charge, 1 + charge, held_out=False)
    return solve_point(system_of(molecule, Level("STO-3G", xc), positions))


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
