"""A molecule's formula and its basis, in words."""

from collections.abc import Iterable

from .elements import SYMBOLS
from .system import Shells, System


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


def basis_words(system: System) -> str:
    """Contracted shells of each tag, such as `O [3s2p] H [2s], cartesian`."""
    words = [f"{tag} [{shell_words(system.basis[tag])}]" for tag in dict.fromkeys(system.geometry.tags)]
    return f"{' '.join(words)}, {kind_word(system)}"


def kind_word(system: System) -> str:
    """`spherical` or `cartesian`."""
    return "spherical" if system.spherical else "cartesian"


def shell_words(shells: Shells) -> str:
    """Contracted shells, such as `3s2p`."""
    counts: dict[int, int] = {}
    for shell in shells:
        counts[shell[0]] = counts.get(shell[0], 0) + len(shell[-1]) - 1
    return "".join(f"{counts[degree]}{_LETTERS[degree]}" for degree in sorted(counts))


_LETTERS = "spdfghiklm"
