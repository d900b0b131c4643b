"""What moves on a terminal: on standard error, and never in the way of standard output.

rich would take over standard output too, and print what goes there on its own console: a log that was meant
for a file would be lost on the screen.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.progress import Progress, ProgressColumn


def may_be_live(*, uses_stdout: bool) -> bool:
    """Whether a line may move: on a terminal that nothing else is printed on at the same time."""
    if sys.stderr is None or not sys.stderr.isatty():
        return False
    return not (uses_stdout and sys.stdout is not None and sys.stdout.isatty())


def live_progress(*columns: "ProgressColumn | str") -> "Progress":
    """rich's progress bar on standard error; its usual columns where none are given."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    return Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False)


def live_display(shown: "RenderableType | None" = None) -> "Live":
    """rich's display on standard error, gone when it ends."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    return Live(
        shown,
        console=console,
        refresh_per_second=20,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
