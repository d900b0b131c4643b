"""Configurations begun from the ground state: the same energies, and a verdict where there is none."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.solver.eigenstates import bound_states, refine
from hybrid_propagate.atomic.solver.errors import ConvergenceError
from hybrid_propagate.atomic.solver.model import Model, orbitals_of
from hybrid_propagate.atomic.solver.scf import Cycle, output_of, self_consistent, solve_atom
from hybrid_propagate.atomic.study.charge_path import follow_charge
from hybrid_propagate.atomic.study.damped_newton import damped_newton
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


def test_radium_whose_5f_leaves_is_followed_down_the_nuclear_charge() -> None:
    """5f is compact at one charge more, and half gone at radium's; Newton's steps stop before."""
    model = Model(relativity="scalar")
    configuration = parse_configuration("[Xe] 4f13 5d10 5f1 6s2 6p6 7s2")
    ground = ground_with(88, [configuration], model)
    problem = replace(ground.atom.problem, orbitals=orbitals_of(configuration, model))
    start = ground.start(problem.orbitals)
    with pytest.raises(ConvergenceError):
        damped_newton(problem, start)
    atom = follow_charge(problem, start)
    # Self-consistent: the potential that comes out moves no level.
    output = output_of(problem, atom.states, atom.potential)[2]
    assert np.abs(np.einsum("si,ri->s", atom.states.charges, output - atom.potential)).max() < 1e-4
    of = (atom.mesh, atom.orbitals, atom.potential, atom.z, model)
    fresh = refine(*of, bound_states(*of, atom.levels))
    assert fresh.energies == pytest.approx(atom.levels, abs=1e-5)
    top = next(i for i, o in enumerate(atom.orbitals) if (o.n, o.l) == (5, 3))
    assert 5 < atom.states.charges[top] @ atom.radius < 10
    assert near_ground(ground, problem.orbitals).energy == pytest.approx(atom.energies.total, abs=1e-5)


def test_the_curve_ends_at_the_atom_that_the_cycle_finds() -> None:
    model = Model(spin=True)
    configuration = parse_configuration("1s2 2s1 2p3")
    ground = ground_with(6, [configuration], model)
    problem = replace(ground.atom.problem, orbitals=orbitals_of(configuration, model))
    atom = follow_charge(problem, ground.start(problem.orbitals))
    assert atom.energies.total == pytest.approx(near_ground(ground, problem.orbitals).energy, abs=2e-7)
