"""How commands end, whatever is raised in them."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hybrid_propagate.atomic.errors import BadInput, Failed
from hybrid_propagate.driver.commands import spectrum
from hybrid_propagate.driver.commands.ending import carry_out


class Ended(Failed):
    """Stands for what a reference code ended with."""

    tail = ("its last words",)


def raising(error: BaseException) -> Callable[[], int]:
    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BadInput("deck.nw:3: unknown word"), 2, "command: deck.nw:3: unknown word\n"),
        (BadInput("two\nlines"), 2, "command: two lines\n"),
        (Ended("it ended badly"), 1, "  nwchem| its last words\ncommand: it ended badly\n"),
        (PermissionError(13, "Permission denied", "a/b"), 1, "command: a/b: Permission denied\n"),
        (OSError("h5py has no error number"), 1, "command: h5py has no error number\n"),
        (MemoryError("8 TiB"), 1, "command: not enough memory: 8 TiB\n"),
        (KeyboardInterrupt(), 130, "command: stopped; go on\n"),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            2,
            "command: torch is not installed: pip install 'hybrid-propagate[train]'\n",
        ),
    ],
)
def test_every_end_is_a_line_and_a_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carry_out("command", raising(error), "stopped; go on") == code
    assert capsys.readouterr() == ("", said)


def test_what_nobody_expects_is_a_bug_and_shown_as_one() -> None:
    assert carry_out("command", lambda: 7, "") == 7
    for bug in (ZeroDivisionError("bug"), ValueError("bug"), ModuleNotFoundError("typo", name="nunpy")):
        with pytest.raises(type(bug)):
            carry_out("command", raising(bug), "")


def test_a_reader_of_the_output_that_has_gone_is_no_error(tmp_path: Path) -> None:
    code = (
        "import sys; from hybrid_propagate.driver.commands.ending import carry_out\n"
        "def run():\n    for k in range(10**6): print(k)\n"
        "sys.exit(carry_out('command', run, ''))"
    )
    with (tmp_path / "errors").open("w") as said:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=said)
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 1
    assert (tmp_path / "errors").read_text() == ""


def test_a_table_s_reader_that_has_gone_is_no_file_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`hybrid-spectrum run.h5 | head -3` and `hybrid-atomic solve He --json | head -3`."""
    gone = BrokenPipeError(errno.EPIPE, "Broken pipe")
    monkeypatch.setattr(spectrum, "_one", lambda *_: raising(gone)())
    assert spectrum.main(["run.h5"]) == 1
    assert capsys.readouterr().err == ""
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-u", "-m", "hybrid_propagate.atomic.commands.main", "solve", "He", "--json"]
    ended = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert ended.returncode == 1
    assert [line for line in ended.stderr.splitlines() if not line.startswith("iteration")] == []
