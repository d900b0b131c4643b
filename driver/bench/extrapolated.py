"""What a user might do instead of the whole run: each method's result for each length it is given.

Dynamic mode decomposition and ESPRIT learn from the run's first steps, made by the reference, and continue
them; the Padé approximant makes a spectrum of them; linear response needs no run at all. A method with
settings of its own is given the best of several, chosen with the whole reference in hand, which nobody who
uses it has: that favours the baselines.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...adapters.deck.reader import read_deck
from ..baselines.casida import all_excitations, induced_dipole
from ..baselines.dynamic_mode_decomposition import dmd_extrapolation
from ..baselines.esprit import esprit_extrapolation
from .reference import ReferenceRun, converge, single_propagation
from .score import Score, Truth, make_truth, score, score_spectrum, spectrum_of

#: Shortest training stretch, points, and how many times as long the next one is.
SHORTEST, GROWTH = 16, 1.15
#: ESPRIT's settings: smallest singular value that counts, as a share of the largest.
ESPRIT_CUT_OFFS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
#: Dynamic mode decomposition's: delays, as a share of the stretch; 0 for none.
DMD_DELAYS = (0.0, 0.25)


@dataclass(frozen=True)
class CurvePoint:
    """A method at one setting of its knob.

    knob: points of the run that it was given; builds: Fock builds in them. wall, cpu: seconds to make them,
    the reference's start included, and the method's own. chosen: its settings.
    """

    knob: int
    builds: int
    wall: float
    cpu: float
    score: Score
    chosen: str


def lengths(first: int, n: int) -> list[int]:
    """Training stretches from point `first` on, each short of the whole run's n points."""
    found, length = [], float(SHORTEST)
    while first + round(length) < n:
        found.append(round(length))
        length *= GROWTH
    return found


def truth_of(run: ReferenceRun, *, magnus: bool) -> Truth:
    """The signal that methods are compared with."""
    return make_truth(run.time, run.dipole, run.field, magnus=magnus)


def dynamic_modes(run: ReferenceRun, truth: Truth) -> list[CurvePoint]:
    """Dynamic mode decomposition of P(t), from where no field acts any more. Raises PyDMDMissing."""

    def settings(known: slice, n: int) -> list[tuple[str, Callable[[], np.ndarray]]]:
        changes = run.changes[known]
        return [
            (
                f"{delays} delays",
                lambda delays=delays: run.dipole[0] + dmd_extrapolation(changes, run.dipole_rows, n, delays),
            )
            for delays in (max(1, int(share * len(changes))) for share in DMD_DELAYS)
        ]

    return _trained(run, truth, settings)


def esprit(run: ReferenceRun, truth: Truth) -> list[CurvePoint]:
    """ESPRIT on the dipole, from where no field acts any more."""

    def settings(known: slice, n: int) -> list[tuple[str, Callable[[], np.ndarray]]]:
        moved = run.dipole[known] - run.dipole[0]
        return [
            (
                f"cut-off {smallest:g}",
                lambda smallest=smallest: run.dipole[0] + esprit_extrapolation(moved, n, smallest),
            )
            for smallest in ESPRIT_CUT_OFFS
        ]

    return _trained(run, truth, settings)


def _trained(
    run: ReferenceRun,
    truth: Truth,
    settings: Callable[[slice, int], Sequence[tuple[str, Callable[[], np.ndarray]]]],
) -> list[CurvePoint]:
    """For every length, the setting whose trajectory error is least."""
    # The point at which a kick ends still holds none of its effect.
    first, n = truth.free_from, len(run.time)
    points = []
    for length in lengths(first, n):
        best: CurvePoint | None = None
        for chosen, continued in settings(slice(first, first + length), n - first):
            began = _Clock()
            dipole = np.concatenate([run.dipole[:first], continued()])
            point = _point(run, first + length, began.spent(), score(truth, dipole), chosen)
            if best is None or point.score.trajectory_error < best.score.trajectory_error:
                best = point
        assert best is not None
        points.append(best)
    return points


def pade(run: ReferenceRun, truth: Truth) -> list[CurvePoint]:
    """Spectra of shortened runs by Padé approximants: no trajectory, so no trajectory error."""
    points = []
    for length in lengths(0, len(run.time)) if truth.kick is not None else []:
        began = _Clock()
        spectrum = spectrum_of(truth, run.dipole[:length], pade=True)
        points.append(_point(run, length, began.spent(), score_spectrum(truth, spectrum), ""))
    return points


def linear_response(deck: Path, run: ReferenceRun, truth: Truth) -> list[CurvePoint]:
    """Every excitation by linear response, and the dipole that the deck's field induces through them.

    Raises DeckError, NotConverged, NoLinearResponse.
    """
    started, began = time.process_time(), _Clock()
    ground, task = single_propagation(read_deck(deck))
    engine, orbitals = converge(ground)
    excitations = all_excitations(engine, orbitals)
    moved = induced_dipole(excitations, run.field, task.real_time.dt)
    wall, cpu = began.spent()
    result = score(truth, run.dipole[0] + moved)
    return [
        CurvePoint(0, 0, started + wall, started + cpu, result, f"{len(excitations.energies)} excitations")
    ]


class _Clock:
    """Wall and processor seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def spent(self) -> tuple[float, float]:
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def _point(run: ReferenceRun, knob: int, own: tuple[float, float], result: Score, chosen: str) -> CurvePoint:
    last = knob - 1
    wall, cpu = float(run.wall[last]) + own[0], float(run.cpu[last]) + own[1]
    return CurvePoint(knob, int(run.builds[last]), wall, cpu, result, chosen)


def as_rows(points: Sequence[CurvePoint]) -> list[dict[str, object]]:
    """For JSON."""
    return [asdict(point) for point in points]


def from_rows(rows: Sequence[dict[str, object]]) -> list[CurvePoint]:
    """Back from JSON."""
    return [CurvePoint(**(row | {"score": Score(**row["score"])})) for row in rows]  # pyright: ignore
