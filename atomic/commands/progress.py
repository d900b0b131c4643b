"""Progress on standard error: live with rich on a terminal, plain lines otherwise."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..solver.energies import Iteration
from ..terminal import live_display, live_progress, may_be_live

if TYPE_CHECKING:
    from rich.table import Table

# Of a residual's bar: the table then fits into the 80 columns of a terminal.
_CELLS = 20


@contextmanager
def convergence_display() -> Iterator[Callable[[Iteration], None]]:
    """Yields a callback for the self-consistent cycle: a growing table with a bar for each residual."""
    if not may_be_live(uses_stdout=False):
        yield _plain_line
        return
    history: list[Iteration] = []
    with live_display() as live:

        def show(iteration: Iteration) -> None:
            history.append(iteration)
            live.update(_convergence_table(history[-12:]))

        yield show


@contextmanager
def counting_display(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yields a callback (done, total):
    a bar on a terminal, otherwise a plain line every twentieth of the way.
    """
    if not may_be_live(uses_stdout=False):
        began, shown = time.monotonic(), [-1]

        def line(done: int, total: int) -> None:
            step = 20 * done // max(total, 1)
            if step > shown[0]:
                shown[0] = step
                print(
                    f"{what}: {done} of {total}, {time.monotonic() - began:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )

        yield line
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with live_progress(*columns) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain_line(i: Iteration) -> None:
    print(
        f"iteration {i.number:3d}   E = {i.energy:.9f} Ha   change {_size(i.energy_change)}   "
        f"levels {_size(i.eigenvalue_change)}",
        file=sys.stderr,
    )


def _convergence_table(history: list[Iteration]) -> "Table":
    from rich.table import Table

    table = Table(title="self-consistent cycle", title_justify="left")
    for name in ("step", "E / Ha", "|dE|", "levels", "residual"):
        table.add_column(name, justify="right")
    table.add_column("", justify="left", min_width=_CELLS)
    for i in history:
        table.add_row(
            str(i.number),
            f"{i.energy:.8f}",
            _size(i.energy_change),
            _size(i.eigenvalue_change),
            f"{i.residual:.1e}",
            _bar(i.residual),
        )
    return table


def _size(change: float) -> str:
    """A dash where there is nothing yet to compare with."""
    return f"{change:.1e}" if math.isfinite(change) else f"{'–':>7}"


def _bar(residual: float) -> str:
    """All cells for residuals from 10 on, none from 1e-10 down."""
    if not residual > 0:
        return ""
    return "█" * round(_CELLS * min(1.0, max(0.0, (math.log10(residual) + 10) / 11)))
