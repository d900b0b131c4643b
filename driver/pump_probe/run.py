"""A pump and its probes from deck to map. Started again, it goes on: what has a file is not made again."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...adapters.files.run_lock import locked
from ...adapters.regular_file import read_regular
from ...atomic.errors import BadInput
from ...atomic.terminal import may_be_live
from ...atomic.whole_file import write_whole
from ..loop.problem import Problem
from ..propagators.state import State
from ..reporters.phase import phase
from ..run.check import check_deck
from ..run.options import Options, fingerprint
from .change import PumpProbeMap, make_map
from .course import Course, begin_course, go_on
from .learn import TaughtModel, learn
from .map_files import write_map
from .model import PumpModel, open_model, pump_file, teach, teaching_deck
from .plan import PumpPlan
from .probe_file import course_arrays, course_of, key_of, read_kept, write_kept
from .tangent import Points, Sighting, sighting_of
from .told import last_lines, told
from .trajectories import (
    Probed,
    branch,
    plain,
    probe_course,
    probed,
    pump_course,
    pump_error,
    shadowed,
)

#: Seconds between two checkpoints of reference steps.
CHECKPOINT_SECONDS = 3.0
#: Of the note of how the work was begun.
_MOST_BYTES = 2**20


class OtherSettings(BadInput):
    """The folder holds work of other settings. One line."""


@dataclass(frozen=True, eq=False)
class Work:
    """One pump with its probes.

    plan: what is asked for.
    options: of the runs.
    folder: of all files but the map's.
    tau, highest: damping, au, and highest energy, eV, of the map.
    stopping: whether the user has asked for an end.
    """

    plan: PumpPlan
    options: Options
    folder: Path
    tau: float
    highest: float
    stopping: Callable[[], bool]

    @property
    def settings(self) -> dict[str, str]:
        """What shapes every trajectory, as text by name."""
        plan = self.plan
        found = fingerprint(plan.task, self.options)
        return {
            **found,
            "probe": plan.probe.name,
            "window": f"{plan.n_window} steps",
            "tmax": f"{plan.task.real_time.tmax:g}",
        }


def work_folder(plan: PumpPlan) -> Path:
    """Where the trajectories of a pump and its probes lie; the map's files have its name, and an end."""
    return plan.deck.permanent_dir / f"{plan.deck.prefix}_pump_probe"


def run_pump_probe(work: Work) -> PumpProbeMap | None:
    """Make or finish everything; None where `stopping` ended it early.

    Raises OtherSettings, FolderInUse, what `run_deck` raises, NoFixedPoint, SpectrumError, OSError.
    """
    began = time.process_time()
    work.folder.mkdir(parents=True, exist_ok=True)
    with locked([work.folder.with_name(f"{work.folder.name}.lock")]):
        _claim(work)
        made = _by_reference(work) if work.options.surrogate == "none" else _by_surrogate(work)
        if made is None:
            return None
        found = make_map(work.plan, made.alone, made.probes, work.tau, work.highest)
        seconds = time.process_time() - began
        about = told(work.plan, work.options, found, made.counts, seconds)
        write_map(work.folder, found, work.plan.deck.title, about)
        for line in last_lines(about, found, work.options.tolerance):
            print(f"  {line}", file=sys.stderr)
        return found


@dataclass(frozen=True, eq=False)
class _Made:
    """All trajectories; counts: Fock builds and the pump's stated error by name."""

    alone: Probed
    probes: list[Probed]
    counts: Mapping[str, object]


def _claim(work: Work) -> None:
    """Refuse a folder of other settings. Raises OtherSettings."""
    note = work.folder / "settings.json"
    if note.exists():
        try:
            before = dict(json.loads(read_regular(note, _MOST_BYTES)))
        except (OSError, ValueError, TypeError) as error:
            raise OtherSettings(
                f"{note}: cannot be read ({error}); remove the folder {work.folder}"
            ) from error
        changed = [name for name in work.settings if before.get(name) != work.settings[name]]
        if changed:
            raise OtherSettings(
                f"{work.folder}: made with other settings of {', '.join(changed)}; restore them, "
                "or remove or rename the folder"
            )
        return
    write_whole(note, json.dumps(work.settings, indent=1) + "\n")


def _by_surrogate(work: Work) -> _Made | None:
    plan, stopping = work.plan, work.stopping
    deck = teaching_deck(plan, work.folder)
    if not teach(deck, work.options, stopping):
        return None
    model = open_model(plan, deck, work.options, stopping)
    _check_memory(work, model)
    learned = _learned(work, model)
    if learned is None:
        return None
    # Other delays may have another model: its files tell by the model's points.
    key = key_of(work.settings, [one.step for one in learned.points.found], _digest(learned.points.found))

    def make(number: int | None) -> Probed | None:
        course = probe_course(model, number, learned.pumped.course, stopping)
        if course is None:
            return None
        return probed(model, number, learned.pumped, course, learned.points, stopping)

    made = _probes(work, model, key, make)
    if made is None:
        return None
    pump = json.loads(read_regular(pump_file(deck, ".json"), _MOST_BYTES))
    counts = {
        "fock_builds_pump": pump["fock_builds"],
        "fock_builds_learning": model.builds,
        "pump_error": max(pump["estimated_error"], pump_error(learned.pumped)),
    }
    return _Made(made[0], made[1:], counts)


def _check_memory(work: Work, model: PumpModel) -> None:
    """Raise BadInput where the densities of the pump and its shadow do not fit."""
    needed = 2.0 * model.problem.ground_density.astype(complex).nbytes * (model.problem.n_steps + 1)
    if needed > work.options.memory:
        raise BadInput(
            f"the densities of the pump take {needed / 1e6:.0f} MB; accepted: a larger --memory, a shorter "
            "tmax, or --surrogate none"
        )


def _learned(work: Work, model: PumpModel) -> TaughtModel | None:
    """The surrogate, taught; by an earlier process, as far as that came."""
    path, plan = work.folder / "learned.h5", work.plan
    key = key_of(work.settings, plan.delays)
    surrogate = model.surrogate
    assert surrogate is not None
    kept = read_kept(path, key)
    rounds = 0
    if kept is not None:
        lead = "surrogate/"
        surrogate.load(
            {name.removeprefix(lead): a for name, a in kept.arrays.items() if name.startswith(lead)}
        )
        rounds, model.builds = (int(kept.arrays[name]) for name in ("rounds", "builds"))

    def keep(rounds: int, found: tuple[Sighting, ...] = ()) -> None:
        arrays = {f"surrogate/{name}": array for name, array in surrogate.save().items()}
        arrays |= {"rounds": np.array(rounds), "builds": np.array(model.builds), **_packed(found)}
        write_kept(path, key, arrays, complete=bool(found))

    with phase(f"{work.folder.name}: learning", live=may_be_live(uses_stdout=False)) as tell:
        if kept is not None and kept.complete:
            pump = pump_course(model, work.stopping)
            points = Points(_unpacked(model, kept.arrays), rounds - 1)
            pumped = None if pump is None else shadowed(model, pump, points, work.stopping)
            return None if pumped is None else TaughtModel(pumped, points)
        learned = learn(model, rounds, work.stopping, keep, lambda words: tell(words, 0.0))
    if learned is not None:
        keep(learned.points.tries + 1, learned.points.found)
    return learned


def _probes(
    work: Work, model: PumpModel, key: str, make: Callable[[int | None], Probed | None]
) -> list[Probed] | None:
    """The probe without a pump, then all with it, each from its file or made; None where stopped."""
    found: list[Probed] = []
    delays = work.plan.delays
    with phase(f"{work.folder.name}: probes", live=may_be_live(uses_stdout=False)) as tell:
        for number in (None, *range(len(delays))):
            path = probe_path(work, number)
            own = key_of(key, "alone" if number is None else float(delays[number]))
            kept = read_kept(path, own)
            if kept is not None and kept.complete:
                arrays = kept.arrays
                model.builds += int(arrays["builds"])
                found.append(Probed(arrays["signal"], arrays["shadow"], float(arrays["unseen"])))
                continue
            before = model.builds
            one = make(number)
            if one is None:
                return None
            arrays = {"signal": one.signal, "shadow": one.shadow, "unseen": np.array(one.unseen)}
            arrays["builds"] = np.array(model.builds - before)
            write_kept(path, own, arrays, complete=True)
            found.append(one)
            tell(f"{len(found)} of {len(delays) + 1}", len(found) / (len(delays) + 1))
    return found


def probe_path(work: Work, number: int | None) -> Path:
    """The file of one probe."""
    name = "alone" if number is None else f"delay_{work.plan.delays[number]:.10g}"
    return work.folder / f"{name}.h5"


def _by_reference(work: Work) -> _Made | None:
    """Reference steps alone: no surrogate, and nothing to state."""
    plan = work.plan
    deck = teaching_deck(plan, work.folder)
    check_deck(deck, "pyscf", None)
    model = open_model(plan, deck, work.options, work.stopping)
    last = int(plan.branches[-1]) + plan.n_window
    branches = set(plan.branches.tolist())
    pump = _reference_course(work, model, "pump", (model.problem, model.start(model.problem)), last, branches)
    if pump is None:
        return None
    builds = model.builds

    def make(number: int | None) -> Probed | None:
        problem, state = branch(model, number, pump)
        name = probe_path(work, number).stem
        course = _reference_course(
            work, model, f"{name}_steps", (problem, state), state.step + plan.n_window, set()
        )
        if course is None:
            return None
        n = plan.n_window + 1
        without = (
            np.array(pump.dipole[course.first : course.first + n]) if number is not None else course.dipole[0]
        )
        signal = np.array(course.dipole) - without
        return Probed(signal, signal, 0.0)

    made = _probes(work, model, key_of(work.settings), make)
    if made is None:
        return None
    for path in work.folder.glob("*_steps.h5"):
        path.unlink()
    counts = {"fock_builds_pump": builds, "fock_builds_probes": model.builds - builds, "pump_error": 0.0}
    return _Made(made[0], made[1:], counts)


def _reference_course(
    work: Work,
    model: PumpModel,
    name: str,
    start: tuple[Problem, State],
    last: int,
    branches: set[int],
) -> Course | None:
    """A trajectory by reference steps up to step `last`, from its file or the start; None where stopped."""
    problem, state = start
    path, own = work.folder / f"{name}.h5", key_of(work.settings, name, sorted(branches), last)
    kept = read_kept(path, own)
    course = begin_course(problem, state) if kept is None else course_of(kept.arrays)
    before = model.builds
    if kept is not None:
        model.builds += int(kept.arrays["builds"])
        if kept.complete:
            return course
    saved = time.monotonic()

    def save(*, complete: bool) -> None:
        write_kept(
            path, own, {**course_arrays(course), "builds": np.array(model.builds - before)}, complete=complete
        )

    def pause() -> bool:
        nonlocal saved
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save(complete=False)
            saved = time.monotonic()
        return work.stopping()

    done = go_on(problem, plain(model), course, last, branches, pause)
    save(complete=done)
    return course if done else None


def _packed(found: tuple[Sighting, ...]) -> dict[str, np.ndarray]:
    """Points measured, as arrays."""
    if not found:
        return {}
    return {
        "point_step": np.array([one.step for one in found]),
        "point_alone": np.array([one.base is None for one in found]),
        "point_densities": np.array([(one.pump, one.density) for one in found]),
        "point_focks": np.array([(one.pump_fock, one.fock) for one in found]),
    }


def _unpacked(model: PumpModel, arrays: Mapping[str, np.ndarray]) -> tuple[Sighting, ...]:
    names = ("point_step", "point_alone", "point_densities", "point_focks")
    return tuple(
        sighting_of(model, int(step), (pair[0], pair[1]), None if alone else focks[0], focks[1])
        for step, alone, pair, focks in zip(*(arrays[name] for name in names), strict=True)
    )


def _digest(found: tuple[Sighting, ...]) -> str:
    """Of the points measured: another model has other ones."""
    return key_of(*(float(np.abs(one.fock).sum()) for one in found))
