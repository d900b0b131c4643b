"""Lines and roots for a summary: plain numbers, energies in eV."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..page.lines import Root
from ..spectra.lines import AbsorptionLine


def lines_json(lines: Sequence[AbsorptionLine]) -> list[dict[str, Any]]:
    """One object a line, with the names of `AbsorptionLine`."""
    return [asdict(line) for line in lines]


def roots_json(roots: Sequence[Root]) -> list[dict[str, Any]]:
    """One object a root of `task tddft`, with the names of `Root`; `roots_from` reads them."""
    return [asdict(root) for root in roots]
