"""When to trust the surrogate: from a target trajectory error to accept, teach, halve or fall back.

What a segment's error is, the estimate says (`estimate`, `certify`). Here stands how the error allowed and
the Fock builds are spread over the run:

- The stated error may grow to tol t/T (1 - 0.4 (1 - t/T)) by time t, or be a tenth of tol: the rest is left
  for what early segments leave behind, and grows. Pushes without a direction of their own add up to √t only:
  of their part, u √(t/T) counts.
- Weak motion may also have what leads to no more than tol at the run's end, as it has grown so far. Most of
  it is of second order, there at once, and full matrices cannot take it away.
- Above that line, what counts is a segment's own share: what earlier segments left, no Fock build takes away.
- A rejected segment is halved as long as that lowers its error per time; then reference steps are made.
- Builds lost on rejected segments are bounded by what accepted ones have saved: no run takes more than
  reference steps alone would.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

#: Relative defect |dF|/|ΔF| that, kept up for one au of time, leaves this trajectory error.
DEFECT_GAIN = 0.02
#: Steps of the shortest segment, and of the first fall-back to the reference code.
SHORTEST, FALL_BACK = 8, 8
#: Share of accepted segments after which a reference step is made to audit the surrogate.
AUDIT_SHARE = 0.1
#: Longest fall-back.
LONGEST_FALL_BACK = 64
#: Share of the error that could be spent by now which is left for the growth of the error behind.
ROOM = 0.4
#: Share of the error that may be there from the start: what a step lacks shows at once, however short the
#: segment, and does not add up. In long runs no halving brings it below a line through nothing.
EARLY = 0.1
#: Share of what its time earns that a segment may add above that line.
OWN_SHARE = 0.5
#: A half whose error per time is not below this share of the whole's was not worth halving for.
WORTH = 0.7
#: Fock builds that may be lost before any is saved: so many, and this share of what the reference would take;
#: share of those saved that may be lost afterwards.
CREDIT, CREDIT_SHARE, LOST_SHARE = 8, 0.04, 0.5


@dataclass(frozen=True)
class Target:
    """What the user asked for: trajectory error, most surrogate steps at a stretch, run's length in au."""

    error: float
    max_ml_steps: int
    duration: float

    @property
    def residual(self) -> float:
        """Spread that may be kept up over the whole run, with a factor 2 in hand.

        In a run too short for errors to add up the trajectory is as wrong as the response.
        """
        return self.error / max(2.0 * DEFECT_GAIN * self.duration, 1.0)

    def allowed(self, time: float, unseen: float) -> float:
        """Stated error that a segment ending at `time` may lead to; unseen: its part that grows as √t."""
        share = min(time / self.duration, 1.0)
        line = self.error * max(share * (1.0 - ROOM * (1.0 - share)), EARLY)
        return line + (1.0 - math.sqrt(share)) * unseen

    def earned(self, duration: float) -> float:
        """Error that a stretch of `duration` au may add of its own."""
        return OWN_SHARE * self.error * duration / self.duration


@dataclass
class Ledger:
    """What has been spent and seen; everything in it is part of a checkpoint.

    change_moment: Σ|δP|² over accepted points, n_points of them; length: steps of the next surrogate segment.
    rate: error over what was earned of the segment last rejected here, infinite where none was.
    lost, saved: Fock builds, on rejected segments and by accepted ones. first: step that the run began at.
    credit: builds that may be lost before any is saved.
    weak: the motion has been weak. strong: it is no longer so, to the end of the run.
    reference_builds, reference_steps: of the reference code's own steps; least_per_step: of any stretch,
    0 before the first.
    """

    length: int
    change_moment: float = 0.0
    n_points: int = 0
    fall_back: int = FALL_BACK
    rejections_in_a_row: int = 0
    rate: float = np.inf
    stuck: bool = False
    weak: bool = False
    strong: bool = False
    lost: int = 0
    saved: float = 0.0
    first: int = 0
    credit: int = CREDIT
    reference_builds: int = 0
    reference_steps: int = 0
    least_per_step: float = 0.0
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def begin(self, step: int, alone: int) -> None:
        """A run's first step, and the Fock builds that reference steps alone would take at least."""
        self.first, self.credit = step, CREDIT + int(CREDIT_SHARE * alone)

    def typical_change(self, change_moment: float, n_points: int, floor: float) -> float:
        """Root mean square of |δP| over accepted points and those given."""
        n = self.n_points + n_points
        return max(np.sqrt((self.change_moment + change_moment) / n) if n else 0.0, floor)

    def builds_per_step(self, least: int) -> float:
        """Fock builds of a reference step, by those made; `least` where none was."""
        return self.reference_builds / self.reference_steps if self.reference_steps else float(least)

    def see_reference(self, n_steps: int, builds: int) -> None:
        """Book a stretch of the reference code's own steps."""
        self.reference_steps += n_steps
        self.reference_builds += builds
        here = builds / n_steps
        self.least_per_step = min(self.least_per_step, here) if self.least_per_step else here

    def affords(self, builds: int) -> bool:
        """Whether so many more builds may be lost."""
        return self.lost + builds <= self.credit + LOST_SHARE * self.saved

    def accept(self, change_moment: float, n_points: int, saved: float, most: int) -> None:
        """Book an accepted surrogate segment; the next one may be longer, up to `most` steps."""
        self.change_moment += change_moment
        self.n_points += n_points
        self.saved += saved
        self._settle()
        self.fall_back = FALL_BACK
        self.length = min(2 * self.length, most)

    def begin_anew(self, length: int) -> None:
        """Another surrogate follows, first over `length` steps."""
        self.length = length
        self._settle()

    def reject(self, length: int, rate: float, builds: int) -> None:
        """Book a rejected segment of `length` steps: the next try is half as long, where halving helps.

        rate: its error over what it earns; builds: lost on it.
        """
        self.rejections_in_a_row += 1
        self.lost += builds
        self.stuck = rate > WORTH * self.rate
        self.rate = rate
        self.length = max(SHORTEST, length // 2)

    def falls_back(self, *, can_try: bool = True) -> int:
        """Steps that the reference code makes now; 0 while a shorter surrogate segment can still be tried.

        can_try: the builds of another try are left.
        """
        shortest = self.rejections_in_a_row >= 2 and self.length <= SHORTEST
        if not (shortest or self.stuck or not can_try or not self.affords(LEAST_ATTEMPT)):
            return 0
        steps = self.fall_back
        self.fall_back = min(2 * self.fall_back, LONGEST_FALL_BACK)
        self._settle()
        return steps

    def wants_audit(self) -> bool:
        """Draw whether the segment just accepted is followed by a reference step."""
        return bool(self.random.random() < AUDIT_SHARE)

    def sizes(self) -> dict[str, int]:
        """Lengths of the arrays of `save`, by which checkpoints of earlier versions are known."""
        return {name: len(array) for name, array in self.save().items()}

    def save(self) -> dict[str, np.ndarray]:
        """Arrays that `load` takes back."""
        state = self.random.bit_generator.state["state"]
        words = [
            (state[name] >> shift) & 0xFFFFFFFFFFFFFFFF for name in ("state", "inc") for shift in (0, 64)
        ]
        return {
            "ledger": np.array([self.change_moment, self.rate, self.saved, self.least_per_step]),
            "ledger_counts": np.array([getattr(self, name) for name in _COUNTS], dtype=np.int64),
            "ledger_random": np.array(words, dtype=np.uint64),
        }

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        self.change_moment, self.rate, self.saved, self.least_per_step = np.asarray(arrays["ledger"]).tolist()
        for name, count in zip(_COUNTS, np.asarray(arrays["ledger_counts"]).tolist(), strict=True):
            setattr(self, name, count)
        self.stuck, self.weak, self.strong = bool(self.stuck), bool(self.weak), bool(self.strong)
        words = [int(word) for word in np.asarray(arrays["ledger_random"])]
        generator = np.random.PCG64()
        state = generator.state
        state["state"] = {"state": words[0] | words[1] << 64, "inc": words[2] | words[3] << 64}
        generator.state = state
        self.random = np.random.Generator(generator)

    def _settle(self) -> None:
        """What comes next starts from another state: rejections from here no longer count."""
        self.rejections_in_a_row, self.rate, self.stuck = 0, np.inf, False


#: Fock builds of the cheapest attempt at a segment: its end and three points drawn.
LEAST_ATTEMPT = 4
_COUNTS = (
    "length",
    "n_points",
    "fall_back",
    "rejections_in_a_row",
    "stuck",
    "weak",
    "strong",
    "lost",
    "first",
    "credit",
    "reference_builds",
    "reference_steps",
)
