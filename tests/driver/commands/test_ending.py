"""How commands end, whatever is raised in them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hybrid_propagate.driver.commands.ending import Errors, carry_out


class BadInput(Exception):
    """Stands for a reader's error."""


class Failure(Exception):
    """Stands for what a reference code ended with."""

    tail = ("its last words",)


def errors() -> tuple[Errors, Errors]:
    return (BadInput,), (Failure,)


def raising(error: BaseException) -> Callable[[], int]:
    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BadInput("deck.nw:3: unknown word"), 2, "command: deck.nw:3: unknown word\n"),
        (BadInput("two\nlines"), 2, "command: two lines\n"),
        (Failure("it ended badly"), 1, "  nwchem| its last words\ncommand: it ended badly\n"),
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
    assert carry_out("command", raising(error), errors, "stopped; go on") == code
    assert capsys.readouterr() == ("", said)


def test_what_is_expected_decides(capsys: pytest.CaptureFixture[str]) -> None:
    """OSError is bad input where a command says so; what nobody expects is a bug, and shown as one."""
    missing = FileNotFoundError(2, "No such file", "x")
    assert carry_out("command", raising(missing), lambda: ((OSError,), ()), "") == 2
    assert carry_out("command", lambda: 7, errors, "") == 7
    assert capsys.readouterr().err == "command: x: No such file\n"
    for bug in (ZeroDivisionError("bug"), ModuleNotFoundError("typo", name="nunpy")):
        with pytest.raises(type(bug)):
            carry_out("command", raising(bug), errors, "")


def test_a_reader_of_the_output_that_has_gone_is_no_error(tmp_path: Path) -> None:
    code = (
        "import sys; from hybrid_propagate.driver.commands.ending import carry_out\n"
        "def run():\n    for k in range(10**6): print(k)\n"
        "sys.exit(carry_out('command', run, lambda: ((), ()), ''))"
    )
    with (tmp_path / "errors").open("w") as said:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=said)
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 1
    assert (tmp_path / "errors").read_text() == ""
