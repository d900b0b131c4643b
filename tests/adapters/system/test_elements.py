"""Elements by their tags, as NWChem 7.0.2 reads them: the charges that it prints of these centres."""

import pytest
from hybrid_propagate.adapters.system.elements import SYMBOLS, element_of_tag


@pytest.mark.parametrize(
    ("tag", "number"),
    [
        ("oxygen1", 8),
        ("Cl2", 17),
        ("O_a", 8),
        ("Lr", 103),
        ("Hs1", 108),
        ("Cn", 112),
        # NWChem knows nothing beyond copernicium: one letter counts.
        ("Fl", 9),
        ("Og", 8),
        ("bqO", 0),
        ("X1", 0),
        ("Xe", 54),
        ("Q", None),
    ],
)
def test_elements_of_tags(tag: str, number: int | None) -> None:
    assert element_of_tag(tag) == number


def test_symbols_stand_at_their_numbers() -> None:
    assert [SYMBOLS.index(symbol) for symbol in ("X", "H", "O", "U", "Cn")] == [0, 1, 8, 92, 112]
