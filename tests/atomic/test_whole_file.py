"""Files written whole: nothing is left of a half, nothing is written through a link, no name is foreseen."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import matplotlib
import numpy as np
import pytest
from hybrid_propagate.adapters.files.plain_hdf5 import new_hdf5, open_hdf5
from hybrid_propagate.adapters.files.run_lock import locked
from hybrid_propagate.atomic import whole_file as module
from hybrid_propagate.atomic.whole_file import remove_left, whole_file, write_whole


@pytest.fixture(params=["without a name", "with a name"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both ways: where a new file needs no name, and where the system cannot do that."""
    if request.param == "with a name":
        monkeypatch.setattr(module, "_nameless", lambda _: None)
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_there_whole(folder: Path) -> None:
    path = folder / "file"
    write_whole(path, "one")
    with whole_file(path) as part:
        part.write_text("two")
        assert path.read_text() == "one"
    assert path.read_text() == "two"
    assert names(folder) == {"file"}
    # As any new file: what the user's umask leaves.
    plain = folder / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_nothing_is_left_of_a_failure(folder: Path) -> None:
    path = folder / "file"
    write_whole(path, "one")
    with pytest.raises(ZeroDivisionError):
        _fail(path)
    assert path.read_text() == "one"
    (folder / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(folder / "taken", "three")
    assert names(folder) == {"file", "taken"}


def _fail(path: Path) -> None:
    with whole_file(path) as part:
        part.write_text(f"half, {1 / 0}")


def _text(path: Path) -> None:
    write_whole(path, "new")


def _hdf5(path: Path) -> None:
    with new_hdf5(path) as file:
        file["x"] = np.arange(3)


def _picture(path: Path) -> None:
    from hybrid_propagate.driver.pictures.plot import new_figure, save_figure

    matplotlib.use("Agg")
    save_figure(new_figure("title")[0], path)


@pytest.mark.parametrize("write", [_text, _hdf5, _picture])
def test_no_link_is_followed(write: Callable[[Path], None], folder: Path) -> None:
    """The file that a link names stays as it is, whether the link bears the file's name or a half file's."""
    victim, path = folder / "victim", folder / "run.png"
    victim.write_text("precious")
    for name in ("run.png", ".run.png.part", "run.part"):
        (folder / name).symlink_to(victim)
    write(path)
    assert victim.read_text() == "precious"
    assert not path.is_symlink()
    assert path.stat().st_size > 0
    assert names(folder) == {"victim", "run.png", ".run.png.part", "run.part"}


def test_no_name_is_used_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    replace = os.replace

    def watch(part: Path, path: Path) -> None:
        seen.append(Path(part))
        replace(part, path)

    monkeypatch.setattr(os, "replace", watch)
    for _ in range(20):
        write_whole(folder / "file", "x")
    assert len({part.name for part in seen}) == 20


def test_a_kill_leaves_nothing(tmp_path: Path) -> None:
    """SIGKILL while half a file is written."""
    code = (
        "import os\nfrom pathlib import Path\n"
        "from hybrid_propagate.adapters.files.plain_hdf5 import new_hdf5\n"
        f"with new_hdf5(Path({str(tmp_path / 'run.h5')!r})) as file:\n"
        "    file['x'] = [1.0] * 1000\n    file.flush()\n    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -9
    assert names(tmp_path) == set()


AT_THE_LAST_MOMENT = """
import os, signal, sys, time
from pathlib import Path
from hybrid_propagate.atomic import whole_file
def stop(part, path):
    print(part.name, flush=True)
    signal.pause()
whole_file._take_place = stop
whole_file.write_whole(Path("run.h5"), "content")
"""


def test_what_a_kill_leaves_between_name_and_place_is_removed(tmp_path: Path) -> None:
    """Not while its process lives, and nothing of other names."""
    for other in (".run2.h5.0123456789abcdef.whole", ".run.h5.whole", "run.h5"):
        (tmp_path / other).touch()
    command = [sys.executable, "-c", AT_THE_LAST_MOMENT]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = process.stdout.readline().strip()
        remove_left(tmp_path / "run")
        assert (tmp_path / left).read_text() == "content"
        process.kill()
    assert (tmp_path / left).exists()
    with locked([tmp_path / "run.lock"]):
        assert not (tmp_path / left).exists()
    assert names(tmp_path) == {".run2.h5.0123456789abcdef.whole", ".run.h5.whole", "run.h5"}


def test_hdf5_is_the_same_either_way(folder: Path) -> None:
    with new_hdf5(folder / "a.h5") as file:
        rows = file.create_dataset("rows", (0, 50), "f8", maxshape=(None, 50), chunks=(7, 50))
        for k in range(40):
            rows.resize(k + 1, axis=0)
            rows[k] = k
    with open_hdf5(folder / "a.h5") as file:
        assert isinstance(file["rows"], h5py.Dataset)
        np.testing.assert_array_equal(file["rows"][:, 0], np.arange(40.0))
