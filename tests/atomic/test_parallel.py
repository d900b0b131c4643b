"""Work in several processes, interrupted."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hybrid_propagate.atomic.parallel import parallel

WORK = """import time
from hybrid_propagate.atomic.parallel import parallel

def main(a):
    print(*parallel(abs, [(-1,), (-2,)], 2), flush=True)
    for _ in parallel(time.sleep, [(60,)] * 4, 2): pass
"""
RUN = (
    "import sys; from hybrid_propagate.atomic.entry import run_command\nsys.exit(run_command('name', 'made'))"
)


@pytest.mark.parametrize("whole_group", [True, False])
def test_workers_end_with_their_parent(tmp_path: Path, *, whole_group: bool) -> None:
    """By Ctrl-C in a terminal, which reaches all of them, and by a signal to the parent alone."""
    (tmp_path / "made.py").write_text(WORK)
    with subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert sorted(process.stdout.readline().split()) == ["1", "2"]
        time.sleep(0.5)
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "name: interrupted\n"
    # Python's own tracker of resources follows a moment later.
    deadline = time.monotonic() + 10.0
    while _alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(process.pid)


def test_pool_has_ended_when_its_caller_goes_on() -> None:
    """A pool that is still ending while Python ends is closed by two threads at once, which may raise."""
    before = set(threading.enumerate())
    results = parallel(abs, [(-1,)] * 4, 2)
    assert next(results) == 1
    results.close()
    assert set(threading.enumerate()) <= before


def _alive(group: int) -> bool:
    """Whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
