"""The response on a coarse grid: against the engine's own, which is on its full grid."""

import numpy as np
import pytest
from hybrid_propagate.driver.dataset.config import Level, Molecule, system_of
from hybrid_propagate.surrogate.kernel.coarse_grid import coarse_response
from hybrid_propagate.surrogate.samples.sampling import solve_point

WATER = np.array([[0.0, 0.02, 0.12], [0.0, 0.75, -0.45], [0.0, -0.78, -0.48]])


@pytest.mark.parametrize(
    ("xc", "charge", "multiplicity", "most"),
    [
        ("xtpss03 ctpss03", 0, 1, 2e-3),
        ("pbe0", 0, 1, 5e-4),
        ("pbe0", 1, 2, 5e-4),
        ("hfexch", 0, 1, 1e-12),
    ],
    ids=["meta-GGA", "hybrid", "open shell", "Hartree-Fock"],
)
def test_near_the_full_grid(xc: str, charge: int, multiplicity: int, most: float) -> None:
    """Of complex changes, and of imaginary ones, which have no density and need no grid."""
    molecule = Molecule("H2O", ("O", "H", "H"), WATER, charge, multiplicity, held_out=False)
    here = solve_point(system_of(molecule, Level("6-31G", xc), WATER))
    response = coarse_response(here.engine, here.orbitals.density(), 1e9)
    rng = np.random.default_rng(2)
    real = rng.standard_normal(
        (here.basis.coefficients.shape[0], here.basis.n_functions, here.basis.n_functions)
    )
    imaginary = 1j * (real - real.swapaxes(1, 2))
    for change in (real + real.swapaxes(1, 2) + imaginary, imaginary):
        density = here.basis.density_out(change)
        exact, found = here.engine.response(density), response(density)
        error = np.linalg.norm(here.basis.fock_in(found - exact))
        assert error <= most * np.linalg.norm(here.basis.fock_in(exact))
    assert error < 1e-10
