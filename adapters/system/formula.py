"""A molecule's formula."""

from collections.abc import Iterable

from .elements import SYMBOLS


def formula(atomic_numbers: Iterable[int]) -> str:
    """In Hill's order (J. Am. Chem. Soc. 22, 478, 1900): C, H, the others by the alphabet; none of ghosts."""
    counts: dict[str, int] = {}
    for number in atomic_numbers:
        if number:
            symbol = SYMBOLS[int(number)]
            counts[symbol] = counts.get(symbol, 0) + 1
    first = ("C", "H") if "C" in counts else ()
    order = sorted(
        counts, key=lambda symbol: (first.index(symbol) if symbol in first else len(first), symbol)
    )
    return "".join(f"{symbol}{counts[symbol] if counts[symbol] > 1 else ''}" for symbol in order)
