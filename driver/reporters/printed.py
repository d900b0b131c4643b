"""The log: blocks of time points in NWChem's lines, with its messages."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ...adapters.log.step_block import StepBlock
from ...adapters.log.writer import format_block
from ...adapters.system.real_time import at_point
from ..loop.problem import Problem
from ..loop.progress import Event
from ..loop.segment import Segment
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
        before = {row: said for row, said in enumerate(self._messages(segment, points)) if said}
        after = {
            row: ("Saved restart file",)
            for row, it in enumerate(points)
            if at_point(int(it), real_time.n_restarts, real_time.n_points)
        }
        told = replace(block, before=before, after=after)
        self.write(format_block(told, real_time, self.problem.system))

    def event(self, event: Event) -> None:
        """NWChem's log has no line for decisions."""

    def _messages(self, segment: Segment, points: np.ndarray) -> list[tuple[str, ...]]:
        """Checks, times left and snapshots, a tuple a point."""
        snapshots = shown(self.problem.real_time.visualization, segment.times)
        return [
            (
                *self._check(segment, row, int(it)),
                *self._time_left(int(it)),
                *(("Saved density matrix snapshot",) if snapshots[row] else ()),
            )
            for row, it in enumerate(points)
        ]

    def _check(self, segment: Segment, row: int, it: int) -> tuple[str, ...]:
        real_time = self.problem.real_time
        if not at_point(it, real_time.n_checks, real_time.n_points):
            return ()
        density, occupations = segment.densities[row], segment.start.occupations
        conserving = real_time.unitary
        passed = passes_checks(density, occupations, real_time.tolerances.zero, conserving=conserving)
        return ("Checks passed" if passed else "WARNING: CHECKS FAILED",)

    def _time_left(self, it: int) -> tuple[str, ...]:
        """NWChem tells the time left a hundred times a run."""
        nt = self.problem.real_time.n_points
        if nt < 200 or it == 1 or it % (nt // 100) != 0:
            return ()
        left = (time.monotonic() - self.began) * (nt - it) / it
        return (f"Estimated time remaining: {duration_words(left)}",)


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
