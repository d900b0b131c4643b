"""What lies below a highest frequency in signals after a kick, on fewer points.

    δμ(t) = Σ_n A_n sin ω_n(t − t₀),      Re δP likewise,  Im δP with cosines

So the signal before the kick's centre t₀ is known: its mirror image, with the sign turned for a sine. A
low-pass filter then loses points at the far end alone. The filter multiplies each line by a known number
(`gain`). Kaiser's window: Oppenheim and Schafer, Discrete-Time Signal Processing, section 7.6.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len

#: What the filter leaves of a line that it takes away, decibel.
ATTENUATION = 80.0
#: A run shorter than so many filters is not filtered.
LEAST_FILTERS = 5.0


@dataclass(frozen=True, eq=False)
class Band:
    """Which points of signals are used, and the filter.

    since: (k,) time since the kick's centre, au, uniform; negative before it.
    taps: (2h + 1,) the filter, symmetric; a single 1 where there is none.
    stride: one filtered point in so many is used.
    step: au between the points given.
    first: number of the first point given at the kick's centre or after it.
    centred: whether that point is at the centre.
    n_after: points given from there on.
    """

    since: np.ndarray
    taps: np.ndarray
    stride: int
    step: float
    first: int
    centred: bool
    n_after: int

    def waves(self, omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sines and cosines (k, r) of lines at omega (r,) at the points used.

        By the sums of angles of two tables, each of the root of k points: a third of the seconds.
        """
        k = len(self.since)
        rows = math.isqrt(k - 1) + 1
        whole = np.outer(self.since[::rows], omega)[:, None]
        rest = np.outer(self.since[:rows] - self.since[0], omega)
        s, c, sines, cosines = np.sin(whole), np.cos(whole), np.sin(rest), np.cos(rest)
        found = s * cosines + c * sines, c * cosines - s * sines
        shape = (len(whole) * rows, len(omega))
        return found[0].reshape(shape)[:k], found[1].reshape(shape)[:k]

    def gain(self, omega: np.ndarray) -> np.ndarray:
        """(r,) what the filter makes of lines at omega (r,)."""
        half = len(self.taps) // 2
        return np.cos(np.outer(omega, self.step * np.arange(-half, half + 1))) @ self.taps

    def filtered(self, values: np.ndarray, *, odd: bool) -> np.ndarray:
        """(k, c) of signals (T, c) at the points given, both less the ground state's value."""
        after = values[self.first :]
        # A point at the centre is its own image.
        image = after[:0:-1] if self.centred else after[::-1]
        whole = np.concatenate([-image if odd else image, after])
        if len(self.taps) > 1:
            size = next_fast_len(len(whole) + len(self.taps) - 1, real=True)
            spectrum = np.fft.rfft(whole, size, axis=0) * np.fft.rfft(self.taps, size)[:, None]
            whole = np.fft.irfft(spectrum, size, axis=0)[len(self.taps) - 1 : len(whole)]
        return whole[:: self.stride]

    def at_given(self, weights: np.ndarray, *, odd: bool) -> np.ndarray:
        """(r, T) weights of the points given: weights (r, k) of those filtered, for the same sums.

        `weights @ filtered(values)` without filtering many values for few sums.
        """
        half = len(self.taps) // 2
        n = 2 * self.n_after - int(self.centred)
        whole = np.zeros((len(weights), n - 2 * half))
        whole[:, :: self.stride] = weights
        if half:
            size = next_fast_len(n, real=True)
            spectrum = np.fft.rfft(whole, size, axis=1) * np.fft.rfft(self.taps, size)
            whole = np.fft.irfft(spectrum, size, axis=1)[:, :n]
        found = np.zeros((len(weights), self.first + self.n_after))
        found[:, self.first :] = whole[:, n - self.n_after :]
        image = whole[:, : n - self.n_after][:, ::-1]
        found[:, self.first + int(self.centred) :] += -image if odd else image
        return found


def band(time: np.ndarray, centre: float, highest: float) -> Band:
    """For points at uniform times (T,), a kick at `centre` and lines up to the frequency `highest`, au."""
    step = float(time[1] - time[0])
    since = time - centre
    first = int(np.flatnonzero(since > -1e-3 * step)[0])
    centred = bool(abs(since[first]) < 1e-3 * step)
    after = since[first:]
    both = np.concatenate([-(after[:0:-1] if centred else after[::-1]), after])
    # From `highest` to twice that the filter falls, so that Nyquist's frequency may be that.
    stride = int(math.pi / (2.0 * highest * step))
    half = math.ceil(0.5 * (ATTENUATION - 7.95) / (2.285 * highest * step))
    if stride < 2 or half * LEAST_FILTERS > len(after):
        return Band(both, np.ones(1), 1, step, first, centred, len(after))
    taps = _low_pass(half, 1.5 * highest * step)
    return Band(both[half:-half][::stride], taps, stride, step, first, centred, len(after))


def _low_pass(half: int, edge: float) -> np.ndarray:
    """(2 half + 1,) taps; edge: angle a step at which half is left."""
    beta = 0.1102 * (ATTENUATION - 8.7)
    k = np.arange(-half, half + 1)
    return edge / math.pi * np.sinc(edge / math.pi * k) * np.kaiser(2 * half + 1, beta)
