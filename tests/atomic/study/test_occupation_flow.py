"""The occupation flow."""

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.solver.model import Model
from hybrid_propagate.atomic.solver.scf import solve_atom
from hybrid_propagate.atomic.study.analysis import with_empty_shells
from hybrid_propagate.atomic.study.occupation_flow import flow, velocity

LSDA = Model(spin=True)


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
