"""When to trust the surrogate: from a target trajectory error to accept, re-propagate, reject or fall back.

Two estimates of what a segment adds to the trajectory error, relative to the root mean square of the induced
density:

1. From its anchor alone. The defect dF = F_ref - F_surrogate drives the density astray at the rate |[dF, P]|,
   so that ∫ |[dF, P]| dt bounds the error to first order. As dF keeps changing direction, far less than that
   remains: at most GAIN times the bound in runs of water, H2O+, NO2 and ethanol that were compared with the
   reference.
2. Where that is too much, the segment is propagated again by the surrogate that has learned from the anchor.
   What the two passes differ by is the error of the first one, and bounds that of the second, which is the
   one kept.

A segment may spend what its share of the run's time earns, and what earlier segments left over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

#: Trajectory error as a share of the bound: until a run has shown its own, and the least that is believed.
GAIN, LEAST_GAIN = 0.1, 0.04
#: Relative defect |dF|/|ΔF| that, kept up for one au of time, leaves this trajectory error.
DEFECT_GAIN = 0.02
#: Steps of the shortest segment, and of the first fall-back to the reference code.
SHORTEST, FALL_BACK = 2, 8
#: Share of accepted segments after which a reference step is made to audit the surrogate.
AUDIT_SHARE = 0.1
#: Longest fall-back.
LONGEST_FALL_BACK = 64


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


@dataclass
class Ledger:
    """What has been spent and seen; everything in it is part of a checkpoint.

    spent: estimated trajectory error so far; bound: ∫ |[dF, P]| dt / rms |δP|, by anchors.
    change_moment: Σ|δP|² over accepted points, n_points of them; length: steps of the next surrogate segment;
    gain: share of the bound that is taken for the error.
    """

    length: int
    spent: float = 0.0
    gain: float = GAIN
    bound: float = 0.0
    change_moment: float = 0.0
    n_points: int = 0
    fall_back: int = FALL_BACK
    rejections_in_a_row: int = 0
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def typical_change(self, change_moment: float, n_points: int, floor: float) -> float:
        """Root mean square of |δP| over accepted points and those given."""
        n = self.n_points + n_points
        return max(np.sqrt((self.change_moment + change_moment) / n) if n else 0.0, floor)

    def accept(self, change_moment: float, n_points: int, error: float, bound: float, target: Target) -> None:
        """Book an accepted surrogate segment; the next one may be longer."""
        self.change_moment += change_moment
        self.n_points += n_points
        self.spent += error
        self.bound += bound
        self.rejections_in_a_row = 0
        self.fall_back = FALL_BACK
        self.length = min(2 * self.length, target.max_ml_steps)

    def keep_length(self, length: int) -> None:
        """The last segment came near its allowance: no longer ones next."""
        self.length = max(SHORTEST, length)

    def learn_gain(self, error: float, bound: float) -> None:
        """Two passes over a segment differed by `error`: this run shows twice its share of the bound."""
        shown = 2.0 * error / bound if bound > 0.0 else 0.0
        self.gain = min(max(shown, 0.5 * self.gain, LEAST_GAIN), GAIN)

    def reject(self, length: int) -> None:
        """Book a rejected segment of `length` steps: the next try is half as long."""
        self.rejections_in_a_row += 1
        self.length = max(SHORTEST, length // 2)

    def falls_back(self) -> int:
        """Steps that the reference code makes now; 0 while a shorter surrogate segment can still be tried."""
        if self.rejections_in_a_row < 2 or self.length > SHORTEST:
            return 0
        steps = self.fall_back
        self.fall_back = min(2 * self.fall_back, LONGEST_FALL_BACK)
        self.rejections_in_a_row = 0
        return steps

    def wants_audit(self) -> bool:
        """Draw whether the segment just accepted is followed by a reference step."""
        return bool(self.random.random() < AUDIT_SHARE)

    def allowance(self, time: float, target: Target) -> float:
        """Error that a segment ending at `time` may add."""
        return target.error * time / target.duration - self.spent

    def save(self) -> dict[str, np.ndarray]:
        """Arrays that `load` takes back."""
        state = self.random.bit_generator.state["state"]
        words = [
            (state[name] >> shift) & 0xFFFFFFFFFFFFFFFF for name in ("state", "inc") for shift in (0, 64)
        ]
        return {
            "ledger": np.array([self.spent, self.bound, self.change_moment, self.gain]),
            "ledger_counts": np.array([self.length, self.n_points, self.fall_back, self.rejections_in_a_row]),
            "ledger_random": np.array(words, dtype=np.uint64),
        }

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        self.spent, self.bound, self.change_moment, self.gain = np.asarray(arrays["ledger"]).tolist()
        counts = np.asarray(arrays["ledger_counts"]).tolist()
        self.length, self.n_points, self.fall_back, self.rejections_in_a_row = counts
        words = [int(word) for word in np.asarray(arrays["ledger_random"])]
        generator = np.random.PCG64()
        state = generator.state
        state["state"] = {"state": words[0] | words[1] << 64, "inc": words[2] | words[3] << 64}
        generator.state = state
        self.random = np.random.Generator(generator)
