"""Lines for a summary: plain numbers, energies in eV."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..spectra.lines import AbsorptionLine


def lines_json(lines: Sequence[AbsorptionLine]) -> list[dict[str, Any]]:
    """One object a line, with the names of `AbsorptionLine`."""
    return [asdict(line) for line in lines]
