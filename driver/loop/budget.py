"""How many Fock builds a run may still take, so that reference steps alone would take no fewer.

Steps with one build each (`corrected`) are always left for what remains: they pay for what attempts lost.
"""

import math

from .hybrid import Hybrid
from .problem import Problem
from .progress import Progress

#: Reference steps by which it is known how many builds they take.
ENOUGH = 32
#: Fock builds that one attempt at a segment takes at most, refining apart.
ATTEMPT = 20


def room(hybrid: Hybrid, progress: Progress) -> float:
    """Fock builds that may be made beside one for every step left; infinite where no such step can be made.

    Euler and Runge-Kutta steps of the reference take one build themselves.
    """
    ledger, least = progress.ledger, least_builds(hybrid.problem)
    # The first few steps may take more builds than those that follow.
    known = min(ledger.reference_steps / ENOUGH, 1.0) ** 2
    per_step = least + known * max(ledger.least_per_step - least, 0.0)
    if not corrects(hybrid) or per_step <= 1.0:
        return math.inf
    left = hybrid.problem.n_steps - progress.state.step
    made = progress.state.step - progress.ledger.first
    return per_step * (made + left) - progress.tally.fock_builds - left


def corrects(hybrid: Hybrid) -> bool:
    """Whether steps with one Fock build can be made."""
    return hybrid.reference.shows_fock and not hybrid.problem.real_time.static


def refinements_left(hybrid: Hybrid, progress: Progress, most: int) -> int:
    """Fock builds that may go into refining now, `most` at most."""
    left = hybrid.problem.n_steps - progress.state.step
    return max(0, int(min(most, room(hybrid, progress) - ATTEMPT, left)))


def least_builds(problem: Problem) -> int:
    """Fock builds of a reference step at least."""
    return 2 if problem.real_time.propagator == "magnus" else 1
