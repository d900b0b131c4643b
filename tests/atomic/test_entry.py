"""The end of a command where what it prints cannot be written."""

import subprocess
import sys
from pathlib import Path

RUN = (
    "import sys; from hybrid_propagate.atomic.entry import run_command; sys.exit(run_command('name', 'made'))"
)


def ended_with(folder: Path, module: str, output: str) -> tuple[int, str]:
    (folder / "made.py").write_text(module)
    with open(output, "w") as out:
        ended = subprocess.run(
            [sys.executable, "-c", RUN], cwd=folder, stdout=out, stderr=subprocess.PIPE, text=True
        )
    return ended.returncode, ended.stderr


def test_a_full_disk_is_a_failure(tmp_path: Path) -> None:
    """Python's own end of it would be `Exception ignored …` and code 120."""
    module = "def main(a):\n    print('a result')\n    return 0"
    assert ended_with(tmp_path, module, "/dev/full") == (
        1,
        "name: No space left on device\n",
    )


def test_the_code_is_that_of_main_or_of_exit(tmp_path: Path) -> None:
    assert ended_with(tmp_path, "def main(a): return 5", "/dev/null") == (5, "")
    assert ended_with(tmp_path, "import sys\ndef main(a): sys.exit(2)", "/dev/null") == (2, "")


def test_a_bug_is_shown(tmp_path: Path) -> None:
    code, said = ended_with(tmp_path, "def main(a): return 1 / 0", "/dev/null")
    assert code == 1
    assert "ZeroDivisionError" in said


def test_a_signal_does_not_change_an_end_that_is_being_said(tmp_path: Path) -> None:
    """Each line that is written interrupts the process, and so does each handler that is taken away."""
    ends = "os.kill(os.getpid(), signal.SIGINT)"
    failing = (
        f"import os, signal, sys\nclass Loud:\n    def write(self, text):\n        {ends}\n"
        "        return sys.__stderr__.write(text)\n    def flush(self): pass\n"
        "def main(a):\n    sys.stderr = Loud()\n    raise OSError(28, 'No space left on device')"
    )
    assert ended_with(tmp_path, failing, "/dev/null") == (1, "name: No space left on device\n")
    done = (
        f"import os, signal\nreal = signal.signal\ndef loud(*a):\n    {ends}\n    return real(*a)\n"
        "def main(a):\n    signal.signal = loud\n    return 0"
    )
    assert ended_with(tmp_path, done, "/dev/null") == (0, "")
