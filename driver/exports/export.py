"""The formats a run can be had in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...adapters.files.trajectory import TrajectoryError, read_contents
from ...atomic.own_input import check_apart
from .molecule_files import write_extxyz, write_molden
from .qcschema import write_qcschema
from .table import write_csv, write_npz

#: Endings of the files, by format.
ENDINGS = {"csv": ".csv", "npz": ".npz", "extxyz": ".xyz", "molden": ".molden", "qcschema": ".qcschema.json"}


def export(run: Path, kind: str, path: Path) -> None:
    """Write the run of a trajectory file in a format of `ENDINGS`. Raises BadInput, OSError."""
    check_apart([path], [run])
    contents = read_contents(run)
    if "dt" not in contents.attributes:
        raise TrajectoryError(f"{run}: not the trajectory of a run; accepted: <start>.h5")
    for name, array in contents.ground.items():
        if np.asarray(array).dtype.kind in "fc" and not np.isfinite(array).all():
            raise TrajectoryError(
                f"{run}: not the trajectory of a run (ground/{name} has a value that is no number)"
            )
    writers: dict[str, Callable[[], None]] = {
        "csv": lambda: write_csv(contents, path),
        "npz": lambda: write_npz(contents, path),
        "extxyz": lambda: write_extxyz(run, contents, path),
        "molden": lambda: write_molden(run, contents, path),
        "qcschema": lambda: write_qcschema(run, contents, path),
    }
    try:
        writers[kind]()
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, ArithmeticError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise TrajectoryError(f"{run}: not the trajectory of a run ({what})") from error
