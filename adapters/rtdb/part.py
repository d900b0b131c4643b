"""A part of what an earlier run had set, as the lines of a deck that set it again."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Lines of a deck, or why there are none.

    sets: what the lines set: geometry, basis, ecp, charge, xc, mult, grid, occupations, ground state or
        rt_tddft; empty for lines that set everything there is.
    lines: of a deck.
    obstacle: what the database holds there that a deck cannot say here; empty where `lines` say it all.
    """

    sets: tuple[str, ...]
    lines: tuple[str, ...]
    obstacle: str = ""
