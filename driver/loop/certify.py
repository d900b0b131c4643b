"""What a pass over a segment would bring the stated error to, by points of it drawn and measured.

The surrogate teaches itself nothing here: `Claim.sights` teach once a claim has been judged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce

import numpy as np

from ...surrogate.weak_fields.by_regime import ByRegime
from ..estimate.defect_operator import (
    SECOND_ORDER,
    Defect,
    DefectOperator,
    Weigh,
    by_order,
    defect_operator,
    level,
    sum_of,
)
from ..estimate.drawn import drawn_points
from ..estimate.shadow import ErrorEstimate, carried_over
from ..estimate.statement import BEYOND, DIGITS, DRIFT, FIXED, FIXED_UNSEEN, HISTORY, ROUNDING, Sums, factor
from ..propagators.magnus import NoFixedPoint
from ..propagators.state import State
from .hybrid import Hybrid, known_surrogate
from .motion import Motion, is_weak, motion_of, sighted
from .problem import Problem, dipole_norm, electronic_dipoles
from .progress import Progress
from .reference import Sight
from .segment import Segment, conserves, density_at, frozen_pass, later_densities, sizes_of

#: Points measured in one round, beside the end.
FIRST, MOST = 3, 5
#: The first of them where learned points make what is not linear: most passes are then far better than they
#: need be, and f(2) says so; where it does not, more are drawn.
FIRST_LEARNED = 2
#: The same where learned points make what is not linear and --tol is below this. What they lack grows with a
#: high power of the motion: OH- in a cw field had forces of 3e-8 to 3e-6 Hartree along one pass, and at 3e-5
#: three draws of five missed the large ones, at 3e-4 none.
TIGHT = 2e-4
FIRST_OF_POINTS, MOST_OF_POINTS = 5, 8
#: Steps after which a lost Fock history makes no more difference.
FORGOTTEN = 4
#: Points of a pass at which the sizes of responses are looked at.
SAMPLED = 64


@dataclass(frozen=True, eq=False)
class Claim:
    """A pass and the error it would leave.

    sights: at the points drawn.
    sums, shadow: of the estimate, were the pass kept.
    error: stated then, relative to no less than the smallest motion that counts.
    own: what this pass adds to it by itself; no less than that where it may be kept anyway.
    allowed, earned: what `error` or `own` may be.
    """

    sights: tuple[Sight, ...]
    sums: Sums
    shadow: State
    error: float
    own: float
    allowed: float
    earned: float

    @property
    def met(self) -> bool:
        """Whether the pass may be kept."""
        return self.error <= self.allowed or self.own <= self.earned

    @property
    def rate(self) -> float:
        """Its error over what its time earns."""
        return self.own / self.earned


@dataclass(frozen=True, eq=False)
class _Pass:
    """What every claim on one pass shares.

    dipole, signal: after each step, electrons alone, and Σ|μ - μ(0)|².
    duration, typical: au, and root mean square |δP| of the run with it. floor: least signal sum.
    sample: some of its changes; response: root mean square of the surrogate's on them.
    n_points: points of the run with it. dipole_norm: |D| of `Sums`. n_pairs: see `Motion`.
    tries: passes over the segment that were judged too far off.
    inherited: dipole after each step of a shadow that lacks nothing on this pass; None: no fixed point.
    """

    segment: Segment
    dipole: np.ndarray
    signal: float
    duration: float
    typical: float
    floor: float
    sample: np.ndarray
    response: float
    n_points: int
    dipole_norm: float
    n_pairs: int
    tries: int
    inherited: Callable[[], np.ndarray | None]


def begin(problem: Problem, state: State) -> ErrorEstimate:
    """The estimate at a run's first point."""
    return ErrorEstimate(electronic_dipoles(problem, state.density[None])[0], state, Sums())


# A shadow may grow without end: it is told by its numbers, not by NumPy on standard error.
@np.errstate(over="ignore", invalid="ignore")
def certify(
    hybrid: Hybrid, progress: Progress, segment: Segment, others: Sequence[Sight], round_: int
) -> Claim:
    """Measure a pass at a few drawn points, one more a round, or more if these may show that it can be kept.

    others: sights of the pass that have not taught, not drawn by chance. round_: passes measured before it.
    """
    estimate = progress.estimate
    assert estimate is not None
    made = _pass(hybrid, progress, segment, round_ + progress.ledger.rejections_in_a_row)
    last = float(np.linalg.norm(segment.end.density - hybrid.problem.ground_density))
    sizes = np.append(sizes_of(hybrid.problem, segment), last)
    first, most = FIRST, MOST
    if known_surrogate(hybrid).nonlinear:
        tight = hybrid.target.error < TIGHT
        first, most = (FIRST_OF_POINTS, MOST_OF_POINTS) if tight else (FIRST_LEARNED, MOST)
    picks = drawn_points(sizes, most, progress.ledger.random)
    sights: list[Sight] = []
    want = min(first + round_, len(picks))
    while True:
        for point in picks[len(sights) : want]:
            time = segment.end.time if point == segment.n_steps else float(segment.times[point])
            sights.append(sighted(hybrid, progress, density_at(segment, point), time, end=False))
        with progress.tally.timed("estimate"):
            claim = _claim(hybrid, progress, made, sights, others)
        held = estimate.sums.n_drawn
        least = claim.own * factor(held, len(picks), 0) / factor(held, len(sights), 0)
        if claim.met or want == len(picks) or least > 2.0 * claim.earned:
            return claim
        want += 1


@np.errstate(over="ignore", invalid="ignore")
def follow(hybrid: Hybrid, progress: Progress, segment: Segment, *, entered: bool = False) -> None:
    """Carry the shadow over reference steps that are about to be booked.

    entered: the reference code was given the state they start from.
    """
    estimate, problem = progress.estimate, hybrid.problem
    if estimate is None:
        return
    later = later_densities(segment)
    dipole = electronic_dipoles(problem, later)
    sums = estimate.sums
    gap, shadow = 0.0, segment.end
    if not np.array_equal(estimate.shadow.density, segment.start.density):
        predict = known_surrogate(hybrid).predict
        try:
            found, shadow_end = frozen_pass(problem, predict, estimate.shadow, segment.n_steps)
            twin, twin_end = frozen_pass(problem, predict, segment.start, segment.n_steps)
        except NoFixedPoint:
            found, shadow_end = later + (estimate.shadow.density - segment.start.density), estimate.shadow
            twin, twin_end = later, segment.start
        gap = _squared(electronic_dipoles(problem, found) - electronic_dipoles(problem, twin))
        shadow = carried_over(shadow_end, twin_end, segment.end, conserving=conserves(problem))
    signal = sums.signal + _squared(dipole - estimate.origin)
    if entered:
        sums = replace(sums, entered=sums.entered + _lost_history(hybrid, segment.start))
    noise = sums.noise + _noise(hybrid, sums, segment.n_steps)
    points = sums.points + segment.n_steps
    estimate.sums = replace(sums, gap=sums.gap + gap, signal=signal, points=points, noise=noise)
    estimate.shadow = shadow


def _pass(hybrid: Hybrid, progress: Progress, segment: Segment, tries: int) -> _Pass:
    problem, ledger = hybrid.problem, progress.ledger
    estimate = progress.estimate
    assert estimate is not None
    motion = motion_of(hybrid)
    sizes = sizes_of(problem, segment)
    dipole = motion.dipoles(segment)
    every = max(1, segment.n_steps // SAMPLED)
    sample = motion.sample(segment, every)
    smallest = smallest_change(problem, segment.start.step)
    n_points = ledger.n_points + segment.n_steps
    return _Pass(
        segment,
        dipole,
        _squared(dipole - estimate.origin),
        segment.end.time - segment.start.time,
        ledger.typical_change(float(sizes @ sizes), segment.n_steps, smallest),
        n_points * smallest**2,
        sample - problem.ground_density,
        motion.response_size(segment, every),
        n_points,
        dipole_norm(problem),
        motion.n_pairs,
        tries,
        cache(lambda: _inherited(motion, segment, dipole, estimate)),
    )


def _claim(
    hybrid: Hybrid, progress: Progress, made: _Pass, sights: Sequence[Sight], others: Sequence[Sight]
) -> Claim:
    """The claim on a pass by the points measured so far."""
    target, estimate = hybrid.target, progress.estimate
    assert estimate is not None
    before, motion, n_steps = estimate.sums, motion_of(hybrid), made.segment.n_steps
    f, unseen = factor(before.n_drawn, len(sights), made.tries), 1.0
    if known_surrogate(hybrid).nonlinear:
        f, unseen = f * FIXED, FIXED_UNSEEN if target.error < TIGHT else 1.0
    operator = _operator(made, [s.defect for s in sights], [s.defect for s in others], f)
    force = _rms([sight.force for sight in sights])
    beyond = max(sight.beyond for sight in (*sights, *others))
    bound = force * made.duration / made.typical
    unseen_here = _unseen(made, sights, unseen)
    rest = BEYOND * beyond * made.duration / made.typical + made.segment.gap
    found = motion.shadow(operator, estimate.shadow, made.segment)
    earned = target.earned(made.duration)
    if found is None:
        return Claim(tuple(sights), before, estimate.shadow, np.inf, np.inf, 0.0, earned)
    dipole, shadow = found
    sums = Sums(
        before.gap + _squared(dipole - made.dipole) + n_steps * made.segment.unfollowed**2,
        before.signal + made.signal,
        made.n_points,
        before.push + unseen_here.push,
        before.rest + rest,
        before.bound + bound,
        before.n_drawn + len(sights),
        before.noise + _noise(hybrid, before, n_steps),
        before.entered,
        before.swing + unseen_here.swing,
        before.lasted + unseen_here.lasted,
        before.drift + unseen_here.drift,
    )
    error = sums.relative(made.floor)
    allowed = target.allowed(made.segment.end.time, sums.unseen(made.floor))
    if is_weak(hybrid):
        allowed = max(allowed, _allowed_of_weak(hybrid, made, sums, dipole))
    own = error
    if error > allowed:
        own = rest + replace(unseen_here, signal=sums.signal, points=sums.points).unseen(made.floor)
        own += _own(made, dipole, sums)
    return Claim(tuple(sights), sums, shadow, error, own, allowed, earned)


def _allowed_of_weak(hybrid: Hybrid, made: _Pass, sums: Sums, shadow: np.ndarray) -> float:
    """What weak motion may have: what leads to tol at the run's end, by its first order and as the gap grew.

    Most of it is of second order, which is there at once. Anything, where full matrices would take as long as
    reference steps: what is stated then misses tol.
    """
    if isinstance(hybrid.surrogate, ByRegime) and hybrid.surrogate.full_is_dear:
        return np.inf
    end = made.segment.end.time
    third = max(len(shadow) // 3, 1)
    apart = np.linalg.norm(shadow - made.dipole, axis=1) * np.sqrt(sums.points / sums.motion(made.floor))
    growth = max(_rms(apart[-third:].tolist()) - _rms(apart[:third].tolist()), 0.0) / (
        2.0 / 3.0 * made.duration
    )
    to_come = (hybrid.target.duration - end) * ((sums.rest + sums.drift) / end + growth)
    return hybrid.target.error - to_come


def _unseen(made: _Pass, sights: Sequence[Sight], factor: float) -> Sums:
    """What this pass adds to the sums of what no operator of a few points sees; factor: times as much."""
    orders = by_order([sight.defect for sight in sights])
    if len(orders) == 1:
        force = _rms([sight.force for sight in sights])
        return Sums(push=(factor * made.dipole_norm * force) ** 2 * made.duration)
    odd, even = (
        _rms([_share(d, sight) for d, sight in zip(part, sights, strict=True)]) for part, _ in orders
    )
    drift = DRIFT / np.sqrt(made.n_pairs) * odd * made.duration / made.typical
    return Sums(
        swing=(made.dipole_norm * even) ** 2 * made.duration, lasted=made.duration, drift=float(drift)
    )


def _share(part: Defect, sight: Sight) -> float:
    """Of a sight's force, that of one order."""
    whole = float(np.linalg.norm(sight.defect.defect))
    return sight.force * float(np.linalg.norm(part.defect)) / whole if whole > 0.0 else 0.0


def _noise(hybrid: Hybrid, sums: Sums, n_steps: int) -> float:
    """What rounding, a code's digits and lost histories leave open over some points: Σ of squares, au.

    sums: before them. Rounding adds up from the first point on.
    """
    first, last = sums.points, sums.points + n_steps
    rounding = ROUNDING**2 * (last**3 - first**3) / 3.0
    return rounding + n_steps * ((DIGITS * hybrid.reference.rounding) ** 2 + sums.entered)


def _lost_history(hybrid: Hybrid, state: State) -> float:
    """Square of the dipole, au, by which later points may differ where a state was taken up without history.

    The iterations of its first steps then start from other matrices and end elsewhere within their
    tolerance. Of that difference δP every element turns on its own: Σ |D_ij δP_ij|², i ≠ j, is expected.
    """
    problem, predict = hybrid.problem, known_surrogate(hybrid).predict
    starts = (state, hybrid.reference.taken_up(state))
    try:
        whole, cut = (frozen_pass(problem, predict, start, FORGOTTEN)[1].density for start in starts)
    except NoFixedPoint:
        return 0.0
    apart = np.abs(cut - whole) * (1.0 - np.eye(whole.shape[1]))
    dipoles = (problem.basis.fock_in(d[None]) for d in problem.engine.integrals.dipole)
    return HISTORY**2 * sum(_squared(np.abs(d) * apart) for d in dipoles)


def _inherited(
    motion: Motion, segment: Segment, dipole: np.ndarray, estimate: ErrorEstimate
) -> np.ndarray | None:
    if np.array_equal(estimate.shadow.density, segment.start.density):
        return dipole
    found = motion.shadow(None, estimate.shadow, segment)
    return None if found is None else found[0]


def _own(made: _Pass, dipole: np.ndarray, sums: Sums) -> float:
    """How far the shadow is from one that lacks nothing on this pass, with what the pass does not follow,
    relative to the run's motion."""
    inherited = made.inherited()
    if inherited is None:
        return np.inf
    apart = _squared(dipole - inherited) / made.segment.n_steps + made.segment.unfollowed**2
    return float(np.sqrt(apart * made.n_points / sums.motion(made.floor)))


def _operator(made: _Pass, drawn: list[Defect], others: list[Defect], f: float) -> DefectOperator:
    """Through the points drawn, f times as large as their defects over the whole pass."""
    parts = by_order([*drawn, *others])
    n = len(drawn)
    return reduce(sum_of, [_scaled(made, some[:n], some[n:], f, weigh) for some, weigh in parts])


def _scaled(made: _Pass, drawn: list[Defect], others: list[Defect], f: float, weigh: Weigh) -> DefectOperator:
    """Of second order, where that is known, no larger than it finds: `Sums.swing` is of all there is.

    Enlarged, it would push along few directions with one sign, and add up: after 600 au LiF's was nine times
    what is true.
    """
    operator = defect_operator(drawn, weigh)
    if weigh is SECOND_ORDER:
        return operator.scaled(f)
    wanted = level(drawn, others) * made.response
    found = _rms([float(np.linalg.norm(operator(change))) for change in made.sample])
    # Not less than was measured at the points drawn, where these show the larger of it.
    return operator.scaled(f * max(wanted / found, 1.0) if found > 0.0 else f)


def smallest_change(problem: Problem, step: int) -> float:
    """|δP| that counts as nothing from this step on: a thousandth of what the strongest field does in one
    step. Ahead of a kick, a tenth of its own: what the SCF's end leaves moving is nothing beside it."""
    dt, fields = problem.real_time.dt, [c.field for c in problem.couplings]
    ahead = [f for f in fields if f.shape == "delta" and f.center > 0 and round(f.center / dt) >= step]
    strongest = max((abs(field.maximum) for field in fields), default=0.0)
    kick = max((abs(field.maximum) for field in ahead), default=0.0)
    return max(1e-3 * strongest * dt, 0.1 * kick * dt, 1e-10)


def _squared(values: np.ndarray) -> float:
    return float(np.sum(np.square(values)))


def _rms(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if len(values) else 0.0
