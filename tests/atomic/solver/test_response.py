"""Linear response of an atom: levels against occupations, by differences."""

from dataclasses import replace

import pytest
from hybrid_propagate.atomic.solver.model import Model
from hybrid_propagate.atomic.solver.response import occupation_jacobian
from hybrid_propagate.atomic.solver.scf import CycleStart, self_consistent, solve_atom

LSDA = Model(spin=True)


@pytest.mark.parametrize(
    ("z", "model"), [(10, Model()), (7, LSDA), (26, LSDA), (2, Model(use_correlation=False))]
)
def test_jacobian_is_the_derivative_of_the_levels(z: int, model: Model) -> None:
    """∂ε_i/∂f_j by linear response against a central difference of self-consistent levels."""
    atom = solve_atom(z, model=model)
    jacobian = occupation_jacobian(atom.problem, atom.states, atom.potential, atom.node_charges)
    last = max(i for i, o in enumerate(atom.orbitals) if o.occupation > 0)
    levels = []
    for step in (1e-3, -1e-3):
        orbitals = list(atom.orbitals)
        start = CycleStart(atom.potential, atom.states)
        orbitals[last] = replace(orbitals[last], occupation=orbitals[last].occupation + step)
        levels.append(self_consistent(atom.z, tuple(orbitals), model, atom.mesh, start).levels)
    assert jacobian[:, last] == pytest.approx((levels[0] - levels[1]) / 2e-3, abs=2e-6)
    assert jacobian == pytest.approx(jacobian.T, abs=1e-9)
