"""Files that never end, or are none: refused at once, and in a few words."""

import os
import socket
import time
from pathlib import Path

import pytest
from hybrid_propagate.adapters.regular_file import RefusedFile, check_regular, read_regular


def test_a_file_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 2000)
    assert read_regular(path, 2000) == b"x" * 2000
    with pytest.raises(RefusedFile, match=r"larger than 0.001906 MB"):
        read_regular(path, 1999)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        began = time.monotonic()
        for path, reason in (
            (pipe, "a named pipe"),
            (tmp_path / "link", "a named pipe"),
            (tmp_path / "socket", "a socket"),
            (tmp_path, "a folder"),
            (Path("/dev/zero"), "a device"),
            (Path("/dev/stdin"), "not a"),
        ):
            for read in (check_regular, lambda p: read_regular(p, 10)):
                if path.resolve().is_file():
                    continue
                with pytest.raises(RefusedFile, match=reason):
                    read(path)
        assert time.monotonic() - began < 10.0


def test_a_file_that_says_it_is_empty_is_read_to_the_limit_alone() -> None:
    """What Linux shows in /proc has size 0 and goes on."""
    path = Path("/proc/self/maps")
    assert path.stat().st_size == 0
    with pytest.raises(RefusedFile, match="larger than"):
        read_regular(path, 100)
