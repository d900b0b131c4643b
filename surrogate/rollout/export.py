"""Graphs of a molecule, compared with numpy before any of them is written."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from ...adapters.pyscf.engine import PySCFEngine
from ...atomic.whole_file import write_whole
from .changes import in_range
from .compare import by_numpy, check_graphs
from .fock_matrix import dipole_at_rest
from .graphs import FILES, Precision, graphs_of
from .molecule import RolloutMatrices

#: Of the files; it changes where inputs, outputs or their meaning do.
FORMAT = "1"
_AXES = (
    "batch: trajectories; spin: closed shell 1, else alpha and beta; k: orbitals; m: functions; "
    "orbitals (batch, spin, k, 2m): real parts, then imaginary; fock, fock_half (batch, spin, 2, m, m): "
    "F(t) with the field and F(t - dt/2), real and imaginary; field (batch, 3): E(t + dt) along x, y, z; "
    "fields (time, batch, 3): of every step; dipole (batch, 3) or (time, batch, 3): nuclei and electrons"
)
_CHANGES = (
    "; what ends in _change: minus its value at rest. That of fock is F0 without what the SCF left between "
    "orbitals of different occupation; that of orbitals are those at rest, each in its phase exp(-i e t)"
)
UNITS = "atomic units"


def export_graphs(
    engine: PySCFEngine,
    molecule: RolloutMatrices,
    dt: float,
    folder: Path,
    about: Mapping[str, str],
    say: Callable[[str], None],
) -> list[Path]:
    """Write the graphs of `FILES` into `folder`; their paths.

    about: further metadata; its `precision` is that of the graphs, float64 without.
    say: takes a line of progress. Raises TooLong, GraphsDiffer, OSError.
    """
    precision: Precision = "float32" if about.get("precision") == "float32" else "float64"
    reference = by_numpy(molecule, dt, engine)
    if precision == "float32":
        molecule = in_range(molecule)
    points = molecule.points
    metadata = {
        **about,
        "format": FORMAT,
        "dt": repr(dt),
        "points": str(0 if points is None else len(points.weights)),
        "held_out_error": repr(0.0 if points is None else points.error),
        "axes": _AXES + (_CHANGES if precision == "float32" else ""),
        "units": UNITS,
        "precision": precision,
        "dipole_at_rest": json.dumps(dipole_at_rest(molecule).tolist()),
    }
    made = graphs_of(molecule, dt, metadata, precision)
    contents = {name: model.SerializeToString() for name, model in made.items()}
    say("graphs made; compared with numpy")
    error = check_graphs(contents, reference, precision)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in contents.items():
        path = folder / FILES[name]
        write_whole(path, content)
        paths.append(path)
        say(f"{path}: {len(content) / 2**20:.2f} MiB")
    say(f"error of trajectories by the graphs against numpy: at most {error:.1e}")
    return paths
