"""What a functional adds beyond first order, against the engine's own Fock builds and response."""

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.beyond_first_order import (
    beyond_first_order,
    energies_beyond,
    matrix_beyond,
)
from hybrid_propagate.adapters.pyscf.engine import expanded_about
from pyscf_systems import excited_density, solved


@pytest.mark.parametrize(
    ("xc", "cation"),
    [("LDA", False), ("PBE0", False), ("TPSS", False), ("PBE0", True)],
    ids=["LDA", "PBE0", "TPSS", "open shell"],
)
def test_the_whole_response_is_first_order_and_this(xc: str, cation: bool) -> None:
    """F[P] = F[P0] + response(δP) + δV, E[P] = E[P0] + Tr F[P0] δP + ½ Tr response(δP) δP + δE."""
    engine, orbitals = solved(xc, cation)
    density = np.real(orbitals.density())
    engine = expanded_about(engine, density, kernel=True)
    assert engine.quadrature is not None
    part = beyond_first_order(engine.quadrature, density)
    all_of_it = beyond_first_order(engine.quadrature, density, whole=True)
    ground = engine.fock(density.astype(complex))
    changes, energies, whole_energies = [], [], []
    for angle in (0.01, 0.3):
        change = excited_density(engine, orbitals, angle) - density
        found = engine.fock(density + change)
        response = engine.response(change)
        wanted = found.fock - ground.fock - response
        real = np.ascontiguousarray(np.real(change))
        got = matrix_beyond(part, real)
        # Single precision is relative to the whole change.
        assert np.linalg.norm(got - wanted) < 3e-6 * np.linalg.norm(response) + 1e-9
        if angle > 0.1:
            assert np.linalg.norm(wanted) > 1e-2 * np.linalg.norm(response)
        mean_field = engine.mean_field_response(change)
        got = matrix_beyond(all_of_it, real)
        assert np.linalg.norm(got - (found.fock - ground.fock - mean_field)) < 3e-6 * np.linalg.norm(response)
        moved = found.energies.electronic - ground.energies.electronic - np.vdot(ground.fock, change).real
        energies.append(moved - 0.5 * np.vdot(response, change).real)
        whole_energies.append(moved - 0.5 * np.vdot(mean_field, change).real)
        changes.append(real)
    assert energies_beyond(part, np.array(changes)) == pytest.approx(energies, abs=3e-6)
    assert energies_beyond(all_of_it, np.array(changes)) == pytest.approx(whole_energies, abs=3e-6)
    assert abs(energies[1]) > 1e-3
    assert len(energies_beyond(part, np.zeros((0, *density.shape)))) == 0
