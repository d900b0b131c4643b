"""The lock file: one process at a time, whoever holds it is named, and what dead runs left is taken over."""

import fcntl
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hybrid_propagate.adapters.files.run_lock import FolderInUse, locked

HOLD = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from hybrid_propagate.adapters.files.run_lock import FolderInUse, locked
try:
    with locked([Path(sys.argv[1])]):
        print("held", time.monotonic(), flush=True)
        time.sleep(float(sys.argv[3]))
        print(time.monotonic(), flush=True)
except FolderInUse as error:
    print(error, flush=True)
"""


def hold(path: Path, seconds: float) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", HOLD, str(path), str(path.parent), str(seconds)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_gone_afterwards_whatever_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with locked([path]):
        assert path.read_text().split()[0] == socket.gethostname()
    assert not path.exists()
    with pytest.raises(KeyboardInterrupt), locked([path]):
        raise KeyboardInterrupt
    assert not path.exists()


def test_several_at_once_or_none(tmp_path: Path) -> None:
    a, b = tmp_path / "a.lock", tmp_path / "b.lock"
    with locked([b]), pytest.raises(FolderInUse, match=r"b\.lock"), locked([a, b]):
        pass
    assert not list(tmp_path.iterdir())


def test_the_second_process_is_told_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    first = hold(path, 60.0)
    assert first.stdout is not None
    assert first.stdout.readline().startswith("held")
    with pytest.raises(FolderInUse, match=f"process {first.pid} of {socket.gethostname()}"), locked([path]):
        pass
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert path.exists()
    with locked([path]):
        pass
    assert not path.exists()


@pytest.mark.parametrize("left", ["", f"{socket.gethostname()} 999999999 1 2026-01-01 00:00:00+00:00\n"])
def test_a_holder_that_has_yet_to_write_its_name(tmp_path: Path, left: str) -> None:
    """Between taking the file and writing, it is empty or names a dead run: neither is told."""
    path, ready = tmp_path / "run.lock", tmp_path / "ready.lock"
    with locked([ready]):
        name = ready.read_bytes()
    path.write_text(left)
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        late = threading.Timer(0.2, path.write_bytes, [name])
        late.start()
        with pytest.raises(FolderInUse, match=f"process {os.getpid()} of"), locked([path]):
            pass
        late.join()


def test_of_another_host(tmp_path: Path) -> None:
    """Nobody here can tell whether that process lives: the file decides, and is named."""
    path = tmp_path / "run.lock"
    path.write_text("node-17.elsewhere 4711 12 2026-01-01 00:00:00+00:00\n")
    said = r"run\.lock: process 4711 of node-17.*remove this file"
    with pytest.raises(FolderInUse, match=said), locked([path]):
        pass
    assert path.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    (tmp_path / "run.lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"), locked([tmp_path / "run.lock"]):
        pass
    assert victim.read_text() == "precious"


def test_of_many_that_start_together_one_has_it(tmp_path: Path) -> None:
    """Six processes at one file that a dead run left: never two at a time."""
    path = tmp_path / "run.lock"
    for _ in range(3):
        path.write_text(f"{socket.gethostname()} 999999999 1 2026-01-01 00:00:00+00:00\n")
        processes = [hold(path, 0.5) for _ in range(6)]
        told = [process.communicate()[0] for process in processes]
        held = sorted([float(word) for word in text.split()[1:]] for text in told if text.startswith("held"))
        assert held
        # Who comes after the first one's end has it in turn.
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(held))
        assert all("is writing files of this name" in text for text in told if not text.startswith("held"))
