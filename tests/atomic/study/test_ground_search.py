"""Ground configurations found by moving electrons: those of elements that have been measured."""

import pytest
from hybrid_propagate.atomic.study.ground_search import Frontier, search
from nist import dftatom_table

AFTER_HELIUM = Frontier("He", ((1, 0), (2, 0), (2, 1)))


def test_lithium_beryllium_and_boron_are_found() -> None:
    """NIST Atomic Spectra Database: 2s 2S1/2, 2s2 1S0, 2s2 2p 2P1/2; helium keeps its shell."""
    found = list(search(5, AFTER_HELIUM))
    configurations = ["[He]", "[He] 2s1/2:1", "[He] 2s1/2:2", "[He] 2s1/2:2 2p1/2:1"]
    assert [f.configuration for f in found] == configurations
    assert all(f.escape is not None and f.escape > 0 and not f.failed for f in found)
    assert found[0].cheapest == "1s1/2 to 2s1/2"
    # By Janak's theorem: how far boron's 2p levels are apart with the electron spread over both, by dftatom.
    low, high = dftatom_table("rlda")[5][1][-2:]
    assert found[3].cheapest == "2p1/2 to 2p3/2"
    assert found[3].escape == pytest.approx(high - low, abs=2e-8)


def test_the_search_goes_on_from_what_is_known() -> None:
    (later,) = search(4, AFTER_HELIUM, before=(3, "[He] 2s1/2:1"))
    assert later.configuration == "[He] 2s1/2:2"
