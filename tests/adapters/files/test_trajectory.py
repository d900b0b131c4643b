"""The trajectory file: layout, growth, and what a kill at any moment leaves behind."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.files.trajectory import (
    Fixed,
    TrajectoryError,
    TrajectoryFile,
    fixed_part,
    read_contents,
)
from pyscf_systems import water


def store_at(path: Path) -> TrajectoryFile:
    system = water()
    n = system.n_basis
    rows = np.array([[0, 0, 0]] * n)
    return TrajectoryFile(
        path, fixed_part(system, np.eye(n), 2.0 * np.eye(n), rows, {"dt": 0.2, "tmax": 9.0})
    )


def points(first: int, k: int) -> dict[str, np.ndarray]:
    """k time points whose values tell their number."""
    t = np.arange(first, first + k, dtype=float)
    density = np.broadcast_to(t[:, None, None, None], (k, 1, 7, 7)).astype(np.float32)
    return {
        "time": t,
        "dipole": t[:, None] + [0.0, 0.1, 0.2],
        "density_real": density,
        "density_imag": -density,
    }


def test_layout(tmp_path: Path) -> None:
    """Attributes, and names, shapes and types of geometry, basis, matrices, dynamics, control, checkpoint."""
    path = tmp_path / "run.h5"
    store = store_at(path)
    store.add_points(points(0, 3))
    store.add_control({"event_kind": "anchor", "event_step": 2, "event_residual": 0.5})
    store.commit({"state_fock": np.eye(2) * 1j, "surrogate/x_q": np.ones(4)}, complete=False)
    with h5py.File(path) as file:
        attributes = dict(file.attrs)
        assert attributes["molecule"] == "OHH"
        counts = {"n_atoms": 3, "n_electrons": 10, "n_basis": 7, "n_steps": 3, "charge": 0, "multiplicity": 1}
        assert {name: attributes[name] for name in counts} == counts
        assert attributes["dt"] == 0.2
        assert not attributes["complete"]
        # 1.43 bohr in Angstrom (CODATA 0.529177).
        positions = file["geometry/positions"]
        assert positions.shape == (3, 3)
        assert positions.dtype == np.float64
        assert positions[1, 1] == pytest.approx(1.43 * 0.529177, rel=1e-6)
        for name in ("geometry/atomic_numbers", "basis/atom_index", "basis/angular_momentum"):
            assert file[name].dtype == np.int32
        assert file["basis/magnetic_quantum"].shape == (7,)
        assert file["geometry/atomic_numbers"][:].tolist() == [8, 1, 1]
        np.testing.assert_array_equal(file["matrices/overlap"], np.eye(7))
        np.testing.assert_array_equal(file["matrices/core_hamiltonian"], 2.0 * np.eye(7))
        assert file["dynamics/density_real"].dtype == np.float32
        assert file["dynamics/density_real"].shape == file["dynamics/density_imag"].shape == (3, 1, 7, 7)
        assert file["dynamics/dipole"].shape == (3, 3)
        assert file["dynamics/time"].dtype == np.float64
        assert file["control/event_kind"][0] == b"anchor"
        assert file["checkpoint/state_fock"].dtype == np.complex128


def test_commits_append_and_replace_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    store = store_at(path)
    # Well beyond one chunk of rows.
    for first in range(0, 700, 100):
        store.add_points(points(first, 60))
        store.add_points(points(first + 60, 40))
        store.add_control({"segment_step": first, "segment_reason": "MAX_STEPS"})
        store.commit({"state_step": np.array(first + 100)}, complete=first == 600)
    contents = read_contents(path)
    np.testing.assert_array_equal(contents.series["time"], np.arange(700.0))
    np.testing.assert_array_equal(contents.series["dipole"][:, 2], np.arange(700.0) + 0.2)
    assert contents.control["segment_step"].tolist() == list(range(0, 700, 100))
    assert set(contents.control["segment_reason"]) == {b"MAX_STEPS"}
    assert int(contents.checkpoint["state_step"]) == 700
    assert contents.attributes["n_steps"] == 700
    assert contents.attributes["complete"]
    # The densities are not read with the rest.
    assert "density_real" not in contents.series
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["dynamics/density_real"][:, 0, 3, 3], np.arange(700.0))


def test_another_process_goes_on_where_the_file_ends(tmp_path: Path) -> None:
    first = store_at(tmp_path / "run.h5")
    first.add_points(points(0, 5))
    first.commit({}, complete=False)
    second = store_at(tmp_path / "run.h5")
    second.add_points(points(5, 2))
    second.commit({}, complete=True)
    np.testing.assert_array_equal(read_contents(tmp_path / "run.h5").series["time"], np.arange(7.0))
    third = store_at(tmp_path / "run.h5")
    third.add_points(points(100, 2))
    third.commit({}, complete=True, start=True)
    np.testing.assert_array_equal(read_contents(tmp_path / "run.h5").series["time"], [100.0, 101.0])


def test_a_commit_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    store = store_at(path)
    store.add_points(points(0, 5))
    store.commit({}, complete=False)
    before = path.read_bytes()
    store.add_points(points(5, 1))
    with pytest.raises(TypeError):
        store.commit({"bad": np.array([object()])}, complete=False)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.h5"]
    # What the failed commit held is not lost.
    store.commit({}, complete=False)
    assert len(read_contents(path).series["time"]) == 6


def test_rows_of_another_shape_are_refused_in_one_line(tmp_path: Path) -> None:
    """As where a series was changed by hand, and the file sealed anew; the file stays as it is."""
    path = tmp_path / "run.h5"
    store = store_at(path)
    store.add_points({"time": np.arange(2.0), "response_real": np.zeros((2, 5))})
    store.commit({}, complete=False)
    before = path.read_bytes()
    store.add_points({"time": np.array([2.0]), "response_real": np.zeros((1, 4))})
    with pytest.raises(
        TrajectoryError, match=r"dynamics/response_real has rows of \(5,\), .* add are \(4,\)$"
    ):
        store.commit({}, complete=False)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.h5"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    path.write_bytes(b"no HDF5 at all")
    for wrong in (path, tmp_path / "none.h5"):
        with pytest.raises(TrajectoryError, match=f"{wrong.name}: not a trajectory file that can be read"):
            read_contents(wrong)


LOOP = """
import sys
import numpy as np
from pathlib import Path
from hybrid_propagate.adapters.files.trajectory import Fixed, TrajectoryFile
store = TrajectoryFile(Path(sys.argv[1]), Fixed({"dt": 0.1}, {}))
for step in range(100000):
    store.add_points({"time": np.array([float(step)]), "charges": np.full((1, 3000), float(step))})
    store.commit({"step": np.array(step), "state": np.full(1000, float(step))}, complete=False)
    print(step, flush=True)
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_in_the_middle_of_commits_leaves_a_whole_file(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.h5"
    process = subprocess.Popen([sys.executable, "-c", LOOP, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(3):
        process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.0, 0.3))
    process.kill()
    told = [int(line) for line in process.stdout.read().split()]
    assert process.wait() == -signal.SIGKILL
    contents = read_contents(path)
    step = int(contents.checkpoint["step"])
    # Every commit that was told of is there, at most one more.
    last = told[-1] if told else 2
    assert last <= step <= last + 1
    np.testing.assert_array_equal(contents.series["time"], np.arange(step + 1.0))
    np.testing.assert_array_equal(contents.series["charges"][:, 0], np.arange(step + 1.0))
    np.testing.assert_array_equal(contents.checkpoint["state"], np.full(1000, float(step)))
    # The next run is not disturbed by what the kill left.
    store = TrajectoryFile(path, Fixed({"dt": 0.1}, {}))
    store.add_points({"time": np.array([step + 1.0]), "charges": np.zeros((1, 3000))})
    store.commit({"step": np.array(step + 1)}, complete=True)
    assert len(read_contents(path).series["time"]) == step + 2
