"""The log: blocks of time points in NWChem's lines, with its messages."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ...adapters.log.step_block import StepBlock
from ...adapters.log.writer import format_block
from ...adapters.system.real_time import at_points
from ..loop.problem import Problem
from ..loop.progress import Event
from ..loop.segment import Segment, density_at
from ..pictures.density_cubes import shown
from .block import points_of
from .checks import passes_checks


@dataclass(frozen=True, eq=False)
class Log:
    """A writer.

    problem: what is propagated.
    write: takes log text.
    began: `time.monotonic()`, for the time left.
    """

    problem: Problem
    write: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)

    def block(self, segment: Segment, block: StepBlock) -> None:
        """Print what the deck asks for."""
        real_time = self.problem.real_time
        points = points_of(segment)
        saved = at_points(points, real_time.n_restarts, real_time.n_points)
        after = dict.fromkeys(np.flatnonzero(saved).tolist(), ("Saved restart file",))
        before = dict(self._messages(segment, points))
        told = replace(block, before=before, after=after)
        self.write(format_block(told, real_time, self.problem.system))

    def event(self, event: Event) -> None:
        """NWChem's log has no line for decisions."""

    def _messages(self, segment: Segment, points: np.ndarray) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Checks, times left and snapshots of the rows that may have any."""
        real_time = self.problem.real_time
        nt = real_time.n_points
        checked = at_points(points, real_time.n_checks, nt)
        # NWChem tells the time left a hundred times a run.
        timed = (points > 1) & (points % max(nt // 100, 1) == 0) & (nt >= 200)
        snapshots = np.asarray(shown(real_time.visualization, segment.times))
        for row in np.flatnonzero(checked | timed | snapshots).tolist():
            check = (self._check(segment, row),) if checked[row] else ()
            left = (self._time_left(int(points[row])),) if timed[row] else ()
            yield row, (*check, *left, *(("Saved density matrix snapshot",) if snapshots[row] else ()))

    def _check(self, segment: Segment, row: int) -> str:
        real_time = self.problem.real_time
        density, occupations = density_at(segment, row), segment.start.occupations
        conserving = real_time.unitary
        passed = passes_checks(density, occupations, real_time.tolerances.zero, conserving=conserving)
        return "Checks passed" if passed else "WARNING: CHECKS FAILED"

    def _time_left(self, it: int) -> str:
        left = (time.monotonic() - self.began) * (self.problem.real_time.n_points - it) / it
        return f"Estimated time remaining: {duration_words(left)}"


def duration_words(seconds: float) -> str:
    """NWChem's words for a time: `12 second(s)`, `3 minute(s) 2 second(s)`, `1 hour(s) 3 minute(s)`."""
    s = int(seconds)
    if s < 60:
        return f"{s} second(s)"
    if s < 3600:
        return f"{s // 60} minute(s) {s % 60} second(s)"
    if s < 86400:
        return f"{s // 3600} hour(s) {s % 3600 // 60} minute(s)"
    return f"{s // 86400} day(s) {s % 86400 // 3600} hour(s)"
