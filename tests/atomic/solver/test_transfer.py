"""From a coarse mesh to a fine one: functions are kept, and the cycle has little left to do."""

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.configuration import ground_configuration
from hybrid_propagate.atomic.solver.mesh import of_order, spectral_mesh
from hybrid_propagate.atomic.solver.model import Model, orbitals_of
from hybrid_propagate.atomic.solver.scf import CycleStart, self_consistent, solve_atom
from hybrid_propagate.atomic.solver.starting_potential import slater_potential
from hybrid_propagate.atomic.solver.transfer import potential_on, vectors_on


@pytest.mark.parametrize("relativistic", [False, True])
def test_functions_are_kept(relativistic: bool) -> None:
    fine = spectral_mesh(10.0, relativistic)
    coarse = of_order(fine, 12)
    assert coarse.radius[11::12] == pytest.approx(fine.radius[fine.order - 1 :: fine.order])
    on_coarse, on_fine = (
        np.sqrt(mesh.weight) * 2 * 10**1.5 * mesh.radius * np.exp(-10 * mesh.radius)
        for mesh in (coarse, fine)
    )
    assert vectors_on(fine, coarse, on_coarse[None])[0] == pytest.approx(on_fine, abs=1e-6)
    softened = [np.sqrt(1 + mesh.radius[None] ** 2) ** -1 for mesh in (coarse, fine)]
    assert potential_on(fine, coarse, softened[0]) == pytest.approx(softened[1], abs=2e-3)


@pytest.mark.parametrize(
    ("z", "model"),
    [
        (26, Model()),
        (64, Model(spin=True)),
        (92, Model()),
        (79, Model(relativity="scalar")),
        (92, Model(relativity="dirac")),
    ],
)
def test_little_is_left_to_do_on_the_fine_mesh(z: int, model: Model) -> None:
    """Counts, and the same atom as from Slater's shells on the fine mesh alone."""
    atom = solve_atom(z, model=model)
    assert atom.iterations <= (3 if model.relativity == "none" else 5)
    slater = CycleStart(slater_potential(atom.mesh, atom.z, atom.orbitals, model))
    orbitals = orbitals_of(ground_configuration(z), model)
    alone = self_consistent(atom.z, orbitals, model, atom.mesh, slater)
    assert alone.iterations > atom.iterations
    assert atom.energies.total == pytest.approx(alone.energies.total, rel=1e-14, abs=1e-10)
    assert atom.levels == pytest.approx(alone.levels, abs=2e-10)
