"""Where executors come from, and that their processes leave nobody behind."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hybrid_propagate.driver.executors.executor import ExecutorError, executors


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("slurm", "--executor slurm: accepted: local, or MODULE:FUNCTION"),
        ("no_such_module:f", "cannot be imported: No module named 'no_such_module'"),
        (
            "small_executors:nothing",
            "cannot be imported: module 'small_executors' has no",
        ),
    ],
)
def test_what_cannot_be_had_is_told_before_anything_runs(name: str, message: str) -> None:
    with pytest.raises(ExecutorError, match=re.escape(message)):
        executors(name, None)


def test_what_is_no_executor_is_told() -> None:
    opened = executors("small_executors:no_executor", None).open()
    with pytest.raises(ExecutorError, match="returns a int, no concurrent"), opened:
        pass
    with pytest.raises(ExecutorError, match="a number of processes is for --executor local"):
        executors("small_executors:here", 2)


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "from hybrid_propagate.driver.executors.executor import executors\n"
        "if __name__ == '__main__':\n"
        "    with executors('local', 1).open() as pool:\n"
        "        print(pool.submit(os.getpid).result(), flush=True)\n"
        "        pool.submit(time.sleep, 60)\n"
        "        time.sleep(60)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not Path(f"/proc/{worker}").exists():
            break
        time.sleep(0.05)
    else:
        os.kill(worker, 9)
        pytest.fail("the worker lives on")


def test_a_pool_has_ended_when_its_caller_is_interrupted() -> None:
    """One that is still ending while Python ends is closed by two threads at once, which may raise."""
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        _interrupted()
    assert set(threading.enumerate()) <= before


def _interrupted() -> None:
    with executors("local", 1).open() as pool:
        pool.submit(time.sleep, 60)
        raise KeyboardInterrupt
