"""Which configurations are stable, and by how much."""

import pytest
from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.study.analysis import element_stability


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
