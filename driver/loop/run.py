"""The hybrid loop: surrogate segments with an anchor at their end, reference steps where they are needed."""

from collections.abc import Callable

import numpy as np

from .acceptance import surrogate_steps
from .hybrid import Hybrid, advance, book_changes, measured_at, tell
from .problem import field_free, make_step
from .progress import Event, Progress
from .segment import Reason

#: Reference steps are handed to the reporters at least this often, seconds.
HAND_OVER = 0.5
#: Every how many fall-back steps the surrogate is shown a reference pair.
TEACH_EVERY = 4


def run(hybrid: Hybrid, progress: Progress, stop: Callable[[Progress], bool]) -> bool:
    """Propagate from `progress` to the deck's end, keeping `progress` up to date; False when `stop` said so.

    stop: asked after every accepted segment. Raises what the reference raises.
    """
    n_steps = hybrid.problem.n_steps
    while progress.state.step < n_steps:
        if hybrid.surrogate is None:
            reference_steps(hybrid, progress, n_steps, "CONTINUE")
        elif steps := progress.ledger.falls_back():
            fall_back(hybrid, progress, steps)
        else:
            accepted = surrogate_steps(hybrid, progress)
            if accepted and progress.state.step < n_steps and progress.ledger.wants_audit():
                audit(hybrid, progress)
        if stop(progress):
            return progress.state.step == n_steps
    return True


def reference_steps(hybrid: Hybrid, progress: Progress, n_steps: int, reason: Reason) -> None:
    """Up to `n_steps` reference steps; the surrogate, where there is one, is shown the pair at their end."""
    learns = hybrid.surrogate is not None
    n_steps = min(n_steps, hybrid.problem.n_steps - progress.state.step)
    if progress.state.step == 0:
        reason = "START"
    with progress.tally.timed("reference steps"):
        seconds = np.inf if learns else HAND_OVER
        segment, energies = hybrid.reference.steps(
            progress.state, progress.energies, n_steps, seconds, reason
        )
    progress.tally.reference_steps += segment.n_steps
    progress.tally.fock_builds += segment.fock_builds
    if learns:
        measured_at(hybrid, progress, segment.end.density, segment.end.time)
        book_changes(hybrid, progress, segment)
    advance(hybrid, progress, segment, energies)


def fall_back(hybrid: Hybrid, progress: Progress, n_steps: int) -> None:
    """`n_steps` reference steps, or those that are left, in portions that teach."""
    last = min(progress.state.step + n_steps, hybrid.problem.n_steps)
    while progress.state.step < last:
        reference_steps(hybrid, progress, min(TEACH_EVERY, last - progress.state.step), "RESIDUAL")


def audit(hybrid: Hybrid, progress: Progress) -> None:
    """One reference step, kept, beside the surrogate's own from the same state: how far apart they end."""
    problem, reference, tally = hybrid.problem, hybrid.reference, progress.tally
    assert hybrid.surrogate is not None
    with tally.timed("audits"):
        start = reference.taken_up(progress.state)
        guess, _ = make_step(problem)(start, field_free(problem, hybrid.surrogate.predict))
        segment, energies = reference.steps(progress.state, progress.energies, 1, np.inf, "AUDIT")
        change = float(np.linalg.norm(segment.end.density - problem.ground_density))
        apart = float(np.linalg.norm(guess.density - segment.end.density))
    tally.reference_steps += 1
    tally.fock_builds += segment.fock_builds
    book_changes(hybrid, progress, segment)
    residual = apart / change if change > 0.0 else 0.0
    end = segment.end
    event = Event("audit", end.step, end.time, "AUDIT", np.nan, residual, 0.0, segment.fock_builds)
    tell(hybrid, progress, event)
    advance(hybrid, progress, segment, energies)
