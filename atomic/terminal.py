"""What moves on a terminal: on standard error, and never in the way of standard output.

rich would take over standard output too, and print what goes there on its own console: a log that was meant
for a file would be lost on the screen.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.progress import Progress, ProgressColumn, Task
    from rich.text import Text


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


def live_line(*columns: "Callable[..., ProgressColumn]", words: str) -> "Progress":
    """rich's progress in one line of any width: its columns, then words, cut off where the terminal ends.

    words: of a task's fields, as in rich's TextColumn.
    """
    from rich.progress import TextColumn
    from rich.table import Column

    class Cut(TextColumn):
        """Text that may be cut, so that rich takes the room from here and from no other column."""

        def render(self, task: "Task") -> "Text":
            text = super().render(task)
            text.no_wrap, text.overflow = True, "ellipsis"
            return text

    whole = [column(table_column=Column(no_wrap=True)) for column in columns]
    return live_progress(*whole, Cut(words, table_column=Column()))


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
