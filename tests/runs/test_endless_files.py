"""Named pipes where a command looks for a file: one line and exit code 2, and nothing is waited for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import COMMAND
from tests.support.small_decks import kicked

H2 = "  H 0 0 0\n  H 0 0 0.74"
SPECTRUM = (sys.executable, "-m", "hybrid_propagate.driver.commands.spectrum")


def refused(folder: Path, command: tuple[str, ...]) -> str:
    """What a command says of its input, which is one line."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    *_, said = [line for line in done.stderr.splitlines() if line.startswith("hybrid-")]
    assert "Traceback" not in done.stderr
    return said


@pytest.mark.parametrize(
    ("pipe", "rest", "arguments"),
    [
        ("run.h5", "", ("deck.nw", "--restart")),
        ("prior.h5", "", ("deck.nw", "--prior", "prior.h5")),
        ("run.rt_restart", "  load restart", ("deck.nw",)),
        ("deck.nw", "", ("deck.nw",)),
        ("frames.xyz", "", ("deck.nw", "frames.xyz")),
    ],
)
def test_propagate(pipe: str, rest: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "deck.nw").write_text(kicked(H2, start="run", tmax=1.0, xc="hfexch", rest=rest))
    (tmp_path / pipe).unlink(missing_ok=True)
    os.mkfifo(tmp_path / pipe)
    said = refused(tmp_path, (*COMMAND, *arguments))
    assert f"{pipe}" in said
    assert "a named pipe, not a file" in said


def test_spectrum(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    assert "a named pipe, not a file" in refused(tmp_path, (*SPECTRUM, "log"))
