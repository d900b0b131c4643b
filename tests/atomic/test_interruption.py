"""Signals at every kind of moment: one line, exit code 130, within two seconds."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hybrid_propagate.atomic.interruption import _Watch, ctrl_c_between_steps, ends_by_itself

#: A command's module by what it does after it has said so.
MOMENTS = {
    "import": "print('here', flush=True)\nimport slow_import\ndef main(a): return 0",
    "instructions": "import time\ndef main(a):\n    print('here', flush=True)\n    time.sleep(30)",
    # The signal goes to another thread, as it does not end the call: as with a long call of PySCF's.
    "call": (
        "import ctypes, signal\ndef main(a):\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])\n"
        "    print('here', flush=True)\n    ctypes.CDLL(None).sleep(30)\n    return 0"
    ),
    "destructor": (
        "import time\nclass Thing:\n    def __del__(self):\n        time.sleep(0.4)\n"
        "def main(a):\n    print('here', flush=True)\n    for _ in range(70): Thing()\n    return 0"
    ),
    "loop": (
        "import time\nfrom hybrid_propagate.atomic.interruption import ends_by_itself\n"
        "def main(a):\n    print('here', flush=True)\n    with ends_by_itself(): time.sleep(30)\n    return 0"
    ),
    "other error": (
        "import time\ndef main(a):\n    print('here', flush=True)\n    try: time.sleep(30)\n"
        "    except BaseException as error: raise ImportError('cannot be imported') from error"
    ),
}
RUN = (
    "import sys; from hybrid_propagate.atomic.entry import run_command; sys.exit(run_command('name', 'made'))"
)


def start(folder: Path, module: str) -> subprocess.Popen[str]:
    """The command, at the moment that it tells of."""
    (folder / "made.py").write_text(module)
    (folder / "slow_import.py").write_text("import time; time.sleep(30)")
    process = subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_moment(tmp_path: Path, moment: str, number: signal.Signals) -> None:
    process = start(tmp_path, MOMENTS[moment])
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "name: interrupted\n"


def test_two_threads_end_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one is still saying it when the other's time has come."""
    ends: list[int] = []
    monkeypatch.setattr("os._exit", ends.append)
    watch = _Watch(began=time.monotonic())
    others = [threading.Thread(target=watch.end_now)]

    def words() -> str:
        while others:
            other = others.pop()
            other.start()
            other.join()
        return "interrupted"

    watch.last_words = words
    watch.end_now()
    assert (capsys.readouterr().err, ends) == ("interrupted\n", [130])


def test_a_loop_may_come_to_its_own_end(tmp_path: Path) -> None:
    """Within the time that it has; a second signal waits for nothing."""
    loop = (
        "import time\nfrom hybrid_propagate.atomic.interruption import asked, ends_by_itself\n"
        "def main(a):\n    with ends_by_itself():\n        print('here', flush=True)\n"
        "        while not asked(): time.sleep(0.01)\n        time.sleep({})\n    return 7"
    )
    process = start(tmp_path, loop.format(0.1))
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 7
    process = start(tmp_path, loop.format(30))
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As by nohup, and in the background of a script."""
    (tmp_path / "made.py").write_text(
        "import os, signal\ndef main(a):\n    os.kill(os.getpid(), signal.SIGHUP)\n    return 3"
    )
    ignoring = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{RUN}"
    ended = subprocess.run([sys.executable, "-c", ignoring], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (3, "")


def test_the_end_cannot_be_interrupted(tmp_path: Path) -> None:
    """What is done is done: a signal while Python leaves changes nothing."""
    (tmp_path / "made.py").write_text(
        "import atexit, os, signal\n"
        "atexit.register(lambda: os.kill(os.getpid(), signal.SIGTERM))\ndef main(a): return 0"
    )
    ended = subprocess.run([sys.executable, "-c", RUN], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_ctrl_c_in_a_users_python() -> None:
    """In a loop the first one only says so, in a destructor too; the second one is raised, as outside."""

    class Thing:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    with ctrl_c_between_steps() as asked:
        assert not asked()
        with ends_by_itself():
            Thing()
            assert asked()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt), ctrl_c_between_steps() as asked:
        signal.raise_signal(signal.SIGINT)
    assert asked()


def test_a_users_own_handler_and_other_threads_are_left_alone() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        with ctrl_c_between_steps() as asked:
            signal.raise_signal(signal.SIGINT)
        assert came == [signal.SIGINT]
        assert not asked()
    finally:
        signal.signal(signal.SIGINT, before)

    def elsewhere() -> None:
        with ctrl_c_between_steps() as asked:
            said.append(asked())

    said: list[bool] = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert said == [False]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
