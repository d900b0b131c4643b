"""Absorption spectra from the dipole moment after a weak delta kick (atomic units, energies in eV where
named so).

    α(z) = ∫ Δμ(t) e^{izt} dt / ∫ E(t) e^{izt} dt,   z = ω + i/τ
    S(ω) = (4πω / 3c) Im Tr α(ω + i/τ)

Going to complex frequency damps the signal by e^{-t/τ} and broadens every line to a Lorentzian of half
width 1/τ, whenever the kick acts. S is the absorption cross-section in bohr²; its integral is (2π²/c) times
the number of electrons (Thomas, Reiche, Kuhn), and an isolated line of height S at ω has the oscillator
strength S c / (2πτ).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...atomic.errors import BadInput
from ...atomic.units import EV_PER_HARTREE, SPEED_OF_LIGHT
from .pade import pade_transform

#: Spacing of the energies, eV, far below the width of a line: the signal is padded with zeros to reach it.
RESOLUTION_EV = 0.01
#: Share of a pulse's most light below which it tells nothing.
LEAST_LIGHT = 0.01
#: A pulse is short where it is over after so much of its run; even, and over, to this share of its most.
SHORT, EVEN = 0.1, 1e-4
#: Damping, au, and highest energy, eV, of a spectrum unless one asks for others.
DAMPING, HIGHEST = 50.0, 40.0


class SpectrumError(BadInput):
    """Signals that make no spectrum. The text is one line."""


@dataclass(frozen=True, eq=False)
class Kick:
    """A field that acts from `start` to `stop` (au of time) with a constant size along a unit vector.

    impulse: field times duration, au. A delta kick of NWChem acts through two steps of its Magnus
    propagator with half its `max`, or through the first step alone where its centre is the first point.
    steps: steps of the mid-point (Magnus) propagator that it acts in, 1 or 2; 0 for any other propagator.
    spread: of a short pulse, even about its centre: times (k,) of the middle of each of its steps from the
        centre, au, and their shares (k,) of the impulse; then `steps` counts them. None: a constant size.
    """

    direction: np.ndarray
    impulse: float
    start: float
    stop: float
    steps: int = 0
    spread: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def centre(self) -> float:
        """Its middle, au."""
        return (self.start + self.stop) / 2.0

    def window(self, omega: np.ndarray) -> np.ndarray:
        """(r,) what its duration leaves of a delta kick at frequencies omega (r,).

        Each mid-point step that it acts in turns it by half a step: cos(ω dt / 2), exact for that map.
        """
        duration = self.stop - self.start
        if self.spread is not None:
            times, shares = self.spread
            half = omega * (times[1] - times[0]) / 2.0
            own = np.cos(half) if self.steps else np.sinc(half / math.pi)
            return own * (np.cos(np.outer(omega, times)) @ shares)
        if self.steps:
            return np.cos(omega * duration / self.steps / 2.0) ** self.steps
        return np.sinc(omega * duration / (2.0 * math.pi))


@dataclass(frozen=True, eq=False)
class Pulse:
    """A field along a unit vector that acts at many points of time: size (n,), au, at those of the dipole.

    magnus: each step feels the mean of the field at its ends, else that at its start.
    """

    direction: np.ndarray
    size: np.ndarray
    magnus: bool = True


@dataclass(frozen=True, eq=False)
class Signal:
    """The dipole moment of one driven run.

    name: for messages; time: (n,) uniform, from the kick or before; dipole: (n, 3) along with the static
    part. title and electrons: of the run, where they are known. magnetic: (n, 3) magnetic dipole likewise.
    stated: root mean square error of the dipole, au, as the run states it.
    """

    name: str
    time: np.ndarray
    dipole: np.ndarray
    kick: Kick | Pulse
    title: str = ""
    electrons: int | None = None
    magnetic: np.ndarray | None = None
    stated: float = 0.0


def field_goes_on(signal: Signal) -> bool:
    """Whether a pulse has, in the run's last twentieth, more than `LEAST_LIGHT` of its largest size."""
    if isinstance(signal.kick, Kick):
        return False
    size = np.abs(signal.kick.size)
    return bool(size[-max(len(size) // 20, 1) :].max() > LEAST_LIGHT * size.max(initial=0.0))


def kick_of(signal: Signal) -> Kick:
    """The kick of a run. Raises SpectrumError where a pulse drives it."""
    if not isinstance(signal.kick, Kick):
        raise SpectrumError(f"{signal.name}: driven by a pulse, where a kick is needed")
    return signal.kick


@dataclass(frozen=True)
class Peak:
    """A line: energy (eV), cross-section (bohr²), and the oscillator strength it would have if isolated."""

    energy: float
    cross_section: float
    strength: float


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Polarisabilities over energy.

    energy: (m,) eV, uniform from 0; tau: damping time, au.
    polarisability: complex α(ω + i/τ) along each kick, by `x`, `y`, `z` or the kick's unit vector; NaN where
        the field has no light.
    sigma: standard deviation (au) of Gaussian lines; 0 for Lorentzians of half width 1/τ.
    cut: what the damping leaves of the signal at its end, which gives lines side lobes.
    """

    energy: np.ndarray
    polarisability: dict[str, np.ndarray]
    tau: float
    sigma: float = 0.0
    cut: float = 0.0

    @property
    def cross_section(self) -> np.ndarray:
        """(m,) bohr², the mean over the kicks: S(ω) with x, y and z; of light along it with a single one."""
        mean = np.mean(list(self.polarisability.values()), axis=0).imag
        return 4.0 * math.pi * self.energy / EV_PER_HARTREE / SPEED_OF_LIGHT * mean

    @property
    def height(self) -> float:
        """Cross-section, bohr², at the top of an isolated line of oscillator strength 1."""
        if self.sigma:
            return 2.0 * math.pi**2 / SPEED_OF_LIGHT / (self.sigma * math.sqrt(2.0 * math.pi))
        return 2.0 * math.pi * self.tau / SPEED_OF_LIGHT

    @property
    def strength(self) -> float:
        """Sum of oscillator strengths up to the highest energy; all of them together are the electrons."""
        section = np.nan_to_num(self.cross_section)
        return float(np.trapezoid(section, self.energy / EV_PER_HARTREE)) * SPEED_OF_LIGHT / (2 * math.pi**2)

    @property
    def peaks(self) -> tuple[Peak, ...]:
        """Every line that stands out by 0.1 % of the highest, and from side lobes, by energy."""
        return tuple(peaks(self, None, 1e-3))


def absorption(
    signals: Sequence[Signal], tau: float, highest: float, *, pade: bool = False, sigma: float = 0.0
) -> Spectrum:
    """Spectrum of one run or of runs with different kicks, up to `highest` eV, damped with tau (au of time).

    sigma: standard deviation (au) of Gaussian lines instead of Lorentzians of half width 1/tau.
    pade: continue the series as the quotient of two polynomials (see `pade`) in place of padding it with
        zeros.
    Raises SpectrumError when no signal is given, two are kicked alike, or one is too short or not finite.
    """
    if not signals:
        raise SpectrumError("no kicked run to make a spectrum of")
    for signal in signals:
        if len(signal.time) < 8 or not (np.diff(signal.time) > 0.0).all():
            raise SpectrumError(f"{signal.name}: {len(signal.time)} points in time make no spectrum")
    step = min(float(np.diff(signal.time).min()) for signal in signals)
    # Beyond π / step a series of this step repeats itself.
    highest = min(highest, math.pi / step * EV_PER_HARTREE)
    energy = RESOLUTION_EV * np.arange(round(highest / RESOLUTION_EV) + 1)
    found: dict[str, np.ndarray] = {}
    for signal in signals:
        label = direction_label(signal.kick.direction)
        if label in found:
            raise SpectrumError(f"{signal.name}: a second run kicked along {label}")
        found[label] = polarisability(signal, energy / EV_PER_HARTREE, tau, pade=pade, sigma=sigma)
    span = min(float(signal.time[-1] - signal.time[0]) for signal in signals)
    left = math.exp(-0.5 * (sigma * span) ** 2) if sigma else math.exp(-span / tau)
    return Spectrum(energy, found, tau, sigma, 0.0 if pade else left)


def polarisability(
    signal: Signal, omega: np.ndarray, tau: float, *, pade: bool = False, sigma: float = 0.0
) -> np.ndarray:
    """α(ω + i/τ) along the kick of one run, (m,) complex, at uniform frequencies omega (m,) from 0.

    With sigma, α(ω) convolved with a Gaussian. Of a pulse NaN where its light is below `LEAST_LIGHT`.
    Raises SpectrumError when the dipole is not finite, and for Gaussians of a pulse.
    """
    time, dipole = uniform(signal)
    kick = signal.kick
    change = (dipole - dipole[0]) @ kick.direction
    if not np.isfinite(change).all():
        raise SpectrumError(
            f"{signal.name}: the dipole is not finite at {int((~np.isfinite(change)).sum())} points"
        )
    elapsed = time - time[0]
    if isinstance(kick, Pulse) and (sigma or pade):
        raise SpectrumError(f"{signal.name}: a pulse, no kick; accepted: Lorentzian lines, without --pade")
    begin, end = (0.0, 0.0) if isinstance(kick, Pulse) else (kick.start - time[0], kick.stop - time[0])
    # A Gaussian window counts from the middle of the kick.
    window = np.exp(-0.5 * (sigma * (elapsed - 0.5 * (begin + end))) ** 2)
    damped = change * (window if sigma else np.exp(-elapsed / tau))
    step = float(elapsed[1])
    if pade:
        transform = step * pade_transform(damped, omega * step)
    else:
        transform = step * fourier_sum(damped, float(omega[1]) * step, len(omega))
    # ∫ E e^{iz(t - t₀)} dt of a constant field, z = ω + i/τ, t₀ the first point.
    z = omega + (1e-9j if sigma else 1j / tau)
    if isinstance(kick, Pulse):
        field = _pulse_transform(kick, signal, z)
        return np.where(np.abs(field) > LEAST_LIGHT * np.abs(field).max(), transform / field, np.nan)
    field = kick.impulse / (end - begin) * (np.exp(1j * z * end) - np.exp(1j * z * begin)) / (1j * z)
    return transform / field


def _pulse_transform(pulse: Pulse, signal: Signal, z: np.ndarray) -> np.ndarray:
    """∫ E e^{iz(t - t₀)} dt of what the propagator took, constant through each step; z uniform, (m,)."""
    time = signal.time - signal.time[0]
    step = float(np.median(np.diff(time)))
    if np.abs(np.diff(time) - step).max() > 2e-5 + 1e-6 * step:
        raise SpectrumError(
            f"{signal.name}: a pulse needs all points in time; let the deck print them (nprints)"
        )
    of_step = 0.5 * (pulse.size[:-1] + pulse.size[1:]) if pulse.magnus else pulse.size[:-1]
    damped = of_step * np.exp(-z[0].imag * step * np.arange(len(of_step)))
    sums = fourier_sum(damped, float((z[1] - z[0]).real) * step, len(z))
    return sums * (np.exp(1j * z * step) - 1.0) / (1j * z)


def fourier_sum(samples: np.ndarray, angle: float, m: int) -> np.ndarray:
    """Σ_k x_k e^{ijk angle}, j = 0 … m - 1, of (n,) samples: a padded FFT, at the frequencies wanted.

    Writing jk = (j² + k² - (j - k)²) / 2 makes the sum a convolution (Bluestein 1970).
    """
    n = len(samples)
    chirp = np.exp(0.5j * angle * np.arange(max(n, m), dtype=float) ** 2)
    size = 1 << (n + m - 1).bit_length()
    kernel = np.zeros(size, complex)
    kernel[:m] = np.conj(chirp[:m])
    kernel[size - n + 1 :] = np.conj(chirp[n - 1 : 0 : -1])
    return chirp[:m] * np.fft.ifft(np.fft.fft(samples * chirp[:n], size) * np.fft.fft(kernel))[:m]


def uniform(signal: Signal) -> tuple[np.ndarray, np.ndarray]:
    """Time and dipole on a uniform grid; where points are missing (`nprints`) the dipole is splined."""
    time, dipole = signal.time, signal.dipole
    steps = np.diff(time)
    step = float(np.median(steps))
    # Printed times carry five decimals.
    if np.abs(steps - step).max() < 2e-5 + 1e-6 * step:
        return time[0] + (time[-1] - time[0]) * np.linspace(0.0, 1.0, len(time)), dipole
    from scipy.interpolate import CubicSpline

    grid = np.arange(time[0], time[-1] + 1e-9, float(steps.min()))
    return grid, CubicSpline(time, dipole, axis=0)(grid)


def direction_label(direction: np.ndarray) -> str:
    """`x`, `y` or `z` along an axis, else the vector."""
    for axis, label in enumerate("xyz"):
        if abs(abs(direction[axis]) - 1.0) < 1e-6:
            return label
    return "(" + ", ".join(f"{c:.3f}" for c in direction) + ")"


def peaks(spectrum: Spectrum, most: int | None = 8, least: float = 0.02) -> list[Peak]:
    """The strongest lines by energy: maxima that stand out by a share of the highest, refined by a parabola.

    most: how many; None for all. least: that share.
    """
    known = np.isfinite(spectrum.cross_section)
    s = np.nan_to_num(spectrum.cross_section)
    if len(s) < 3 or not s.max() > 0.0:
        return []
    # Where a pulse's light ends, the section ends, and may rise to there.
    between = known[:-2] & known[2:]
    at = np.flatnonzero((s[1:-1] > s[:-2]) & (s[1:-1] >= s[2:]) & between) + 1
    if not len(at):
        return []
    prominence = np.array([_prominence(s, k) for k in at])
    at = at[(prominence > least * s.max()) & (s[at] > _left_by_others(spectrum, s, at))]
    at = sorted(at[np.argsort(s[at])[::-1][:most]])
    found = []
    for k in at:
        left, middle, right = s[k - 1 : k + 2]
        shift = 0.5 * (left - right) / (left - 2.0 * middle + right)
        energy = spectrum.energy[k] + shift * (spectrum.energy[1] - spectrum.energy[0])
        height = middle - 0.25 * (left - right) * shift
        strength = height / spectrum.height
        found.append(Peak(float(energy), float(height), float(strength)))
    return found


def _left_by_others(spectrum: Spectrum, s: np.ndarray, at: np.ndarray) -> np.ndarray:
    """What all other maxima leave at each, (n,): a line of height H that is cut off at its c-th part leaves
    H / (1 + (Δω τ)²) and side lobes of H c / √(1 + (Δω τ)²), both with the cross-section's factor ω.
    """
    energy = spectrum.energy[at]
    distance = (energy[:, None] - energy) / EV_PER_HARTREE * spectrum.tau
    tails = 0.0 if spectrum.sigma else 1.0 / (1.0 + distance**2)
    left = s[at] * energy[:, None] / energy * (tails + 1.5 * spectrum.cut / np.hypot(1.0, distance))
    np.fill_diagonal(left, 0.0)
    return left.sum(axis=1)


def _prominence(s: np.ndarray, k: int | np.intp) -> float:
    """Height of the maximum k above the valleys that part it from higher ones, on the higher side."""
    lowest = []
    for side in (s[k::-1], s[k:]):
        higher = np.flatnonzero(side > s[k])
        lowest.append(side[: higher[0] if len(higher) else None].min())
    return float(s[k] - max(lowest))


def short_kick(pulse: Pulse, time: np.ndarray) -> Kick | None:
    """A pulse that is soon over and even about its middle, as a kick; None for any other.

    What it leaves swings as after a kick at its middle, weaker at high frequencies (`Kick.window`).
    """
    of_step = 0.5 * (pulse.size[:-1] + pulse.size[1:]) if pulse.magnus else pulse.size[:-1]
    most = np.abs(of_step).max()
    acting = np.flatnonzero(np.abs(of_step) > EVEN * most)
    first, last = int(acting[0]), int(acting[-1])
    values, step = of_step[first : last + 1], float(time[1] - time[0])
    start, stop = float(time[first]), float(time[last]) + step
    over = stop - time[0] < SHORT * (time[-1] - time[0])
    if len(values) < 2 or not over or np.abs(values - values[::-1]).max() > EVEN * most:
        return None
    if abs(values.sum()) < 0.5 * np.abs(values).sum():
        return None
    middles = step * (np.arange(len(values)) - 0.5 * (len(values) - 1))
    impulse, steps = float(values.sum()) * step, len(values) if pulse.magnus else 0
    return Kick(pulse.direction, impulse, start, stop, steps, (middles, values / values.sum()))


def delta_kick(field: np.ndarray, time: np.ndarray, dt: float, *, magnus: bool = True) -> Kick | None:
    """The kick of a field series (n, 3) at times (n,) of a run with time step dt; None if it never acts.

    magnus: the propagator takes the mean field of each step's ends; the others the field at its start.
    Raises SpectrumError when the field acts at more than one point.
    """
    acting = np.flatnonzero(np.abs(field).max(axis=1) > 0.0)
    if len(acting) == 0:
        return None
    if len(acting) > 1:
        raise SpectrumError(f"the field acts at {len(acting)} points in time, so it is no delta kick")
    vector, at = field[acting[0]], float(time[acting[0]])
    size = float(np.linalg.norm(vector))
    if not magnus:
        return Kick(vector / size, size * dt, at, at + dt)
    start = max(at - dt, float(time[0]))
    steps = 2 if start < at else 1
    return Kick(vector / size, size / 2.0 * (at + dt - start), start, at + dt, steps)
