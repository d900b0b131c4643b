"""The hybrid loop: surrogate segments with an anchor at their end, reference steps where they are needed."""

from collections.abc import Callable

import numpy as np

from .acceptance import surrogate_steps
from .budget import ATTEMPT, corrects, least_builds, room
from .certify import begin, follow
from .corrected import MOST_BUILDS, corrected_steps
from .hybrid import Hybrid, advance, book_changes, known_surrogate, tell
from .motion import is_weak
from .problem import field_free, steps_of
from .progress import Event, Progress
from .regime import choose_regime, leave_weak, owes_field_step, steps_to_go
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
    if hybrid.surrogate is not None and progress.estimate is None:
        progress.estimate = begin(hybrid.problem, progress.state)
        progress.ledger.begin(progress.state.step, least_builds(hybrid.problem) * n_steps)
    while progress.state.step < n_steps:
        choose_regime(hybrid, progress)
        if hybrid.surrogate is None:
            reference_steps(hybrid, progress, n_steps, "CONTINUE")
        elif owes_field_step(hybrid, progress):
            reference_steps(hybrid, progress, 1, "FIELD")
        elif owes_the_rest(hybrid, progress):
            pay_back(hybrid, progress)
        elif steps := progress.ledger.falls_back(can_try=room(hybrid, progress) >= ATTEMPT):
            fall_back(hybrid, progress, steps)
        else:
            accepted = surrogate_steps(hybrid, progress)
            # What it lacks there, it cannot learn.
            if not accepted and is_weak(hybrid):
                leave_weak(hybrid, progress)
            audits = accepted and progress.state.step < n_steps and progress.ledger.wants_audit()
            if audits and room(hybrid, progress) >= ATTEMPT:
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
    entries = hybrid.reference.entries
    with progress.tally.timed("reference steps"):
        seconds = np.inf if learns else HAND_OVER
        segment, energies = hybrid.reference.steps(
            progress.state, progress.energies, n_steps, seconds, reason
        )
    progress.tally.reference_steps += segment.n_steps
    progress.tally.fock_builds += segment.fock_builds
    if learns:
        progress.ledger.see_reference(segment.n_steps, segment.fock_builds)
        follow(hybrid, progress, segment, entered=hybrid.reference.entries > entries)
        progress.tally.fock_builds += hybrid.reference.show(known_surrogate(hybrid), segment.end)
        book_changes(hybrid, progress, segment)
    advance(hybrid, progress, segment, energies)


def fall_back(hybrid: Hybrid, progress: Progress, n_steps: int) -> None:
    """`n_steps` steps with the reference's Fock matrices, or those that are left, in portions that teach.

    Steps of one build or two where the reference shows its matrices and the surrogate is good enough.
    """
    last = progress.state.step + min(n_steps, steps_to_go(hybrid, progress))
    correcting = corrects(hybrid)
    while progress.state.step < last and not owes_the_rest(hybrid, progress):
        portion = min(TEACH_EVERY, last - progress.state.step)
        made = corrected_steps(hybrid, progress, portion, forced=False) if correcting else 0
        if made < portion:
            # Another try would cost two builds as well.
            correcting = False
            reference_steps(hybrid, progress, portion - made, "RESIDUAL")


def owes_the_rest(hybrid: Hybrid, progress: Progress) -> bool:
    """Whether only steps of one Fock build each keep the run within what reference steps alone would take."""
    per_step = max(progress.ledger.builds_per_step(least_builds(hybrid.problem)), MOST_BUILDS)
    return room(hybrid, progress) < (per_step - 1.0) * TEACH_EVERY + MOST_BUILDS


def pay_back(hybrid: Hybrid, progress: Progress) -> None:
    """The run's last steps with one Fock build each; by the reference where the surrogate leads nowhere."""
    portion = min(TEACH_EVERY, steps_to_go(hybrid, progress))
    if corrected_steps(hybrid, progress, portion, forced=True) == 0:
        reference_steps(hybrid, progress, portion, "RESIDUAL")


def audit(hybrid: Hybrid, progress: Progress) -> None:
    """One reference step, kept, beside the surrogate's own from the same state: how far apart they end."""
    problem, reference, tally = hybrid.problem, hybrid.reference, progress.tally
    with tally.timed("audits"):
        start = reference.taken_up(progress.state)
        entries = reference.entries
        surrogate = known_surrogate(hybrid)
        step = steps_of(problem, surrogate, start.step + 1)
        guess, _ = step(start, field_free(problem, surrogate.predict))
        segment, energies = reference.steps(progress.state, progress.energies, 1, np.inf, "AUDIT")
        change = float(np.linalg.norm(segment.end.density - problem.ground_density))
        apart = float(np.linalg.norm(guess.density - segment.end.density))
    tally.reference_steps += 1
    tally.fock_builds += segment.fock_builds
    progress.ledger.see_reference(1, segment.fock_builds)
    follow(hybrid, progress, segment, entered=reference.entries > entries)
    book_changes(hybrid, progress, segment)
    residual = apart / change if change > 0.0 else 0.0
    end = segment.end
    event = Event("audit", end.step, end.time, "AUDIT", np.nan, residual, 0.0, segment.fock_builds)
    tell(hybrid, progress, event)
    advance(hybrid, progress, segment, energies)
