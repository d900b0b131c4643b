"""Configurations begun from the ground state: the same energies, and a verdict where there is none."""

import pytest
from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.solver.errors import ConvergenceError
from hybrid_propagate.atomic.solver.model import Model, orbitals_of
from hybrid_propagate.atomic.solver.scf import Cycle, self_consistent, solve_atom
from hybrid_propagate.atomic.study.near_ground import ground_with, near_ground

LSDA = Model(spin=True)


@pytest.mark.parametrize(
    ("z", "text"), [(6, "1s2 2s1 2p3"), (6, "1s2 2s2 2p1"), (7, "1s2 2s2 2p3(+1)"), (8, "1s2 2s2 2p3 3s1")]
)
def test_energies_are_those_of_single_atoms(z: int, text: str) -> None:
    configuration = parse_configuration(text)
    ground = ground_with(z, [configuration], LSDA)
    found = near_ground(ground, orbitals_of(configuration, LSDA))
    alone = solve_atom(z, configuration=configuration, model=LSDA)
    assert found.energy == pytest.approx(alone.energies.total, abs=2e-7)


@pytest.mark.parametrize(
    ("z", "text", "reason"),
    [(1, "1s1 5g1", "5g is not bound: "), (2, "1s1 7s1", "7s is not bound within 80 bohr: ")],
)
def test_an_unbound_electron_is_named(z: int, text: str, reason: str) -> None:
    """Hydrogen's anion has a level above zero; helium's 7s is below, but its electron leans on the wall."""
    configuration = parse_configuration(text)
    found = near_ground(ground_with(z, [configuration], LSDA), orbitals_of(configuration, LSDA))
    assert found.energy is None
    assert found.reason.startswith(reason)


def test_cerium_whose_4f_jumps_is_solved_by_newton() -> None:
    """Two 4f electrons without spin: the cycle finds them now compact, now in the box."""
    model = Model(relativity="scalar")
    configuration = parse_configuration("[Xe] 4f2 5d1 6s1")
    ground = ground_with(58, [configuration], model)
    orbitals = orbitals_of(configuration, model)
    with pytest.raises(ConvergenceError):
        self_consistent(58.0, orbitals, model, ground.atom.mesh, None, Cycle(1e-5, 25, require_bound=False))
    found = near_ground(ground, orbitals)
    assert found.energy == pytest.approx(-8840.20219, abs=1e-4)
