"""The force at rest, read off a step by an engine whose Fock matrix is shifted by a known amount."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
from hybrid_propagate.adapters.nwchem.agreement import Agreement
from hybrid_propagate.adapters.nwchem.rest_force import MagnusStep, rest_force
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine
from hybrid_propagate.adapters.working_basis import make_working_basis
from pyscf_systems import solved

DT = 0.2


def step_of(engine: PySCFEngine, density: np.ndarray) -> np.ndarray:
    """P after a self-consistent mid-point step."""
    basis = make_working_basis(engine.integrals, np.real(engine.fock(density).fock))
    end = density
    for _ in range(30):
        middle = basis.fock_in(0.5 * (engine.fock(density).fock + engine.fock(end).fock))
        turns = scipy.linalg.expm(-1j * DT * middle)
        end = basis.density_out(turns @ basis.density_in(density) @ turns.conj().swapaxes(1, 2))
    return end


@pytest.mark.parametrize("cation", [False, True])
def test_the_shift_is_found(cation: bool) -> None:
    """A random shift of 1e-5: between full and empty orbitals to 1e-8; with it the engines agree."""
    engine, orbitals = solved("PBE0", cation)
    density = orbitals.density()
    rng = np.random.default_rng(7)
    shift = 1e-5 * rng.standard_normal(density.shape)
    shift += shift.swapaxes(1, 2)
    end = step_of(replace(engine, shift=shift), density.astype(complex))
    step = MagnusStep(end, np.full(density.shape, 1e-12), DT)
    found = rest_force(engine, density, step)
    c, filled = orbitals.coefficients, orbitals.occupations > 0.5
    between = filled[:, :, None] & ~filled[:, None, :]
    expected, given = (c.swapaxes(1, 2) @ matrix @ c for matrix in (shift, found.shift))
    np.testing.assert_allclose(given[between], expected[between], atol=2e-8)
    assert found.force > 1e-6
    assert found.at_rest > 1e-6
    again = rest_force(replace(engine, shift=found.shift), density, step)
    assert again.force < 2e-3 * found.force


def test_what_rounding_explains_is_no_force() -> None:
    engine, orbitals = solved("PBE0")
    density = orbitals.density()
    noise = 1e-9 * np.random.default_rng(2).standard_normal(density.shape)
    step = MagnusStep(density + noise + noise.swapaxes(1, 2) + 0j, np.full(density.shape, 2e-9), DT)
    assert rest_force(engine, density, step).force == 0.0


def test_orbital_energies_are_judged_by_how_far_the_scf_is_converged() -> None:
    """1e-4 Hartree is what an SCF leaves that still moves by 1e-5; where it does not, the codes differ."""
    at_rest = Agreement(1e-9, 1e-12, 1e-12, 1e-4, 0.0, 1e-5)
    assert at_rest.failures == []
    assert replace(at_rest, at_rest=0.0).failures == ["orbital energies 1.0e-04 Ha (at most 5e-06)"]
    assert replace(at_rest, force=1e-4).failures == ["force 1.0e-04 Ha (at most 1e-05)"]
