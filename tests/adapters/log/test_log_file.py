"""The log's own file."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hybrid_propagate.adapters.log.log_file import LogFile


def test_what_came_after_a_position_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    log = LogFile(path, append=False)
    log("one\n")
    there = log.position
    log("two\n")
    log.close()
    again = LogFile(path, append=True)
    assert again.go_back(str(path), there)
    again("two, once more\n")
    again.close()
    assert path.read_text() == "one\ntwo, once more\n"


def test_another_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("a user's own lines\n")
    log = LogFile(path, append=True)
    assert not log.go_back(str(tmp_path / "run.log"), 2)
    assert not log.go_back(str(path), 1000)
    log.close()
    assert path.read_text() == "a user's own lines\n"


def test_what_is_never_written_replaces_nothing(tmp_path: Path) -> None:
    """A run that is refused leaves an earlier log as it is; the first block begins the file anew."""
    path = tmp_path / "run.log"
    path.write_text("an earlier run\n")
    LogFile(path, append=False).close()
    assert path.read_text() == "an earlier run\n"
    log = LogFile(path, append=False)
    assert log.position == 0
    log("one\n")
    log("two\n")
    assert log.position == 8
    log.close()
    assert path.read_text() == "one\ntwo\n"


def test_a_pipe_that_nobody_reads_is_not_waited_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device or address"):
        LogFile(tmp_path / "pipe", append=False)


def test_a_pipe_with_a_reader_takes_all(tmp_path: Path) -> None:
    """More than fits into a pipe at once."""
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["wc", "-c", tmp_path / "pipe"], stdout=subprocess.PIPE, text=True)
    last = time.monotonic() + 20.0
    while True:
        try:
            log = LogFile(tmp_path / "pipe", append=False)
            break
        except OSError:
            assert time.monotonic() < last
            time.sleep(0.01)
    log("x" * 2**20)
    log.close()
    assert reader.communicate()[0].split()[0] == str(2**20)


def test_a_full_disk_leaves_whole_blocks(tmp_path: Path) -> None:
    code = (
        "import signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nfrom pathlib import Path\n"
        "from hybrid_propagate.adapters.log.log_file import LogFile\n"
        "log = LogFile(Path('run.log'), append=False)\n"
        "log('line\\n' * 100)\ntry: log('line\\n' * 1000)\nexcept OSError as error: print(error.strerror)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2002, 2002)),
    )
    assert ended.stdout == "File too large\n"
    assert (tmp_path / "run.log").read_text() == "line\n" * 100
