"""Lines for a summary: plain numbers, energies in eV."""

from collections.abc import Sequence
from dataclasses import asdict

from ..spectra.lines import AbsorptionLine


def lines_json(lines: Sequence[AbsorptionLine]) -> list[dict[str, object]]:
    """One object a line, with the names of `AbsorptionLine`."""
    return [asdict(line) for line in lines]
