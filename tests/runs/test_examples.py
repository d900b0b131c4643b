"""Scripts of examples/ that run decks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hybrid_propagate.driver.commands.spectrum import main as spectrum_main

ROOT = Path(__file__).parents[2]


def test_water_spectrum_prints_the_lines_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both from the trajectories and from the log that the script leaves."""
    ended = subprocess.run(
        [sys.executable, ROOT / "examples/water_spectrum.py"],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    printed = ended.stdout.splitlines()
    names = [f"water_spectrum_kick_{axis}.h5" for axis in "xyz"]
    assert [line.split(":")[0] for line in printed[:3]] == names
    lines = [[float(word) for word in line.split()] for line in printed[4:]]
    assert len(lines) >= 3
    monkeypatch.chdir(tmp_path)
    for files, close in ((names, 1e-9), (["water_spectrum.log"], 2e-3)):
        assert spectrum_main([*files, "--emax", "25"]) == 0
        maxima = capsys.readouterr().out.split(" fitted (eV)")[0]
        rows = [row.split() for row in maxima.splitlines()[1:]]
        assert [float(row[0]) for row in rows] == pytest.approx([line[0] for line in lines], abs=close)
        assert [float(row[2]) for row in rows] == pytest.approx([line[1] for line in lines], abs=close)
