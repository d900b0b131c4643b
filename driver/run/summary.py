"""What a run leaves beside its trajectory: `<start>.json`, counts, seconds and errors, and `<start>.png`."""

import datetime
import importlib.metadata
import json
import time
from collections.abc import Mapping

import numpy as np

from ...adapters.files.trajectory import Contents
from ...atomic.threads import threads_in_use
from ...atomic.whole_file import write_whole
from ..answer.as_json import lines_json, roots_json
from ..estimate.statement import CONFIDENCE, Sums
from ..loop.backend import Backend
from ..loop.controller import Ledger, Target
from ..loop.problem import Problem, dipole_norm
from ..loop.progress import Progress
from ..page.speed import LEAST_BUILDS, reference_range, speed_range
from ..pictures.run_figure import draw_run
from ..reporters.about import about
from ..spectra.kicked_runs import FinishedRun
from ..spectra.lines import AbsorptionLine, KickedRun, absorption_lines
from ..spectra.spectrum import SpectrumError
from .job import Job
from .machine import command_line, cpu_name
from .setup import Setup


def write_summary(job: Job, setup: Setup, backend: Backend, run: FinishedRun) -> dict[str, object]:
    """Write the figure and `<start>.json`; returns the contents of the latter. Raises OSError."""
    progress, target, contents = setup.progress, setup.hybrid.target, run.contents
    share, absorbed, lines = 1.0, 0.0, None
    if "time" in contents.series:
        absorbed = float(np.ptp(np.asarray(contents.series["energy"])))
        if job.options.alone:
            lines = _lines(run.kicked, progress)
            signals = [] if run.kicked is None else [run.kicked.signal]
            with progress.tally.timed("figure"):
                draw_run(contents, job.stem.name, signals, job.file("png"), lines or ())
        share = dipole_bound(setup.problem, progress.ledger, np.asarray(contents.series["dipole"]))
    wall = time.perf_counter() - job.started
    seconds = progress.tally.seconds
    own = {part: value - setup.earlier.get(part, 0.0) for part, value in seconds.items()}
    nwchem = backend.summary(own, wall)
    surrogate = setup.hybrid.surrogate
    summary = {
        **about(job.task, job.deck.title),
        "deck": str(job.deck.path),
        "engine": job.options.engine,
        "surrogate": job.options.surrogate,
        "steps": progress.tally.reference_steps + progress.tally.surrogate_steps,
        **progress.tally.counts,
        "mean_field_builds": 0 if surrogate is None else surrogate.mean_field_builds,
        # Of a run that was resumed, the clock saw the last part alone.
        **_speed(progress, max(wall, sum(seconds.values())), nwchem),
        **_accuracy(progress, target, share, hybrid=job.options.surrogate != "none"),
        "estimated_energy_error": energy_error(progress, absorbed) if surrogate is not None else 0.0,
        "audits": _audits(contents),
        **({} if lines is None else {"lines": lines_json(lines)}),
        **({} if job.roots is None else {"task_tddft": roots_json(job.roots)}),
        **({} if nwchem is None else {"nwchem": nwchem}),
        "command": command_line(),
        "finished": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "threads": threads_in_use(),
        "versions": {
            name: importlib.metadata.version(name) for name in ("hybrid-propagate", "pyscf", "numpy", "h5py")
        },
    }
    write_whole(job.file("json"), json.dumps(summary, indent=1) + "\n")
    return summary


def _lines(kicked: KickedRun | None, progress: Progress) -> tuple[AbsorptionLine, ...] | None:
    """The lines of this run's kick; None where it was not kicked, or is too short for any."""
    if kicked is None:
        return None
    try:
        with progress.tally.timed("lines"):
            return absorption_lines([kicked])
    except SpectrumError:
        return None


def _speed(progress: Progress, wall: float, nwchem: Mapping[str, object] | None) -> dict[str, object]:
    """Seconds, of the run and of reference steps alone."""
    tally = progress.tally
    steps = tally.reference_steps + tally.surrogate_steps
    per_step, speed = _reference_seconds(progress), None
    if nwchem is not None and isinstance(nwchem["seconds_per_step"], float):
        # The processor's time is NWChem's own there.
        per_step = nwchem["seconds_per_step"]
        speed = speed_range(tally.seconds, (per_step, per_step), steps)
    elif nwchem is None and (found := reference_range(tally)) is not None:
        speed = speed_range(tally.processor, found, steps)
    passes = tally.surrogate_steps + tally.discarded_steps
    alone = None if per_step is None else per_step * steps
    spent = tally.processor.get("surrogate steps", 0.0)
    return {
        "wall_seconds": wall,
        "seconds": tally.seconds,
        "reference_seconds_per_step": per_step,
        "surrogate_seconds_per_step": spent / passes if passes else None,
        "estimated_reference_seconds": alone,
        "processor_seconds": sum(tally.processor.values()),
        "speedup": speed if tally.surrogate_steps else None,
    }


def _accuracy(progress: Progress, target: Target, share: float, *, hybrid: bool) -> dict[str, object]:
    """The stated error; share: how much larger the dipole's can be than the density's (`dipole_bound`)."""
    sums = Sums() if progress.estimate is None else progress.estimate.sums
    stated = sums.stated if hybrid else 0.0
    return {
        "tolerance": target.error if hybrid else None,
        "estimated_error": float(stated),
        "error_confidence": CONFIDENCE if hybrid else None,
        "error_measurements": sums.n_drawn,
        "error_bound": float(share * sums.bound),
        "tolerance_met": bool(stated <= target.error),
    }


def energy_error(progress: Progress, absorbed: float) -> float:
    """Hartree: the drifts of all segments, and the dipole's share of what a field puts in, `absorbed`.

    The work of a field is its strength times the change of the dipole, and as wrong as that.
    """
    stated = 0.0 if progress.estimate is None else progress.estimate.sums.stated
    return float(progress.energy_drift + stated * absorbed)


def _audits(contents: Contents) -> list[dict[str, float]]:
    control = contents.control
    rows = np.flatnonzero(control.get("event_kind", np.zeros(0, "S8")) == b"audit")
    return [
        {
            "time": float(control["event_time"][row]),
            "relative_density_difference": float(control["event_residual"][row]),
            "fock_builds": int(control["event_fock_builds"][row]),
        }
        for row in rows
    ]


def dipole_bound(problem: Problem, ledger: Ledger, dipole: np.ndarray) -> float:
    """|D| rms|δP| / rms|δμ|, from |Tr D X| ≤ |D| |X| for an error X between occupied and empty orbitals.

    dipole: (k, 3) along the run.
    """
    induced = float(np.sqrt(np.mean(np.sum((dipole - dipole[0]) ** 2, axis=1))))
    if induced == 0.0 or ledger.n_points == 0:
        return 1.0
    return max(1.0, dipole_norm(problem) * float(np.sqrt(ledger.change_moment / ledger.n_points)) / induced)


def _reference_seconds(progress: Progress) -> float | None:
    """Seconds of one reference step: measured on those made, else from the anchors' Fock builds."""
    tally = progress.tally
    seconds = tally.seconds.get("reference steps", 0.0) + tally.seconds.get("audits", 0.0)
    if tally.reference_steps:
        return seconds / tally.reference_steps
    if tally.anchors:
        return LEAST_BUILDS * tally.seconds["anchors"] / tally.anchors
    return None
