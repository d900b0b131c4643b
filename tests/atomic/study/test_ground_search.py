"""Ground configurations found by moving electrons: those of elements that have been measured."""

from hybrid_propagate.atomic.study.ground_search import Frontier, search

AFTER_NEON = Frontier("Ne", ((2, 1), (3, 0), (3, 1)))


def test_sodium_magnesium_and_aluminium_are_found() -> None:
    """NIST Atomic Spectra Database: 3s 2S1/2, 3s2 1S0, 3s2 3p 2P1/2; neon keeps its shell."""
    found = list(search(13, AFTER_NEON))
    configurations = ["[Ne]", "[Ne] 3s1/2:1", "[Ne] 3s1/2:2", "[Ne] 3s1/2:2 3p1/2:1"]
    assert [f.configuration for f in found] == configurations
    assert all(f.escape is not None and f.escape > 0 and not f.failed for f in found)
    assert found[0].cheapest == "2p3/2 to 3s1/2"
    # Of the two 3p, spin and orbit make the one with j = 1/2 the lower, by 112.061 cm^-1 = 5.1e-4 Ha.
    assert found[3].cheapest == "3p1/2 to 3p3/2"
    assert found[3].escape is not None
    assert abs(found[3].escape - 5.1e-4) < 1e-4


def test_the_search_goes_on_from_what_is_known() -> None:
    (later,) = search(13, AFTER_NEON, before=(12, "[Ne] 3s1/2:2"))
    assert later.configuration == "[Ne] 3s1/2:2 3p1/2:1"
