"""The graph of one-electron moves."""

import pytest
from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.study.move_graph import basins


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
