"""One case of the benchmark, piece by piece: the reference, every method on it, rounds of timings."""

import json
import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from ...adapters.deck import DeckError
from ...adapters.files.plain_hdf5 import open_hdf5
from ..baselines.casida import induced_dipole
from ..baselines.nwchem_excitations import excitation_deck, read_excitations
from .case import BenchError, Case, with_larger_step
from .engines import Timing, read_timing, timing_piece
from .extrapolated import CurvePoint, from_rows, truth_of
from .pieces import Done, Piece, PieceFailed, python, run_piece
from .reference import ReferenceRun
from .score import Score, Truth, score, trajectory_error
from .worker import load_reference

#: How many times the deck's own time step the larger ones are.
FACTORS = (2, 3, 5)
#: The methods of `extrapolated`, as the command names them and as tables do.
TRAINED = {
    "dmd": "DMD on P(t)",
    "esprit": "ESPRIT",
    "pade": "Padé",
    "linear-response": "linear response",
}


@dataclass(frozen=True)
class Plan:
    """What is measured, and where results are kept.

    surrogates, engines, baselines: by name. tolerances: `--tol` of the hybrid with the first surrogate; the
    first of them also that of the others and of the timed runs. timed_steps: of the reference codes.
    work: folder; sources: see `sources_digest`; say: takes lines of progress.
    """

    surrogates: Sequence[str]
    engines: Sequence[str]
    baselines: Sequence[str]
    tolerances: Sequence[float]
    timed_steps: int
    nwchem: str
    work: Path
    sources: str
    say: Callable[[str], None]


@dataclass(frozen=True)
class Entry:
    """A method on a case, at one setting; the seconds are measured.

    method: such as `hybrid, response`; setting: its knob, in words; builds: Fock builds, None where it makes
    none; jk_builds: Coulomb-exchange builds without quadrature beside them. states: the trajectory error that
    it states itself, None where it does not. knob: training points, tolerance or factor.
    """

    method: str
    setting: str
    knob: float
    builds: int | None
    jk_builds: int
    wall: float
    cpu: float
    peak: int
    score: Score
    states: float | None
    sources: str


@dataclass(frozen=True)
class Measured:
    """A case and every method on it. missing: what was left out, and why, by name."""

    case: Case
    truth: Truth
    reference: Entry
    entries: Sequence[Entry]
    missing: dict[str, str]


@dataclass(frozen=True)
class Round:
    """One round of timings of a case.

    cpu, wall: seconds of the whole run, by method; those of `timings` (reference codes) are extrapolated from
    the steps timed. missing: as in `Measured`.
    """

    cpu: dict[str, float]
    wall: dict[str, float]
    timings: dict[str, Timing]
    missing: dict[str, str]


def measure_case(case: Case, plan: Plan) -> Measured:
    """The reference, then every method's errors, counts and seconds.

    Raises PieceFailed where the reference fails; any other failure is in `missing`.
    """
    known = _reference(case, plan)
    entries: list[Entry] = []
    missing: dict[str, str] = {}
    for name, measure in (*_hybrids(plan), *_extrapolations(plan), *_others(plan)):
        if name in missing:
            # What cannot be had at one setting cannot at another.
            continue
        try:
            entries += measure(case, plan, known)
        except PieceFailed as error:
            missing[name] = str(error)
            plan.say(f"left out: {name}: {error}")
    return Measured(case, known.truth, known.entry, entries, missing)


@dataclass(frozen=True, eq=False)
class _Known:
    """The reference on a case: its piece, its run, the signal that methods are compared with, its entry."""

    done: Done
    run: ReferenceRun
    truth: Truth
    entry: Entry


#: A method's name in tables, and what measures it at one setting.
_Method = tuple[str, Callable[[Case, Plan, _Known], list[Entry]]]


def _hybrids(plan: Plan) -> list[_Method]:
    """The first surrogate at every tolerance, the others at the first."""
    return [
        (f"hybrid, {surrogate}", partial(_hybrid, surrogate, tolerance))
        for surrogate in plan.surrogates
        for tolerance in (plan.tolerances if surrogate == plan.surrogates[0] else plan.tolerances[:1])
    ]


def _extrapolations(plan: Plan) -> list[_Method]:
    return [
        (name, partial(_baseline, method)) for method, name in TRAINED.items() if method in plan.baselines
    ]


def _others(plan: Plan) -> list[_Method]:
    methods: list[_Method] = []
    if "nwchem-tddft" in plan.baselines:
        methods.append(("NWChem's tddft", _nwchem_excitations))
    if "larger-step" in plan.baselines:
        methods += [("larger step", partial(_larger_step, factor)) for factor in FACTORS]
    return methods


def _reference(case: Case, plan: Plan) -> _Known:
    """Reference steps alone, by the embedded engine. Raises PieceFailed."""
    done = _piece(case, plan, "reference", python("bench.worker", "reference", "deck.nw"))
    run = load_reference(done.folder)
    truth = truth_of(run, magnus=case.magnus)
    # The last point's own step is made, and counted, too.
    builds = round(int(run.builds[-1]) * len(run.time) / (len(run.time) - 1))
    entry = Entry(
        "PySCF engine",
        "reference steps",
        0.0,
        builds,
        0,
        done.wall,
        done.cpu,
        done.peak,
        score(truth, truth.dipole),
        None,
        done.sources,
    )
    return _Known(done, run, truth, entry)


def time_round(measured: Measured, plan: Plan, number: int) -> Round:
    """One round: each reference code over the first steps, each hybrid that there is over the whole run."""
    case = measured.case
    found = Round({}, {}, {}, {})
    for engine in plan.engines:
        try:
            timing = time_engine(case, plan, engine, f"rounds/{number}-{engine}")
        except PieceFailed as error:
            found.missing[engine] = str(error)
            plan.say(f"left out: {engine}: {error}")
            continue
        found.timings[engine] = timing
        found.cpu[engine] = timing.seconds(case.n_steps)
        found.wall[engine] = found.cpu[engine] * timing.other
    for surrogate in plan.surrogates:
        if f"hybrid, {surrogate}" in measured.missing:
            continue
        try:
            done = _hybrid_run(case, plan, surrogate, plan.tolerances[0], f"rounds/{number}-{surrogate}")
        except PieceFailed as error:
            found.missing[f"hybrid, {surrogate}"] = str(error)
            continue
        found.cpu[f"hybrid, {surrogate}"], found.wall[f"hybrid, {surrogate}"] = done.cpu, done.wall
    return found


def time_engine(case: Case, plan: Plan, engine: str, name: str) -> Timing:
    """The first steps of a case by a reference code. Raises PieceFailed."""
    n_timed = min(plan.timed_steps, case.n_steps)
    try:
        piece = timing_piece(engine, case, n_timed, plan.nwchem, f"{case.name}/{name}")
    except BenchError as error:
        raise PieceFailed(str(error)) from error
    return read_timing(run_piece(plan.work, piece, plan.sources, plan.say))


def nwchem_entry(measured: Measured, timing: Timing) -> Entry:
    """NWChem on a case: seconds and Fock builds extrapolated, the error over the points it made."""
    truth, n_steps = measured.truth, measured.case.n_steps
    k = min(len(timing.time), len(truth.time))
    error = trajectory_error(timing.dipole[:k], truth.dipole[:k])
    cpu = timing.seconds(n_steps)
    return Entry(
        "NWChem",
        f"error over {k} points",
        0.0,
        round(timing.builds * n_steps) if math.isfinite(timing.builds) else None,
        0,
        cpu * timing.other,
        cpu,
        timing.peak,
        Score(error, math.nan, math.nan, (), math.nan),
        None,
        "",
    )


def run_hybrid(case: Case, plan: Plan, surrogate: str, tolerance: float) -> tuple[Done, dict[str, Any]]:
    """A whole run of a case by the command, and its summary. Raises PieceFailed."""
    done = _hybrid_run(case, plan, surrogate, tolerance, f"hybrid-{surrogate}-{tolerance:g}")
    return done, _trajectory(case, done)[0]


def _piece(case: Case, plan: Plan, name: str, command: Sequence[str], text: str | None = None) -> Done:
    piece = Piece(f"{case.name}/{name}", {"deck.nw": text or case.text}, command)
    return run_piece(plan.work, piece, plan.sources, plan.say)


def _hybrid_run(case: Case, plan: Plan, surrogate: str, tolerance: float, name: str) -> Done:
    options = ("--surrogate", surrogate, "--tol", f"{tolerance:g}", "--save-density", "0")
    return _piece(case, plan, name, python("commands.propagate", "deck.nw", *options))


def _hybrid(surrogate: str, tolerance: float, case: Case, plan: Plan, known: _Known) -> list[Entry]:
    done = _hybrid_run(case, plan, surrogate, tolerance, f"hybrid-{surrogate}-{tolerance:g}")
    summary, _, dipole = _trajectory(case, done)
    entry = Entry(
        f"hybrid, {surrogate}",
        f"--tol {tolerance:g}",
        tolerance,
        int(summary["fock_builds"]),
        int(summary["mean_field_builds"]),
        done.wall,
        done.cpu,
        done.peak,
        score(known.truth, dipole),
        float(summary["estimated_error"]),
        done.sources,
    )
    return [entry]


def _larger_step(factor: int, case: Case, plan: Plan, known: _Known) -> list[Entry]:
    """The run with a larger time step, splined onto the reference's points.

    A kick acts through the whole first step; that its middle comes later is taken back.
    """
    try:
        text = with_larger_step(case, factor, plan.work / "decks")
    except (BenchError, DeckError) as error:
        raise PieceFailed(str(error)) from error
    options = ("--surrogate", "none", "--save-density", "0")
    command = python("commands.propagate", "deck.nw", *options)
    done = _piece(case, plan, f"larger-step-{factor}", command, text)
    summary, time, dipole = _trajectory(case, done)
    late = 0.5 * (factor - 1) * case.dt if case.kicked and case.magnus else 0.0
    at = known.truth.time
    moved = CubicSpline(time - late, dipole, axis=0)(at)
    moved[at <= time[0] - late] = dipole[0]
    entry = Entry(
        "larger step",
        f"dt × {factor}",
        factor,
        int(summary["fock_builds"]),
        0,
        done.wall,
        done.cpu,
        done.peak,
        score(known.truth, moved),
        None,
        done.sources,
    )
    return [entry]


def _nwchem_excitations(case: Case, plan: Plan, known: _Known) -> list[Entry]:
    """The lowest excitations by NWChem's own linear response."""
    piece = Piece(
        f"{case.name}/nwchem-tddft",
        {"deck.nw": excitation_deck(case.text)},
        (*shlex.split(plan.nwchem), "deck.nw"),
    )
    done = run_piece(plan.work, piece, plan.sources, plan.say)
    found = read_excitations((done.folder / "log").read_text(encoding="utf-8", errors="replace"))
    if not len(found.energies):
        raise PieceFailed(f"{done.folder}: no roots in NWChem's log")
    run = known.run
    entry = Entry(
        "NWChem's tddft",
        f"{len(found.energies)} excitations",
        0.0,
        None,
        0,
        done.wall,
        done.cpu,
        done.peak,
        score(known.truth, run.dipole[0] + induced_dipole(found, run.field, case.dt)),
        None,
        done.sources,
    )
    return [entry]


def _baseline(method: str, case: Case, plan: Plan, known: _Known) -> list[Entry]:
    """A method of `extrapolated` at every length that it was given."""
    reference = known.done
    folder = f"{{folder}}/{reference.folder.relative_to(plan.work)}"
    done = _piece(case, plan, method, python("bench.worker", method, "deck.nw", folder))
    points = from_rows(json.loads((done.folder / "result.json").read_text(encoding="utf-8")))
    if not points and method == "pade":
        raise PieceFailed("no delta kick, so no absorption spectrum")
    if not points:
        raise PieceFailed("the field acts nearly to the end of the run: no stretch to learn from")
    peak = done.peak if method == "linear-response" else max(done.peak, reference.peak)
    return [_trained_entry(TRAINED[method], point, peak, done.sources) for point in points]


def _trained_entry(name: str, point: CurvePoint, peak: int, sources: str) -> Entry:
    setting = f"first {point.knob} points" if point.knob else ""
    return Entry(
        name,
        ", ".join(part for part in (setting, point.chosen) if part),
        point.knob,
        point.builds if point.knob else None,
        0,
        point.wall,
        point.cpu,
        peak,
        point.score,
        None,
        sources,
    )


def _trajectory(case: Case, done: Done) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Summary, time and dipole of a run of the command."""
    summary = json.loads((done.folder / f"{case.prefix}.json").read_text(encoding="utf-8"))
    with open_hdf5(done.folder / f"{case.prefix}.h5") as file:
        time, dipole = (np.array(file[f"dynamics/{name}"], float) for name in ("time", "dipole"))
    return summary, time, dipole
