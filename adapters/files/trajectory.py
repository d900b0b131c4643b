"""The trajectory file, `<start>.h5`: time points, decisions, and the checkpoint to go on from.

Every commit writes a new file beside the old one and renames it: whatever moment a run is killed at, the file
is whole, and holds the trajectory up to its checkpoint, with a checksum at its end. Groups: geometry, basis,
matrices, ground (orbitals), dynamics (one row a point), control (one row a segment or decision), checkpoint
(propagator, surrogate and controller in double precision).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ...atomic.errors import BadInput
from ...atomic.whole_file import whole_file
from ..system import System
from ..system.geometry import ANGSTROM_PER_BOHR
from .checksum import check_seal, seal, write_sealed
from .meanings import describe
from .plain_hdf5 import open_hdf5, open_own_hdf5
from .read_errors import reason

#: Rows of one chunk of the growing datasets.
_CHUNK_ROWS = 256

#: Series that a file has where the deck prints them, or where it is not of an earlier version.
OPTIONAL = ("occupations", "charges", "magnetic_dipole")

#: Series of all files, with the shape of a row.
_WIDTHS = {"time": (), "dipole": (3,), "field": (3,), "energy": ()}

#: Files up to this size, bytes, are put together in memory.
_IN_MEMORY = 2**28


class TrajectoryError(BadInput):
    """A trajectory file that cannot be read or does not fit. One line."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What an existing file holds.

    attributes: those of the file, settings included; series, control, checkpoint, ground: arrays by name.
    """

    attributes: Mapping[str, object]
    series: Mapping[str, np.ndarray]
    control: Mapping[str, np.ndarray]
    checkpoint: Mapping[str, np.ndarray]
    ground: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Fixed:
    """What does not change over a run.

    attributes: molecule, n_atoms, ... as the format asks; arrays: by path in the file (`geometry/positions`).
    """

    attributes: Mapping[str, object]
    arrays: Mapping[str, np.ndarray]


def fixed_part(
    system: System,
    overlap: np.ndarray,
    core: np.ndarray,
    basis_rows: np.ndarray,
    attributes: Mapping[str, object],
) -> Fixed:
    """Geometry, basis and matrices of a system.

    basis_rows: (n_basis, 3) int: atom, l, m of each function (m counts cartesian components where those are
    used).
    """
    geometry = system.geometry
    return Fixed(
        {
            "molecule": "".join(geometry.tags),
            "n_atoms": geometry.n_atoms,
            "n_electrons": sum(system.electrons),
            "n_basis": len(overlap),
            "charge": system.charge,
            "multiplicity": system.multiplicity,
            **attributes,
        },
        {
            "geometry/positions": geometry.positions * ANGSTROM_PER_BOHR,
            "geometry/atomic_numbers": np.asarray(geometry.atomic_numbers, dtype=np.int32),
            "geometry/tags": np.array([tag.encode() for tag in geometry.tags]),
            "basis/atom_index": basis_rows[:, 0].astype(np.int32),
            "basis/angular_momentum": basis_rows[:, 1].astype(np.int32),
            "basis/magnetic_quantum": basis_rows[:, 2].astype(np.int32),
            "matrices/overlap": overlap,
            "matrices/core_hamiltonian": core,
        },
    )


class TrajectoryFile:
    """Rows gathered since the last commit, and the path they go to."""

    def __init__(self, path: Path, fixed: Fixed) -> None:
        self.path, self._fixed = path, fixed
        self._known = _identity(path)
        self._rows: dict[str, list[np.ndarray]] = {}
        self._control: dict[str, list[np.ndarray]] = {}

    def add_points(self, rows: Mapping[str, np.ndarray]) -> None:
        """Rows of `dynamics/<name>`, (k, ...) each."""
        for name, values in rows.items():
            self._rows.setdefault(name, []).append(values)

    def add_control(self, row: Mapping[str, object]) -> None:
        """One row of `control/<name>`."""
        for name, value in row.items():
            self._control.setdefault(name, []).append(np.asarray([value]))

    def commit(self, checkpoint: Mapping[str, np.ndarray], *, complete: bool, start: bool = False) -> None:
        """Write everything so far. start: forget what a file of that name holds.

        Raises OSError, and TrajectoryError where the file is not the one that was written last, or its rows
        have other shapes.
        """
        if not start and _identity(self.path) != self._known:
            raise TrajectoryError(f"{self.path}: replaced or changed by another program; nothing was written")
        large = self.path.exists() and self.path.stat().st_size > _IN_MEMORY
        with whole_file(self.path) as part:
            if large:
                with part.open("r+b") as raw, h5py.File(raw, "w") as new:
                    self._fill(new, checkpoint, complete, start)
                seal(part)
            else:
                # HDF5 reports a full disk once more for every object it closes; plain bytes fail once.
                with h5py.File(part, "w", driver="core", backing_store=False) as new:
                    self._fill(new, checkpoint, complete, start)
                    new.flush()
                    image = new.id.get_file_image()
                write_sealed(part, image)
            descriptor = os.open(part, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        self._known = _identity(self.path)
        self._rows.clear()
        self._control.clear()

    def _fill(
        self, file: h5py.File, checkpoint: Mapping[str, np.ndarray], complete: bool, start: bool
    ) -> None:
        if self.path.exists() and not start:
            with open_own_hdf5(self.path) as old:
                for name in ("dynamics", "control"):
                    if name in old:
                        old.copy(name, file)
        for path, array in self._fixed.arrays.items():
            file[path] = array
        before = _n_points(file)
        try:
            for group, pending in (("dynamics", self._rows), ("control", self._control)):
                for name, values in pending.items():
                    _append(file, f"{group}/{name}", np.concatenate(values))
        except ValueError as error:
            raise TrajectoryError(f"{self.path}: cannot go on: {error}") from error
        _fill_up(file, before)
        for name, array in checkpoint.items():
            file[f"checkpoint/{name}"] = array
        file.attrs.update(self._fixed.attributes)
        file.attrs["n_steps"] = _n_points(file)
        file.attrs["complete"] = complete
        describe(file)


def _n_points(file: h5py.File) -> int:
    times = file.get("dynamics/time")
    return len(times) if isinstance(times, h5py.Dataset) else 0


def _fill_up(file: h5py.File, before: int) -> None:
    """NaN at the points where a quantity was not asked for, which another part of the run has.

    before: points that earlier commits have written.
    """
    n, series = _n_points(file), file.get("dynamics")
    if not isinstance(series, h5py.Group):
        return
    for name in [name for name in series if name in OPTIONAL]:
        rows = np.asarray(series[name])
        if len(rows) < n:
            gap = np.full((n - len(rows), *rows.shape[1:]), np.nan)
            # Rows that came now belong to the points that came now.
            parts = (gap, rows) if len(rows) <= n - before else (rows, gap)
            del series[name]
            _append(file, f"dynamics/{name}", np.concatenate(parts))


def _identity(path: Path) -> tuple[int, ...] | None:
    """What tells a file from any other, and from itself once changed; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _append(file: h5py.File, name: str, values: np.ndarray) -> None:
    if values.dtype.kind == "U":
        values = values.astype("S")
        kind = h5py.string_dtype("ascii", 24)
    else:
        kind = values.dtype
    if name not in file:
        chunks = (max(1, min(_CHUNK_ROWS, 2**20 // max(values[:1].nbytes, 1))), *values.shape[1:])
        file.create_dataset(
            name, data=values.astype(kind, copy=False), maxshape=(None, *values.shape[1:]), chunks=chunks
        )
        return
    dataset = file[name]
    assert isinstance(dataset, h5py.Dataset)
    if dataset.shape[1:] != values.shape[1:]:
        raise ValueError(f"{name} has rows of {dataset.shape[1:]}, where those to add are {values.shape[1:]}")
    n = len(dataset)
    dataset.resize(n + len(values), axis=0)
    dataset[n:] = values.astype(kind, copy=False)


def read_contents(path: Path, *, to_go_on: bool = False, own: bool = False) -> Contents:
    """Everything but the densities and the response.

    to_go_on: what has no checksum will not do. own: this process has written it just now.
    Raises TrajectoryError.
    """
    try:
        if not own:
            check_seal(path, needed=to_go_on)
        with (open_own_hdf5 if own else open_hdf5)(path) as file:

            def arrays(group: str) -> dict[str, np.ndarray]:
                found: dict[str, np.ndarray] = {}
                rows = file.get(group)
                if isinstance(rows, h5py.Group):
                    rows.visititems(
                        lambda name, item: (
                            found.__setitem__(name, item[()])
                            if isinstance(item, h5py.Dataset)
                            and not (group == "dynamics" and name.startswith(("density_", "response_")))
                            else None
                        )
                    )
                return found

            return Contents(
                dict(file.attrs),
                _checked(arrays("dynamics")),
                arrays("control"),
                arrays("checkpoint"),
                arrays("ground"),
            )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise TrajectoryError(f"{path}: not a trajectory file that can be read ({reason(error)})") from error


def _checked(series: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Numbers with a row a point; finite ones where every run has them. Raises ValueError."""
    n = np.shape(series.get("time", ()))[:1]
    for name, rows in series.items():
        found, width = np.asarray(rows), _WIDTHS.get(name)
        if found.dtype.kind not in "biuf" or found.shape[:1] != n or width not in (None, found.shape[1:]):
            raise ValueError(f"{name} has shape {found.shape} and kind {found.dtype}")
        if width is not None and not np.isfinite(found).all():
            raise ValueError(f"{name} has a value that is no number")
    return series


def read_density(path: Path, point: int) -> np.ndarray:
    """(n_spin, n, n) complex AO density of a point, as stored. Raises TrajectoryError where it is not."""
    try:
        with open_hdf5(path) as file:
            points = file.get("dynamics/density_step")
            stored = points[()] if isinstance(points, h5py.Dataset) else np.zeros(0, int)
            rows = np.flatnonzero(stored == point)
            if not rows.size:
                raise TrajectoryError(
                    f"{path}: the density of point {point} is not stored ({_listed(stored)}); "
                    "a run with --save-density 1, in Python save_density=1, stores all"
                )
            real, imaginary = (file[f"dynamics/density_{part}"] for part in ("real", "imag"))
            assert isinstance(real, h5py.Dataset)
            assert isinstance(imaginary, h5py.Dataset)
            return real[rows[0]].astype(float) + 1j * imaginary[rows[0]].astype(float)
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise TrajectoryError(f"{path}: not a trajectory file that can be read ({reason(error)})") from error


def _listed(points: np.ndarray) -> str:
    """`none is`, `0 to 990 are`."""
    return f"{len(points)} are, of points {points[0]} to {points[-1]}" if len(points) else "none is"
