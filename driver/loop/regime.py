"""Which of two surrogates is in force: that of weak motion, or that of full matrices."""

from dataclasses import replace

import numpy as np

from ...surrogate.weak_fields.by_regime import ByRegime
from ...surrogate.weak_fields.pair_response import WEAK
from .hybrid import Hybrid, tell
from .motion import is_weak
from .problem import Problem, active_dipoles
from .progress import Event, Progress

#: Segments of weak motion may have so many times as many steps as others.
LONGER = 20


def begins_weak(problem: Problem) -> bool:
    """Whether motion is weak from the first point on."""
    followed = problem.last_field_step == 0 or _is_driven_weakly(problem)
    return can_be_weak(problem) and followed and not _is_far(problem, 0.0, problem.ground_density)


def can_be_weak(problem: Problem) -> bool:
    """Whether the propagator is that which weak motion is known for, and some of the motion may be weak."""
    real_time = problem.real_time
    plain = real_time.unitary and not real_time.static
    return plain and (problem.last_field_step < problem.n_steps - 1 or _is_driven_weakly(problem))


def _is_driven_weakly(problem: Problem) -> bool:
    """Whether weak motion is followed while fields act: no kick is to come, and they move little."""
    lasting = problem.last_field_step > 0 and not problem.kicked_steps
    return lasting and problem.driven_size <= WEAK


def _is_followed(problem: Problem, step: int) -> bool:
    """Whether no field acts any more, or weak motion is followed all the same."""
    return step > problem.last_field_step or _is_driven_weakly(problem)


def choose_regime(hybrid: Hybrid, progress: Progress) -> None:
    """Settle which of two surrogates is in force from here on."""
    surrogate, problem, state = hybrid.surrogate, hybrid.problem, progress.state
    if not isinstance(surrogate, ByRegime) or not can_be_weak(problem) or progress.ledger.strong:
        return
    if _is_far(problem, state.time, state.density):
        leave_weak(hybrid, progress)
    elif _is_followed(problem, state.step) and surrogate.weaken() and not progress.ledger.weak:
        progress.ledger.weak = True
        progress.ledger.begin_anew(most_steps(hybrid))
        _leave_out(problem, progress, surrogate)


def _leave_out(problem: Problem, progress: Progress, surrogate: ByRegime) -> None:
    """State for good how far the shadow is off in irreps that weak motion does not follow.

    Of that difference δP every element turns on its own from here on: Σ |D_ij δP_ij|², i ≠ j, is expected.
    """
    response, estimate = surrogate.weak, progress.estimate
    if response is None or estimate is None:
        return
    apart = estimate.shadow.density - progress.state.density
    blocks = (own.matrix(own.block(apart)) for own in (response.every, response.pairs))
    left = np.abs(np.subtract(*blocks))
    more = sum(float(np.sum(np.square(np.abs(d) * left))) for d in active_dipoles(problem))
    estimate.sums = replace(estimate.sums, entered=estimate.sums.entered + more)


def leave_weak(hybrid: Hybrid, progress: Progress) -> None:
    """Full matrices from here on, to the end of the run; told with its reason."""
    surrogate = hybrid.surrogate
    assert isinstance(surrogate, ByRegime)
    if surrogate.weak is not None:
        progress.ledger.begin_anew(hybrid.target.max_ml_steps)
    surrogate.strengthen()
    progress.ledger.strong = True
    at = progress.state
    tell(hybrid, progress, Event("regime", at.step, at.time, "NOT_WEAK", np.nan, np.nan, 0.0, 0))


def most_steps(hybrid: Hybrid) -> int:
    """Of a segment."""
    most = hybrid.target.max_ml_steps
    return LONGER * most if is_weak(hybrid) else most


def steps_to_go(hybrid: Hybrid, progress: Progress) -> int:
    """Steps to the next that the reference makes for its field, or to the end."""
    here, owed = progress.state.step, list(hybrid.problem.kicked_steps)
    if _may_follow(hybrid, progress):
        owed.append(hybrid.problem.last_field_step)
    return min([step - here for step in owed if step > here], default=hybrid.problem.n_steps - here)


def owes_field_step(hybrid: Hybrid, progress: Progress) -> bool:
    """Whether the next step is one with a kick, or the last with a field, and weak motion may follow.

    The reference makes it. A kick leads where no surrogate has been; what it does in second order lasts, and
    no defect of F tells of it.
    """
    here, problem = progress.state.step, hybrid.problem
    return here in problem.kicked_steps or (_may_follow(hybrid, progress) and here == problem.last_field_step)


def _may_follow(hybrid: Hybrid, progress: Progress) -> bool:
    either = isinstance(hybrid.surrogate, ByRegime) and can_be_weak(hybrid.problem)
    return either and not progress.ledger.strong and not _is_driven_weakly(hybrid.problem)


def _is_far(problem: Problem, time: float, density: np.ndarray) -> bool:
    """Whether P' is no longer near P'0, or the field at this time takes it away."""
    field = problem.external(time)
    size = float(np.linalg.norm(density - problem.ground_density))
    if field is not None:
        # What acts at one point alone, as a kick does, acts for half a step.
        size += 0.5 * problem.real_time.dt * float(np.linalg.norm(field @ density - density @ field))
    return size > WEAK
