"""Absorption lines: energy, oscillator strength, direction, and how far each can be wrong.

A kick along j of impulse κ makes δμ_i = 2κ g(ω) Σ_n d_i d_j sin ω_n(t − t₀), so that the fitted q = √2 d
gives

    S_ij = 2 ω d_i d_j = ω q_i q_j,      f = ⅓ Tr S = ⅔ ω |d|²

With fewer than three kicks f is the mean of S_jj over the kicks: the strength for such light, as in
`spectrum`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...atomic.units import EV_PER_HARTREE
from .line_fit import SAME, LineFit, fit_lines, runs_apart, side_by_side
from .parts import AtomShare, Transition, parts_of
from .response import Modes, StoredResponse, line_modes
from .spectrum import HIGHEST, Signal, SpectrumError, kick_of
from .time_step import converged_lines

#: A line counts where its strength is so many times as large as it can be wrong.
CLEAR = 2.0
#: A line turned further away from a kick, as a cosine, is not looked for in its response.
SEEN = 1e-2
#: Many lines above hide those below: where none is clear up to here, eV, each of these bands is fitted alone.
NARROWER = (5.0, 10.0)


@dataclass(frozen=True)
class AbsorptionLine:
    """One line of the spectrum.

    energy: eV, at the run's time step.
    energy_uncertainty: eV, the most that the run's stated error can move it.
    strength: oscillator strength f; with fewer than three kicks that for light along the kicks.
    strength_uncertainty: the most that the stated error can change f.
    direction: unit vector of the transition dipole; of a degenerate line one of several.
    direction_uncertainty: degrees; 90 of a degenerate line.
    converged_energy: eV, extrapolated to a vanishing time step; None where the run keeps no response.
    converged_strength: f, extrapolated likewise.
    transitions: what the line is made of, the largest part first; empty where the run keeps no response.
    atoms: where it comes from and goes to, in the order of the geometry; empty likewise.
    """

    energy: float
    energy_uncertainty: float
    strength: float
    strength_uncertainty: float
    direction: tuple[float, float, float]
    direction_uncertainty: float
    converged_energy: float | None = None
    converged_strength: float | None = None
    transitions: tuple[Transition, ...] = ()
    atoms: tuple[AtomShare, ...] = ()


@dataclass(frozen=True, eq=False)
class KickedRun:
    """What lines are found from.

    signal: dipole and kick.
    error: relative error of the induced dipole, as the run states it; 0 for reference steps alone.
    response: what the run keeps of its density, if anything.
    """

    signal: Signal
    error: float = 0.0
    response: StoredResponse | None = None

    def fit(self, edge: float) -> LineFit:
        """Of this run alone, up to the frequency `edge`, au: made once. Raises as `fit_lines` does."""
        if edge not in self._fits:
            self._fits[edge] = fit_lines([self.signal], [self.error], edge)
        return self._fits[edge]

    def modes(self, omega: np.ndarray, edge: float) -> Modes | None:
        """Of lines at omega (r,), au: made once for the same lines. None where it kept no response."""
        if self.response is None:
            return None
        key = edge, omega.tobytes()
        if key not in self._modes:
            self._modes[key] = line_modes(self.response, kick_of(self.signal), omega, edge)
        return self._modes[key]

    @cached_property
    def _fits(self) -> dict[float, LineFit]:
        return {}

    @cached_property
    def _modes(self) -> dict[tuple[float, bytes], Modes]:
        return {}


@dataclass(frozen=True, eq=False)
class _Strengths:
    """Of r lines: strength, its uncertainty, direction, degrees, and which run shows it best."""

    strength: np.ndarray
    uncertainty: np.ndarray
    direction: np.ndarray
    degrees: np.ndarray
    best: np.ndarray


def absorption_lines(runs: Sequence[KickedRun], highest: float = HIGHEST) -> tuple[AbsorptionLine, ...]:
    """The lines of one molecule up to `highest` eV, from runs with different kicks, ascending.

    Where frequencies up to the last of `NARROWER` are found, and none is clear, these bands are fitted by
    themselves. Raises SpectrumError: see `fit_lines`.
    """
    try:
        fit, lines = _fitted_lines(runs, highest)
        low = NARROWER[-1]
        hidden = bool((fit.omega * EV_PER_HARTREE < low).any()) and all(line.energy > low for line in lines)
        return (*_in_narrower_bands(runs), *lines) if hidden and highest > low else lines
    except np.linalg.LinAlgError as error:
        raise SpectrumError(f"{runs[0].signal.name}: its lines cannot be fitted ({error})") from error


def _in_narrower_bands(runs: Sequence[KickedRun]) -> list[AbsorptionLine]:
    found: list[AbsorptionLine] = []
    for edge in NARROWER:
        last = found[-1].energy + found[-1].energy_uncertainty if found else 0.0
        found += [
            line for line in _fitted_lines(runs, edge)[1] if line.energy - line.energy_uncertainty > last
        ]
    return found


def _fitted_lines(runs: Sequence[KickedRun], highest: float) -> tuple[LineFit, tuple[AbsorptionLine, ...]]:
    edge = highest / EV_PER_HARTREE
    fit = fit_runs(runs, edge)
    found = _strengths(fit)
    modes = _modes(fit, found, runs, edge)
    omega, ratio = _converged(fit, found, runs, modes)
    shift = np.sqrt(fit.reach[:, 0, 0])
    resolved = shift < np.pi / fit.span
    shown = resolved & (fit.omega <= edge) & (found.strength > CLEAR * found.uncertainty)
    lines = []
    for n in np.flatnonzero(shown).tolist():
        followed = bool(np.isfinite(omega[n]) and np.isfinite(ratio[n]))
        lines.append(
            AbsorptionLine(
                float(fit.omega[n] * EV_PER_HARTREE),
                float(shift[n] * EV_PER_HARTREE),
                float(found.strength[n]),
                float(found.uncertainty[n]),
                tuple(found.direction[n].tolist()),
                float(found.degrees[n]),
                float(omega[n] * EV_PER_HARTREE) if followed else None,
                float(found.strength[n] * ratio[n]) if followed else None,
                *_parts(modes, n, int(found.best[n]), runs),
            )
        )
    return fit, _degenerate_as_one(lines, SAME * np.pi / fit.span * EV_PER_HARTREE)


def fit_runs(runs: Sequence[KickedRun], edge: float) -> LineFit:
    """Up to the frequency `edge`, au; runs that move nothing in common have each their own, mostly known.

    Raises SpectrumError: see `fit_lines`.
    """
    if len(runs) == 1:
        return runs[0].fit(edge)
    signals, errors = [run.signal for run in runs], [run.error for run in runs]
    sets = runs_apart(signals, errors)
    fits = [
        runs[own[0]].fit(edge)
        if len(own) == 1
        else fit_lines([signals[j] for j in own], [errors[j] for j in own], edge)
        for own in sets
    ]
    return side_by_side(fits, sets) if len(fits) > 1 else fits[0]


def _degenerate_as_one(lines: Sequence[AbsorptionLine], width: float) -> tuple[AbsorptionLine, ...]:
    """Lines less than `width` eV apart joined; where one direction is kept, it is the stronger one's."""
    joined: list[AbsorptionLine] = []
    for line in lines:
        if not joined or line.energy - joined[-1].energy > width:
            joined.append(line)
            continue
        other = joined.pop()
        main = max(line, other, key=lambda one: one.strength)
        limits = (line.converged_strength, other.converged_strength)
        joined.append(
            replace(
                main,
                strength=line.strength + other.strength,
                strength_uncertainty=line.strength_uncertainty + other.strength_uncertainty,
                direction_uncertainty=90.0,
                converged_strength=None if limits[0] is None or limits[1] is None else limits[0] + limits[1],
            )
        )
    return tuple(joined)


def _strengths(fit: LineFit) -> _Strengths:
    q, K = fit.dipoles, fit.directions
    along = q @ K.T
    best = np.where(fit.fitted_to, np.abs(along), -1.0).argmax(axis=1)
    # f = ω Σ (q·k)² / c: the mean over the kicks, which with x, y and z is ⅓ Tr S.
    strength = fit.omega * np.mean(along**2, axis=1)
    slope = 2.0 * fit.omega[:, None] * (along @ K) / len(K)
    uncertainty = np.sqrt(np.einsum("nx,nxy,ny->n", slope, fit.reach[:, 1:, 1:], slope))
    size = np.maximum(np.linalg.norm(q, axis=1), 1e-300)
    direction = q / size[:, None]
    across = np.eye(3) - direction[:, :, None] * direction[:, None, :]
    turned = np.linalg.eigvalsh(across @ fit.reach[:, 1:, 1:] @ across)[:, -1]
    degrees = np.degrees(np.arctan2(np.sqrt(np.maximum(turned, 0.0)), size))
    # The sign of a transition dipole means nothing: the largest component is positive.
    largest = np.take_along_axis(direction, np.abs(direction).argmax(axis=1)[:, None], axis=1)
    return _Strengths(strength, uncertainty, direction * np.sign(largest), degrees, best)


@dataclass(frozen=True, eq=False)
class _LineModes:
    """Modes (r, d) of the lines, of all d pairs that some run keeps.

    gaps: (d,), Hartree.
    places: where each run's own pairs stand among them.
    """

    modes: Modes
    gaps: np.ndarray
    places: list[np.ndarray]

    def of_run(self, n: int, j: int) -> Modes:
        """Line n's mode (1, d) in the pairs of run j."""
        own = self.places[j]
        return Modes(self.modes.x[n : n + 1, own], self.modes.y[n : n + 1, own])


def _modes(fit: LineFit, found: _Strengths, runs: Sequence[KickedRun], edge: float) -> _LineModes | None:
    """Each line's mode from the run that shows it best; None where a run kept no response."""
    responses = [run.response for run in runs if run.response is not None]
    if len(responses) < len(runs) or len({one.orbitals.shape for one in responses}) > 1:
        return None
    every = np.concatenate([one.pairs for one in responses])
    _, first, whose = np.unique(every, axis=0, return_index=True, return_inverse=True)
    places = np.split(whose.ravel(), np.cumsum([len(one.pairs) for one in responses])[:-1])
    gaps = np.concatenate([one.gaps for one in responses])[first]
    shape = (len(fit.omega), len(gaps))
    modes = Modes(np.zeros(shape), np.zeros(shape))
    for j, run in enumerate(runs):
        along = np.abs(fit.dipoles @ fit.directions[j])
        seen = fit.fitted_to[:, j] & (along > SEEN * np.linalg.norm(fit.dipoles, axis=1))
        rows = np.flatnonzero(seen | (found.best == j))
        own = run.modes(fit.omega[rows], edge)
        if own is None:
            return None
        mine = found.best[rows] == j
        at = np.ix_(rows[mine], places[j])
        modes.x[at], modes.y[at] = own.x[mine], own.y[mine]
    return _LineModes(modes, gaps, places)


def _converged(
    fit: LineFit, found: _Strengths, runs: Sequence[KickedRun], lines: _LineModes | None
) -> tuple[np.ndarray, np.ndarray]:
    """(r,) frequencies and ratios of strengths at a vanishing time step; NaN where they are not known."""
    kicks = [kick_of(run.signal) for run in runs]
    unknown = np.full(len(fit.omega), np.nan)
    if lines is None or not all(kick.steps for kick in kicks):
        return unknown, unknown
    modes = lines.modes
    dt = (kicks[0].stop - kicks[0].start) / kicks[0].steps
    clear = np.flatnonzero(found.strength > CLEAR * found.uncertainty)
    # A mode is made by one kick, so it has that kick's component of q as a factor, as its dipole has.
    factor = np.sum(fit.dipoles * fit.directions[found.best], axis=1)
    dipoles = fit.dipoles * factor[:, None]
    converged = converged_lines(
        fit.omega[clear], dipoles[clear], Modes(modes.x[clear], modes.y[clear]), lines.gaps, dt
    )
    omega, ratio = unknown.copy(), unknown.copy()
    omega[clear], ratio[clear] = converged.omega, converged.strengths
    return omega, ratio


def _parts(
    lines: _LineModes | None, n: int, j: int, runs: Sequence[KickedRun]
) -> tuple[tuple[Transition, ...], tuple[AtomShare, ...]]:
    """Line n's, of run j."""
    response = runs[j].response
    if lines is None or response is None:
        return (), ()
    return parts_of(lines.of_run(n, j).weights[0], response)


def transition_densities(
    runs: Sequence[KickedRun], energies: Sequence[float], highest: float = HIGHEST
) -> list[np.ndarray]:
    """(n_spin, n, n) real T of the line nearest to each energy (eV), in the basis functions: Tr r T = ± d.

    Raises SpectrumError where a run kept no response, or no line was found.
    """
    edge = highest / EV_PER_HARTREE
    fit = fit_runs(runs, edge)
    found = _strengths(fit)
    modes = _modes(fit, found, runs, edge)
    if modes is None or not len(fit.omega):
        raise SpectrumError(f"{runs[0].signal.name}: it kept no response to make a transition density of")
    densities = []
    for energy in energies:
        n = int(np.abs(fit.omega * EV_PER_HARTREE - energy).argmin())
        j = int(found.best[n])
        response = runs[j].response
        assert response is not None
        # The kick along k makes δμ = −Tr r δP = q (q·k), and q = √2 d.
        size = np.sqrt(2.0) * float(fit.dipoles[n] @ fit.directions[j])
        densities.append(-response.matrix(modes.of_run(n, j).x[0]) / size)
    return densities
