"""HDF5 files that point out of themselves, or claim more than they hold, are refused wherever one is read."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.files.density_file import DensityFileError, read_density
from hybrid_propagate.adapters.files.plain_hdf5 import open_hdf5
from hybrid_propagate.adapters.files.trajectory import TrajectoryError, read_contents
from hybrid_propagate.adapters.regular_file import RefusedFile
from hybrid_propagate.driver.spectra.signals import read_signals
from hybrid_propagate.driver.spectra.spectrum import SpectrumError
from hybrid_propagate.surrogate.samples.pairs_file import PairsError, read_pairs


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
    layout[:] = h5py.VirtualSource("other.h5", "secret", shape=(3,))
    file.create_virtual_dataset("dynamics/time", layout)


def _reference(file: h5py.File) -> None:
    file.attrs["there"] = file["plain"].ref


HOSTILE: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "external link": (
        lambda f: f.__setitem__("dynamics/time", h5py.ExternalLink("other.h5", "/secret")),
        "dynamics/time is a link to elsewhere",
    ),
    "soft link": (lambda f: f.__setitem__("dynamics", h5py.SoftLink("/plain")), "is a link to elsewhere"),
    "external storage": (
        lambda f: f.create_dataset("dynamics/time", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
        "dynamics/time is kept in another file",
    ),
    "virtual": (_virtual, "dynamics/time is kept in another file"),
    "objects": (lambda f: f.create_dataset("x", (2,), h5py.vlen_dtype("i4")), "x holds objects"),
    "reference": (_reference, "attribute there holds objects"),
    "texts": (lambda f: f.create_dataset("x", data=["a"] * 2000), "x holds objects"),
    "zeros": (lambda f: f.create_dataset("x", (10**12,), "f8", chunks=(1000,)), "x has 7629395 MB"),
}


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with h5py.File("other.h5", "w") as file:
        file["secret"] = np.arange(3.0)
    return tmp_path / "hostile.h5"


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_points_elsewhere_is_refused(kind: str, other: Path) -> None:
    fill, message = HOSTILE[kind]
    with h5py.File(other, "w") as file:
        file["plain"] = np.zeros(3)
        fill(file)
    with pytest.raises(RefusedFile, match=message), open_hdf5(other):
        pass
    for read, error in (
        (read_contents, TrajectoryError),
        (read_density, DensityFileError),
        (read_signals, SpectrumError),
        (read_pairs, PairsError),
    ):
        with pytest.raises(error) as caught:
            read(other)
        assert "\n" not in str(caught.value)


def test_a_pipe_is_not_waited_on(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    os.mkfifo(path)
    began = time.monotonic()
    with pytest.raises(TrajectoryError, match="a named pipe, not a file"):
        read_contents(path)
    assert time.monotonic() - began < 10.0


def test_what_belongs_to_the_format_is_read(other: Path) -> None:
    """Groups within themselves, empty data, text and compressed zeros are no harm."""
    with h5py.File(other, "w") as file:
        file["group/loop"] = file["/"]
        file["nothing"] = h5py.Empty("f8")
        file["words"] = ["a", "b"]
        file.create_dataset("zeros", data=np.zeros(10**6), compression="gzip")
        file.attrs["name"] = "text"
    with open_hdf5(other) as file:
        assert np.asarray(file["zeros"]).sum() == 0.0
