"""Lines fitted to the dipoles after kicks: undamped sines of common frequencies, with phases known from the
kick.

    δμ_i^(j)(t) = κ_j Σ_n g_j(ω_n) q_ni (q_n·k_j) sin ω_n(t − t₀)

for component i after kick j of impulse κ_j along k_j; g_j is what the kick's duration leaves
(`Kick.window`). One vector q_n a line holds its strengths in all runs. Frequencies start from
`realization`; Levenberg's steps then make all parameters the best in the least squares sense. Every
derivative J is a function of time times one of the components, so that JᵀJ is the product, element by
element, of two small Gram matrices. An error δy of the samples moves a parameter by (J⁺ δy)_p, so by |J⁺_p|
|δy| at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from .band import Band, band
from .realization import common_frequencies, connected
from .spectrum import Signal, SpectrumError, kick_of, uniform

#: Relative error of a dipole that is there in any case: what the filter leaves of higher lines, and what a
#: step of two corrections lacks of the self-consistent one.
LEAST_ERROR = 2e-4
#: Steps at most, and the change of the misfit that ends them, relative to it and to what may be wrong: its
#: root is how far a line still moves, relative to its uncertainty.
MOST_STEPS, CONVERGED = 60, 1e-6
#: A signal needs so many points.
LEAST_POINTS = 16
#: Frequencies closer than this, in π / T, are one.
SAME = 0.02
#: Share of a line's tensor from which on a second direction is a line of its own.
DEGENERATE = 0.2
#: A line of which the filter leaves less is none of ours.
LEAST_GAIN = 0.02


@dataclass(frozen=True, eq=False)
class LineFit:
    """r lines that c runs have in common, degenerate ones apart.

    directions: (c, 3) unit vectors of the kicks.
    omega: (r,) au, ascending.
    dipoles: (r, 3) q, au: the filter's part taken off, so that q_i q_j = 2 d_i d_j.
    reach: (r, 4, 4) symmetric. A change of ω_n and q_n by v (4,) costs; √(vᵀ reach v) is the most that
    v·(ω, q) can
        be wrong.
    span: au from the kick to the last point.
    fitted_to: (r, c) which runs each line was fitted to.
    """

    directions: np.ndarray
    omega: np.ndarray
    dipoles: np.ndarray
    reach: np.ndarray
    span: float
    fitted_to: np.ndarray


def runs_apart(signals: Sequence[Signal], errors: Sequence[float]) -> list[np.ndarray]:
    """Numbers of runs, those apart that move no component together: what one shows says nothing of another.

    errors: as `fit_lines` has them. A component that moves less is at rest. Raises as `fit_lines` does.
    """
    _, raw = common_points(signals)
    sizes = np.linalg.norm(raw, axis=0)
    moves = sizes > np.maximum(errors, LEAST_ERROR) * np.linalg.norm(sizes, axis=0)
    # One that moves nothing has no lines, yet it is a kick: any other's fit takes it along.
    moves[:, ~moves.any(axis=0)] = True
    return connected(moves.T @ moves)


def side_by_side(fits: Sequence[LineFit], runs: Sequence[np.ndarray]) -> LineFit:
    """The lines of runs apart, as if fitted at once; runs: their numbers, fit by fit."""
    directions = np.empty((sum(map(len, runs)), 3))
    for fit, own in zip(fits, runs, strict=True):
        directions[own] = fit.directions
    fitted_to = np.zeros((sum(len(fit.omega) for fit in fits), len(directions)), bool)
    first = 0
    for fit, own in zip(fits, runs, strict=True):
        fitted_to[first : first + len(fit.omega), own] = True
        first += len(fit.omega)
    omega, dipoles, reach = (
        np.concatenate(parts)
        for parts in zip(*((fit.omega, fit.dipoles, fit.reach) for fit in fits), strict=True)
    )
    order, span = np.argsort(omega, kind="stable"), min(fit.span for fit in fits)
    return LineFit(directions, omega[order], dipoles[order], reach[order], span, fitted_to[order])


def fit_lines(signals: Sequence[Signal], errors: Sequence[float], highest: float) -> LineFit:
    """The lines of runs with kicks of their own, up to the frequency `highest` (au) and some beyond.

    errors: relative error of each run's induced dipole, as the runs state it.
    Raises SpectrumError for signals that are too short, differ in their points, or do not move.
    """
    points, raw = common_points(signals)
    window = band(points, kick_of(signals[0]).centre, highest)
    samples = window.filtered(raw.reshape(len(raw), -1), odd=True)
    stated = np.maximum(errors, LEAST_ERROR) * np.linalg.norm(raw, axis=(0, 1))
    # The mirror image doubles the points, the stride thins them.
    error = float(np.linalg.norm(stated)) * np.sqrt(2.0 / window.stride)
    if not error > 0.0:
        raise SpectrumError(f"{signals[0].name}: the dipole does not move, so it has no lines")
    step, span = float(window.since[1] - window.since[0]), float(window.since[-1])
    found = common_frequencies(samples.reshape(len(samples), 3, -1), step, error)
    omega = _distinct(found[window.gain(found) > LEAST_GAIN], span)
    omega, dipoles = _start(window.since, samples, omega, signals)
    directions = np.stack([kick_of(signal).direction for signal in signals])
    if not len(omega):
        none = np.zeros((0, len(signals)), bool)
        return LineFit(directions, omega, dipoles, np.zeros((0, 4, 4)), span, none)
    fitted = _Model(window, samples, _kicks(signals, omega))
    omega, dipoles, left, normal = _improved(fitted, omega, dipoles, error)
    size = np.hypot(error, np.linalg.norm(left))
    r = len(omega)
    inverse = np.linalg.pinv(normal, hermitian=True).reshape(r, 4, r, 4)[np.arange(r), :, np.arange(r)]
    # The fit may move a line to where the filter leaves nothing of it.
    gain = window.gain(omega)
    kept = np.argsort(omega)
    kept = kept[gain[kept] > LEAST_GAIN]
    omega, dipoles, gain = omega[kept], dipoles[kept], np.sqrt(gain[kept])
    scale = np.stack([np.ones(len(kept)), gain, gain, gain], axis=1)
    reach = size**2 * inverse[kept] / (scale[:, :, None] * scale[:, None, :])
    every = np.ones((len(omega), len(signals)), bool)
    return LineFit(directions, omega, dipoles / gain[:, None], reach, span, every)


def common_points(signals: Sequence[Signal]) -> tuple[np.ndarray, np.ndarray]:
    """Times (T,) of the first run, and induced dipoles (T, 3, c) per unit of impulse.

    Runs are shifted so that all kicks act at once.
    """
    for signal in signals:
        if len(signal.time) < LEAST_POINTS or not (np.diff(signal.time) > 0.0).all():
            raise SpectrumError(f"{signal.name}: {len(signal.time)} points in time show no lines")
    first, _ = uniform(signals[0])
    step, centre = float(first[1] - first[0]), kick_of(signals[0]).centre
    grids, induced = [], []
    for signal in signals:
        time, dipole = uniform(signal)
        if not np.isfinite(dipole).all():
            raise SpectrumError(f"{signal.name}: the dipole is not finite")
        here = kick_of(signal).centre - centre
        shift = here / step
        if abs(float(time[1] - time[0]) - step) > 1e-4 * step or abs(shift - round(shift)) > 1e-3:
            raise SpectrumError(
                f"{signal.name}: its points in time are not those of {signals[0].name}; lines are fitted to "
                "runs of one time step"
            )
        grids.append(time - here)
        induced.append((dipole - dipole[0]) / kick_of(signal).impulse)
    begin, end = max(float(grid[0]) for grid in grids), min(float(grid[-1]) for grid in grids)
    cut = [
        values[(grid > begin - 0.5 * step) & (grid < end + 0.5 * step)]
        for grid, values in zip(grids, induced, strict=True)
    ]
    n = min(map(len, cut))
    if n < LEAST_POINTS:
        raise SpectrumError(f"{signals[0].name}: {n} points in time show no lines")
    return begin + step * np.arange(n), np.stack([values[:n] for values in cut], axis=2)


def _distinct(omega: np.ndarray, span: float) -> np.ndarray:
    """Ascending frequencies, those that are one taken once: a line may be degenerate."""
    if not len(omega):
        return omega
    return np.append(omega[0], omega[1:][np.diff(omega) > SAME * np.pi / span])


@dataclass(frozen=True, eq=False)
class _Model:
    """points: k; y: (k, 3c) samples, components fastest but for the runs; kicks: (r, c, 3) g_j k_j of each
    line."""

    points: Band
    y: np.ndarray
    kicks: np.ndarray

    def times(self, omega: np.ndarray) -> np.ndarray:
        """(k, 2r) a line's functions of time: its frequency has t cos ωt, the three of its q share sin ωt."""
        sines, cosines = self.points.waves(omega)
        return np.concatenate([self.points.since[:, None] * cosines, sines], axis=1)

    def left(self, times: np.ndarray, dipoles: np.ndarray) -> np.ndarray:
        """(k, 3c) what the lines do not explain."""
        return self.y - times[:, len(dipoles) :] @ self._patterns(dipoles)

    def _patterns(self, dipoles: np.ndarray) -> np.ndarray:
        """(r, 3c) how a line is spread over the components of the runs."""
        along = np.einsum("ncx,nx->nc", self.kicks, dipoles)
        return (dipoles[:, :, None] * along[:, None, :]).reshape(len(dipoles), -1)

    def expanded(
        self, times: np.ndarray, left: np.ndarray, dipoles: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Jᵀ left (4r,) and JᵀJ (4r, 4r); four parameters a line: its frequency, then its q."""
        r, c = self.kicks.shape[:2]
        along = np.einsum("ncx,nx->nc", self.kicks, dipoles)
        patterns = np.zeros((r, 4, 3, c))
        patterns[:, 0] = dipoles[:, :, None] * along[:, None, :]
        for x in range(3):
            patterns[:, 1 + x, x] += along
            patterns[:, 1 + x] += dipoles[:, :, None] * self.kicks[:, None, :, x]
        flat = patterns.reshape(4 * r, -1)
        own = (np.arange(r)[:, None] + np.array([0, r, r, r])).ravel()
        gram = (times.T @ times)[np.ix_(own, own)]
        return np.sum((times.T @ left)[own] * flat, axis=1), gram * (flat @ flat.T)


def _kicks(signals: Sequence[Signal], omega: np.ndarray) -> np.ndarray:
    """(r, c, 3)."""
    return np.stack([np.outer(kick_of(s).window(omega), kick_of(s).direction) for s in signals], axis=1)


def _start(
    t: np.ndarray, y: np.ndarray, omega: np.ndarray, signals: Sequence[Signal]
) -> tuple[np.ndarray, np.ndarray]:
    """Lines (r,) and their q (r, 3) from distinct frequencies: two or three at a degenerate one."""
    c = len(signals)
    amplitudes = np.linalg.lstsq(np.sin(np.outer(t, omega)), y, rcond=None)[0].reshape(len(omega), 3, c)
    directions = np.stack([kick_of(signal).direction for signal in signals])
    lines: list[tuple[float, np.ndarray]] = []
    for frequency, amplitude in zip(omega, amplitudes, strict=True):
        if c == 1:
            along = float(directions[0] @ amplitude[:, 0])
            # Light along the kick is taken up, never given out.
            if along > 0.0:
                lines.append((frequency, amplitude[:, 0] / np.sqrt(along)))
            continue
        tensor = amplitude @ np.linalg.pinv(directions.T)
        sizes, axes = np.linalg.eigh((tensor + tensor.T) / 2.0)
        kept = np.flatnonzero((sizes > 0.0) & (sizes > DEGENERATE * np.abs(sizes).max()))
        lines += [(frequency, np.sqrt(sizes[k]) * axes[:, k]) for k in kept]
    if not lines:
        return np.zeros(0), np.zeros((0, 3))
    return np.array([frequency for frequency, _ in lines]), np.stack([q for _, q in lines])


def _improved(
    model: _Model, omega: np.ndarray, dipoles: np.ndarray, error: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Levenberg's and Marquardt's steps to the least misfit: lines, q, what is left, and JᵀJ there.

    The damping follows how much of the gain foreseen there is: Nielsen, IMM-REP-1999-05.
    error: norm of what may be wrong with the samples.
    """
    damping, worse = 1e-4, 2.0
    times = model.times(omega)
    left = model.left(times, dipoles)
    slope, normal = model.expanded(times, left, dipoles)
    misfit = float(np.vdot(left, left))
    for _ in range(MOST_STEPS):
        diagonal = np.diag(normal)
        found = _solved(normal + damping * np.diag(diagonal), slope)
        foreseen = float(found @ (slope + damping * diagonal * found))
        change = found.reshape(-1, 4)
        trial = omega + change[:, 0], dipoles + change[:, 1:]
        times = model.times(trial[0])
        after = model.left(times, trial[1])
        missed = float(np.vdot(after, after))
        if missed > misfit:
            damping, worse = worse * damping, 2.0 * worse
            if damping > 1e6:
                break
            continue
        gained, misfit = misfit - missed, missed
        damping *= max(0.1, 1.0 - (2.0 * gained / foreseen - 1.0) ** 3) if foreseen > 0.0 else 0.1
        worse = 2.0
        (omega, dipoles), left = trial, after
        slope, normal = model.expanded(times, left, dipoles)
        if gained <= CONVERGED * (misfit + error**2):
            break
    return np.abs(omega), dipoles, left, normal


def _solved(normal: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Least squares where parameters depend on one another; a tenth of its seconds where they do not."""
    try:
        return scipy.linalg.cho_solve(scipy.linalg.cho_factor(normal), slope)
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(normal, slope, rcond=None)[0]
