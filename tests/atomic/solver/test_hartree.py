"""The Hartree potential of a density whose potential is known."""

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.hartree import coulomb
from hybrid_propagate.atomic.solver.mesh import spectral_mesh


@pytest.mark.parametrize("relativistic", [False, True])
@pytest.mark.parametrize("z", [1.0, 92.0])
def test_hartree_potential_of_a_1s_density(z: float, relativistic: bool) -> None:
    """n = Z³ exp(−2Zr)/π has V = 1/r − exp(−2Zr)(1/r + Z) and E_H = 5Z/16."""
    mesh = spectral_mesh(z, relativistic)
    r = mesh.radius
    charges = 4 * z**3 * r**2 * np.exp(-2 * z * r) * mesh.weight
    potential = coulomb(mesh) @ charges
    assert charges.sum() == pytest.approx(1, abs=1e-12)
    exact = 1 / r - np.exp(-2 * z * r) * (1 / r + z)
    # The first element of r = s⁴ resolves this density to 1e-6 only, where it holds 1e-3 electrons.
    assert r * potential == pytest.approx(r * exact, abs=1e-8 if relativistic else 1e-10)
    assert 0.5 * charges @ potential == pytest.approx(5 * z / 16, abs=1e-10 * z)
