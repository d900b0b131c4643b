"""What a run leaves beside its trajectory: `<start>.json`, counts, seconds and errors, and `<start>.png`."""

import datetime
import importlib.metadata
import json
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import read_contents
from ...adapters.files.whole_file import write_whole
from ..loop.controller import Ledger, Target
from ..loop.hybrid import Progress, saved_tally
from ..loop.problem import Problem
from ..pictures.plot import RunPicture, plot_run
from ..spectra.signals import read_signals
from ..spectra.spectrum import DAMPING, SpectrumError, absorption
from .machine import command_line, cpu_name, thread_count

#: Fock builds of a reference step where none was made: NWChem's least.
LEAST_BUILDS = 2.0


def write_summary(
    path: Path,
    deck: str,
    engine: str,
    surrogate: str,
    progress: Progress,
    target: Target,
    audits: list[dict[str, float]],
    wall_seconds: float,
    mean_field_builds: int,
    dipole_share: float,
    nwchem: dict[str, object] | None = None,
) -> dict[str, object]:
    """Write `<start>.json`; returns its contents.

    dipole_share: how much larger the dipole's relative error can be than the density's (`dipole_bound`).
    nwchem: what its session tells, where it was the reference (`NWChemSession.summary`).
    """
    tally, ledger, seconds = progress.tally, progress.ledger, progress.tally.seconds
    steps = tally.reference_steps + tally.surrogate_steps
    per_step = _reference_seconds(progress)
    if nwchem is not None and isinstance(nwchem["seconds_per_step"], float):
        per_step = nwchem["seconds_per_step"]
    passes = tally.surrogate_steps + tally.discarded_steps
    hybrid = surrogate != "none"
    estimate = ledger.spent if hybrid else 0.0
    # Of a run that was resumed, the clock saw the last part alone.
    wall_seconds = max(wall_seconds, sum(seconds.values()))
    contents: dict[str, object] = {
        "deck": deck,
        "engine": engine,
        "surrogate": surrogate,
        "steps": steps,
        **saved_tally(tally),
        "mean_field_builds": mean_field_builds,
        "wall_seconds": wall_seconds,
        "seconds": seconds,
        "reference_seconds_per_step": per_step,
        "surrogate_seconds_per_step": seconds.get("surrogate steps", 0.0) / passes if passes else None,
        "estimated_reference_seconds": per_step * steps if per_step is not None else None,
        "speedup": per_step * steps / wall_seconds if per_step is not None and wall_seconds > 0.0 else None,
        "tolerance": target.error if hybrid else None,
        "estimated_error": float(estimate),
        "error_bound": float(dipole_share * ledger.bound) if hybrid else 0.0,
        "tolerance_met": bool(not hybrid or estimate <= target.error),
        "audits": audits,
        **({} if nwchem is None else {"nwchem": nwchem}),
        "command": command_line(),
        "finished": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "threads": thread_count(),
        "versions": {
            name: importlib.metadata.version(name) for name in ("hybrid-propagate", "pyscf", "numpy", "h5py")
        },
    }
    write_whole(path, json.dumps(contents, indent=1) + "\n")
    return contents


def dipole_bound(problem: Problem, ledger: Ledger, dipole: np.ndarray) -> float:
    """|D| rms|δP| / rms|δμ|, from |Tr D X| ≤ |D| |X| for an error X between occupied and empty orbitals.

    dipole: (k, 3) along the run.
    """
    induced = float(np.sqrt(np.mean(np.sum((dipole - dipole[0]) ** 2, axis=1))))
    if induced == 0.0 or ledger.n_points == 0:
        return 1.0
    occupied = np.diagonal(np.real(problem.ground_density), axis1=1, axis2=2) > 1e-6
    pairs = occupied[:, :, None] != occupied[:, None, :]
    matrices = [
        problem.basis.fock_in(np.broadcast_to(d, problem.ground_build.fock.shape))
        for d in problem.engine.integrals.dipole
    ]
    size = float(np.sqrt(sum(np.sum((d * pairs) ** 2) for d in matrices)))
    return max(1.0, size * float(np.sqrt(ledger.change_moment / ledger.n_points)) / induced)


def draw(trajectory: Path, picture: Path, title: str, allowed: float) -> None:
    """The run's figure from its trajectory file. Raises OSError."""
    contents = read_contents(trajectory)
    series, control = contents.series, contents.control
    time = np.asarray(series["time"])
    kinds = [k.decode() for k in control.get("segment_kind", np.zeros(0))]
    starts = np.asarray(control.get("segment_step", np.zeros(0, int)))
    counts = np.asarray(control.get("segment_steps", np.zeros(0, int)))
    dt = float(np.asarray(contents.attributes["dt"]))
    event_kinds = np.array([k.decode() for k in control.get("event_kind", np.zeros(0))])
    event_times = np.asarray(control.get("event_time", np.zeros(0)))
    residuals = np.asarray(control.get("event_residual", np.zeros(0)))
    anchored = event_kinds == "anchor"
    spread = np.asarray(series["spread"])
    shown = spread > 0.0
    try:
        spectrum = absorption(read_signals(trajectory), DAMPING, 40.0)
    except SpectrumError:
        spectrum = None
    plot_run(
        RunPicture(
            title=title,
            time=time,
            dipole=np.asarray(series["dipole"]),
            segments=[
                (dt * s, dt * (s + n), kind == "surrogate")
                for s, n, kind in zip(starts, counts, kinds, strict=True)
            ],
            spread=np.stack([time[shown], spread[shown]], axis=1),
            residual=np.stack([event_times[anchored], residuals[anchored]], axis=1),
            allowed=allowed,
            anchors=event_times[anchored],
            audits=event_times[event_kinds == "audit"],
            rejections=event_times[event_kinds == "rejection"],
            spectrum=spectrum,
        ),
        picture,
    )


def _reference_seconds(progress: Progress) -> float | None:
    """Seconds of one reference step: measured on those made, else from the anchors' Fock builds."""
    tally = progress.tally
    seconds = tally.seconds.get("reference steps", 0.0) + tally.seconds.get("audits", 0.0)
    if tally.reference_steps:
        return seconds / tally.reference_steps
    if tally.anchors:
        return LEAST_BUILDS * tally.seconds["anchors"] / tally.anchors
    return None
