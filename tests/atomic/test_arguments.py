"""What every command line has."""

import os
import subprocess
import sysconfig
import tempfile
from pathlib import Path

import pytest
from hybrid_propagate.driver.commands.propagate import main as propagate

PROGRAM = Path(sysconfig.get_path("scripts")) / "hybrid-propagate"


@pytest.mark.parametrize("words", [["--tol", "zero", "a.nw"], ["a.nw", "--nonsense"], []])
def test_an_error_is_one_line_without_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        propagate(words)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("hybrid-propagate: ")
    assert said.count("\n") == 1
    assert "--help" in said


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        propagate(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "hybrid-propagate 0.1.0\n"


def test_a_shell_completes_options() -> None:
    """By argcomplete's protocol, as bash speaks it."""
    with tempfile.NamedTemporaryFile() as answer:
        line = "hybrid-propagate --sur"
        subprocess.run(
            [PROGRAM],
            env=os.environ
            | {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": " "}
            | {"_ARGCOMPLETE_STDOUT_FILENAME": answer.name},
            check=True,
        )
        assert Path(answer.name).read_text().split() == ["--surrogate"]
