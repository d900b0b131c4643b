"""The checksum at a file's end: any change of any byte is found, and HDF5 reads past it."""

import hashlib
import random
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.files.checksum import check_seal, seal, write_sealed
from hybrid_propagate.adapters.files.trajectory import (
    Fixed,
    TrajectoryError,
    TrajectoryFile,
    read_contents,
)
from hybrid_propagate.adapters.regular_file import RefusedFile


def test_it_is_blake2b_of_what_is_ahead(tmp_path: Path) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"content")
    seal(path)
    write_sealed(other, b"content")
    digest = hashlib.blake2b(b"content", digest_size=32).hexdigest()
    expected = f"content\nhybrid-propagate blake2b {digest}\n".encode()
    assert path.read_bytes() == other.read_bytes() == expected
    check_seal(path, needed=True)


def trajectory(path: Path) -> bytes:
    file = TrajectoryFile(path, Fixed({"dt": 0.1}, {"geometry/positions": np.zeros((2, 3))}))
    file.add_points({"time": np.arange(30.0), "dipole": np.random.default_rng(0).normal(size=(30, 3))})
    file.commit({"state": np.arange(40.0)}, complete=False)
    return path.read_bytes()


def test_every_damage_is_found(tmp_path: Path) -> None:
    """600 damages: bytes changed, bytes cut off, stretches of zeros; each is refused in one line."""
    path = tmp_path / "run.h5"
    whole, chance = trajectory(path), random.Random(3)
    for k in range(600):
        damaged = bytearray(whole)
        place = chance.randrange(len(whole))
        if k % 3 == 0:
            damaged[place] ^= 1 << chance.randrange(8)
        elif k % 3 == 1:
            del damaged[place:]
        else:
            damaged[place : place + 64] = bytes(len(damaged[place : place + 64]))
        if damaged == whole:
            continue
        path.write_bytes(damaged)
        with pytest.raises(TrajectoryError) as error:
            read_contents(path, to_go_on=True)
        assert "\n" not in str(error.value)
        assert str(path) in str(error.value)


def test_what_another_program_changed_is_not_gone_on_from(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    trajectory(path)
    with h5py.File(path, "a") as file:
        file["checkpoint/state"][0] = 5.0  # type: ignore[index]
    with pytest.raises(TrajectoryError, match="no checksum at its end"):
        read_contents(path, to_go_on=True)
    # What somebody has added to his file can be looked at.
    assert read_contents(path).checkpoint["state"][0] == 5.0


def test_a_file_without(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"short")
    check_seal(path, needed=False)
    with pytest.raises(RefusedFile, match="no checksum"):
        check_seal(path, needed=True)


def test_a_commit_over_a_file_that_is_another_s(tmp_path: Path) -> None:
    """Nothing is written where the file is no longer the one of the last commit."""
    path = tmp_path / "run.h5"
    first, second = (TrajectoryFile(path, Fixed({"dt": 0.1}, {})) for _ in range(2))
    for file in (first, second):
        file.add_points({"time": np.arange(3.0)})
    first.commit({}, complete=False)
    before = path.read_bytes()
    with pytest.raises(TrajectoryError, match="replaced or changed by another program"):
        second.commit({}, complete=True)
    assert path.read_bytes() == before
    path.unlink()
    first.add_points({"time": np.arange(3.0, 5.0)})
    with pytest.raises(TrajectoryError, match="nothing was written"):
        first.commit({}, complete=True)
