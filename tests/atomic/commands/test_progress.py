"""The live table of the cycle."""

from math import inf

from hybrid_propagate.atomic.commands.progress import _convergence_table
from hybrid_propagate.atomic.solver.energies import Iteration
from rich.console import Console


def test_the_table_fits_a_terminal_of_80_columns() -> None:
    """With the energy of the heaviest atom, and the widest bar; nothing has changed in the first step."""
    history = [Iteration(0, -55124.12345678, inf, inf, 20.0), Iteration(1, -55124.12345678, 1e-9, 1e-5, 1e-3)]
    console = Console(width=80, record=True, force_terminal=False)
    console.print(_convergence_table(history))
    lines = console.export_text().splitlines()
    rows = [line.rstrip() for line in lines if line.startswith("│")]
    assert len(rows) == 2
    assert all(row.endswith("│") for row in rows)
    assert "inf" not in rows[0]
    assert "-55124.12345678" in rows[0]
