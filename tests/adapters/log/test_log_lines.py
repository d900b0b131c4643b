"""Logs that are none: without end, without lines, packed to nothing."""

import gzip
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hybrid_propagate.adapters.log import log_lines as module
from hybrid_propagate.adapters.log.log_lines import log_lines
from hybrid_propagate.adapters.log.reader import LogError, read_log
from hybrid_propagate.adapters.regular_file import RefusedFile

LINE = f"<rt_tddft>:      0.20000 {'  1.000000000000E-005' * 3}     # Dipole moment [system]"


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < 10.0


@pytest.mark.parametrize(
    ("name", "kind"), [("pipe", "a named pipe"), ("/dev/zero", "a device"), (".", "a folder")]
)
def test_what_is_no_file(name: str, kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LogError, match=f"{kind}, not a file"):
        read_log(tmp_path / name)


@pytest.mark.parametrize(
    "piece", [b"\0" * 1000, b"\n" * 1000, b"a b # c\n" * 100], ids=["zeros", "ends", "text"]
)
def test_a_bomb_is_refused_after_a_few_megabytes(piece: bytes, tmp_path: Path) -> None:
    """Half a gigabyte in half a megabyte; 4 GB took 7.3 GB of memory and a minute before."""
    path = tmp_path / "bomb.gz"
    part = gzip.compress(piece * (2**25 // len(piece)))
    path.write_bytes(part * 16)
    with pytest.raises(LogError, match=r"not a log: unpacks to more than 100 times|a line is longer than"):
        read_log(path)


def test_a_plain_file_without_lines(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(LogError, match="a line is longer than 1048576 characters"):
        read_log(path)
    with path.open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(LogError, match="larger than 4096 MB"):
        read_log(path)


def test_damaged_packed_data(tmp_path: Path) -> None:
    """Every byte of a packed log in turn turned over: read, or one line."""
    packed = gzip.compress((LINE + "\n").encode() * 3)
    path = tmp_path / "log.gz"
    for k in range(len(packed)):
        path.write_bytes(packed[:k] + bytes([packed[k] ^ 0xFF]) + packed[k + 1 :])
        try:
            read_log(path)
        except LogError as error:
            assert "\n" not in str(error)  # noqa: PT017
    path.write_bytes(packed)
    assert len(read_log(path)) == 1


def test_lines_across_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of a part, the same lines; the last, which is not ended, is left out."""
    text = "a\n\nbc\u00e9\r\n" * 50 + "cut"
    path = tmp_path / "log"
    path.write_text(text, newline="", encoding="utf-8")
    expected = ["a", "", "bc\u00e9\r"] * 50
    for size in (1, 2, 3, 7, 1000):
        monkeypatch.setattr(module, "_PART", size)
        assert list(log_lines(path)) == expected


def test_a_line_made_to_be_searched_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(" 0.00000" * 120_000 + " # Dipole\n" + "a " * 500_000 + "#\n" + " " * 1_000_000 + "#\n")
    with pytest.raises(LogError, match="no RT-TDDFT lines"):
        read_log(path)


def test_times_that_go_back_at_every_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = (LINE.replace("0.20000", f"{k % 2}.00000") for k in range(40_000))
    path.write_text("\n".join(lines) + "\n")
    (run,) = read_log(path)
    assert run.find("Dipole moment").time.tolist() == [0.0, 1.0]


def test_a_garbled_time_step(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(f" Time step (dt)        :  ****** au\n{LINE}\n")
    assert read_log(path)[0].dt is None


def test_reading_stops_where_the_log_is_larger_than_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 2**20)
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(os.urandom(2**21)))
    with pytest.raises(RefusedFile, match="larger than 1 MB"):
        list(log_lines(path))
