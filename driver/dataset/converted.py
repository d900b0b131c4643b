"""An NWChem run, from its deck, log and restart records, as our own files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck, PropagationTask
from ...adapters.deck.reader import read_deck
from ...adapters.files.trajectory import TrajectoryFile
from ...adapters.log.reader import LogError, RunLog, read_log
from ...adapters.nwchem.basis_order import density_from_nwchem, nwchem_order
from ...adapters.nwchem.rt_restart import RestartPoint
from ...adapters.nwchem.rt_restart_records import read_records
from ...adapters.system.real_time import applied_field
from ...atomic.errors import BadInput
from ...surrogate.samples.pairs_file import KINDS, SPLITS, write_pairs
from ...surrogate.samples.sampling import Point, respond, solve_point
from ..reporters.stored_run import stored_run
from .samples import geometry_arrays, response_pairs

#: Times in logs have five decimals.
_SAME_TIME = 1e-5
#: |tr PS − N| and |μ[P] − μ of the log| above these mean that the files do not belong together, au.
_TRACE, _DIPOLE = 1e-5, 1e-5
#: Changes of the density below this are not paired: ten digits of P leave nothing of them.
_LEAST_CHANGE = 1e-5


class ConversionError(BadInput):
    """Files that do not belong together. One line."""


def convert_run(
    deck_path: Path,
    log_path: Path,
    records: Sequence[Path],
    tag: str | None,
    n_pairs: int,
    output: Path | None,
) -> Iterator[str]:
    """Write the trajectory file and `n_pairs` response pairs; yields a line on each file written.

    Raises DeckError, LogError, RestartError, ConversionError, NotConverged, OSError.
    """
    deck = read_deck(deck_path)
    task, run = _matching(deck, deck_path, read_log(log_path), log_path, tag)
    system, real_time = task.system, task.real_time
    points = read_records(records, system.n_spin, system.n_basis)
    density = run.find("Dipole moment", system.geometry.name, None)
    rows = [int(np.argmin(np.abs(density.time - point.time))) for point in points]
    kept = [
        (row, point)
        for row, point in zip(rows, points, strict=True)
        if abs(density.time[row] - point.time) < _SAME_TIME
    ]
    if not kept:
        raise ConversionError(f"{log_path}: no point of the restart records has its time in the log")
    solved = solve_point(system)
    order = nwchem_order(system)
    densities = np.array([density_from_nwchem(point.densities, order) for _, point in kept])
    _check(solved, densities, density.values[[row for row, _ in kept]], [point for _, point in kept])
    path = output or Path(f"{deck.prefix}.h5")
    store = TrajectoryFile(
        path, stored_run(task, deck.title, solved.engine, {"converted": f'"{log_path.name}"'}, {})
    )
    energy = _total_energy(run, density.time)
    store.add_points(
        {
            "time": density.time,
            "dipole": density.values,
            "field": np.array([applied_field(real_time, t) for t in density.time]),
            "energy": energy,
            "spread": np.zeros(len(density.time)),
            "surrogate": np.zeros(len(density.time), np.int8),
            "density_real": np.real(densities).astype(np.float32),
            "density_imag": np.imag(densities).astype(np.float32),
            "density_step": np.array([row for row, _ in kept], np.int32),
        }
    )
    store.commit({}, complete=True, start=True)
    yield f"{path}: {len(density.time)} points, {len(kept)} densities"
    if n_pairs:
        beside = path.with_name(f"{path.stem}_pairs.h5")
        yield f"{beside}: {_write_pairs(beside, deck, solved, densities, n_pairs)} pairs"


def _matching(
    deck: Deck, deck_path: Path, runs: list[RunLog], log_path: Path, tag: str | None
) -> tuple[PropagationTask, RunLog]:
    """The deck's propagation and the log's run of one tag."""
    tasks = [task for task in deck.tasks if isinstance(task, PropagationTask)]
    tags = [task.real_time.tag.strip() for task in tasks]
    if tag is None and len(tasks) > 1:
        raise ConversionError(f"{deck_path}: several propagations, say which: --tag {' or '.join(tags)}")
    if tag is not None and tag.strip() not in tags:
        raise ConversionError(
            f"{deck_path}: no propagation has the tag {tag!r}; there are: {', '.join(tags)}"
        )
    task = tasks[0] if tag is None else tasks[tags.index(tag.strip())]
    wanted = task.real_time.tag.strip()
    fitting = [run for run in runs if run.tag.strip() == wanted]
    if not fitting:
        there = ", ".join(run.tag for run in runs)
        raise LogError(f"{log_path}: no lines with the deck's tag {wanted!r}; there are: {there}")
    return task, fitting[-1]


def _check(point: Point, densities: np.ndarray, dipoles: np.ndarray, records: list[RestartPoint]) -> None:
    """tr PS = N, and the dipole from P against that of the log."""
    mol, integrals = point.engine.mol, point.engine.integrals
    total = np.real(densities).sum(axis=1)
    numbers = np.einsum("pij,ji->p", total, integrals.overlap)
    for number, record in zip(numbers, records, strict=True):
        if abs(number - mol.nelectron) > _TRACE:
            raise ConversionError(
                f"the density of t = {record.time:.5f} au has {number:.6f} electrons, not {mol.nelectron}"
            )
    nuclear = mol.atom_charges() @ mol.atom_coords()
    own = nuclear - np.einsum("xij,pji->px", integrals.dipole, total)
    apart = np.abs(own - dipoles).max(axis=1)
    if apart.max() > _DIPOLE:
        record = records[int(apart.argmax())]
        raise ConversionError(
            f"the density of t = {record.time:.5f} au has a dipole moment {apart.max():.2e} au off the log's"
        )


def _total_energy(run: RunLog, time: np.ndarray) -> np.ndarray:
    """Etot at the times of the dipole, NaN where the log has none."""
    energies = np.full(len(time), np.nan)
    series = [series for key, series in run.series.items() if key.name == "Etot"]
    if series:
        row = np.searchsorted(series[0].time, time - _SAME_TIME).clip(max=len(series[0].time) - 1)
        found = np.abs(series[0].time[row] - time) < _SAME_TIME
        energies[found] = series[0].values[row[found], 0]
    return energies


def _write_pairs(path: Path, deck: Deck, point: Point, densities: np.ndarray, most: int) -> int:
    inside = point.basis.density_in(densities)
    changes = np.linalg.norm((inside - point.density).reshape(len(inside), -1), axis=1)
    chosen = np.flatnonzero(changes > _LEAST_CHANGE)
    if len(chosen) == 0:
        raise ConversionError(f"{path}: not written: no density of the records differs from the ground state")
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(most, len(chosen))).astype(int)]
    change, fock, kernel = respond(point, inside[chosen])
    kinds = np.full(len(chosen), KINDS.index("trajectory"), np.int8)
    arrays = {**geometry_arrays(point), "kind": kinds, "change": change, "response": fock}
    if kernel is not None:
        arrays["kernel"] = kernel
    attributes = {"molecule": deck.prefix, "basis": "deck", "held_out": False, "seed": 0}
    split = np.array([SPLITS.index("train")], np.int8)
    write_pairs(path, response_pairs(point.system, attributes, [arrays], split))
    return len(chosen)
