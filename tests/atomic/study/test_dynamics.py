"""The occupation flow and the graph of one-electron moves."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.solver.model import Model
from hybrid_propagate.atomic.solver.response import occupation_jacobian
from hybrid_propagate.atomic.solver.scf import self_consistent, solve_atom
from hybrid_propagate.atomic.study.analysis import element_stability, with_empty_shells
from hybrid_propagate.atomic.study.move_graph import basins
from hybrid_propagate.atomic.study.occupation_flow import flow, velocity

LSDA = Model(spin=True)


@pytest.mark.parametrize(
    ("z", "model"), [(10, Model()), (7, LSDA), (26, LSDA), (2, Model(use_correlation=False))]
)
def test_jacobian_is_the_derivative_of_the_levels(z: int, model: Model) -> None:
    """∂ε_i/∂f_j by linear response against a central difference of self-consistent levels."""
    atom = solve_atom(z, model=model)
    jacobian = occupation_jacobian(
        atom.mesh, atom.orbitals, atom.states, atom.potential, atom.node_charges, atom.z, model
    )
    last = max(i for i, o in enumerate(atom.orbitals) if o.occupation > 0)
    levels = []
    for step in (1e-3, -1e-3):
        orbitals = list(atom.orbitals)
        orbitals[last] = replace(orbitals[last], occupation=orbitals[last].occupation + step)
        levels.append(self_consistent(atom.z, tuple(orbitals), model, atom.mesh, atom.potential).levels)
    assert jacobian[:, last] == pytest.approx((levels[0] - levels[1]) / 2e-3, abs=2e-6)
    assert jacobian == pytest.approx(jacobian.T, abs=1e-9)


def test_velocity_keeps_electrons_and_bounds() -> None:
    rng = np.random.default_rng(3)
    capacities = rng.choice([2.0, 6.0, 10.0], size=12)
    occupations = capacities * rng.choice([0.0, 0.3, 1.0], size=12)
    levels = rng.normal(size=12)
    v = velocity(occupations, levels, capacities)
    assert v.sum() == pytest.approx(0, abs=1e-10)
    assert (v[occupations == 0] >= 0).all()
    assert (v[occupations == capacities] <= 0).all()
    assert v @ levels < 0


@pytest.mark.parametrize(
    ("z", "start", "end"),
    [
        (6, "1s2 2s1 2p3", "1s2 2s2 2p2"),
        (7, "1s2 2s2 2p3(+1)", "1s2 2s2 2p3"),
        (10, "1s2 2s2 2p5 3s1", "1s2 2s2 2p6"),
        (24, "[Ar] 3d4 4s2", "[Ar] 3d5 4s1"),
    ],
)
def test_the_flow_runs_downhill_to_the_ground_state(z: int, start: str, end: str) -> None:
    orbitals = with_empty_shells(parse_configuration(start), LSDA, more=2)
    path = flow(float(z), orbitals, LSDA)
    assert path.arrived
    assert (np.diff(path.energies) < 1e-6).all()
    assert path.occupations.sum(axis=1) == pytest.approx(z, abs=1e-9)
    target = solve_atom(z, configuration=parse_configuration(end), model=LSDA).energies.total
    assert path.energies[-1] == pytest.approx(target, abs=1e-5)


def test_iron_prefers_a_fractional_3d_and_is_stable_there() -> None:
    """Janak: partly filled 3d and 4s of minority spin share one level."""
    path = flow(26.0, with_empty_shells(parse_configuration("[Ar] 3d6.3 4s1.7"), LSDA, more=1), LSDA)
    end = dict(zip(((o.label, o.spin) for o in path.orbitals), path.levels[-1], strict=True))
    assert path.arrived
    assert end["3d", 1] == pytest.approx(end["4s", 1], abs=1e-3)


@pytest.mark.parametrize("z", [2, 10, 18, 36, 54, 86])
def test_noble_gases_are_stable_and_their_gap_is_large(z: int) -> None:
    found = element_stability(z)
    assert found.stable
    assert found.largest_rate == pytest.approx(-found.gap)
    assert found.gap > 0.25


@pytest.mark.parametrize(
    ("z", "text"), [(2, "1s1 2s1"), (2, "2s2"), (10, "[He] 2s2 2p5 3s1"), (18, "[Ne] 3s1 3p6 4s1")]
)
def test_excited_configurations_are_not_stable(z: int, text: str) -> None:
    found = element_stability(z, parse_configuration(text))
    assert not found.stable
    assert found.largest_rate > 0


@pytest.mark.parametrize("z", [7, 15, 25])
def test_half_filled_shells_have_a_gap_only_with_spin(z: int) -> None:
    assert element_stability(z, spin=True).gap > 0
    assert element_stability(z, spin=False).gap == 0


def test_basins_of_a_made_up_landscape() -> None:
    """2s2 → 1s1 2s1 → 1s2 downhill, 1s1 2p1 → 1s2; 3d2 has no neighbour here and is its own basin."""
    energies = {
        parse_configuration(text): e
        for text, e in {"1s2": -3.0, "1s1 2s1": -2.0, "2s2": -1.0, "1s1 2p1": -1.5, "3d2": 0.5}.items()
    }
    found = basins(energies)
    assert [(str(b.attractor), len(b.members)) for b in found] == [("1s2", 4), ("3d2", 1)]
    assert found[0].escape == pytest.approx(1.0)
    assert found[1].escape is None
