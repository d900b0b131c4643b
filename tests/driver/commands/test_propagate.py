"""What `hybrid-propagate` says and returns when something is wrong."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import main

DECK = """start h2
{directive}
geometry "h2" units angstroms nocenter noautosym noautoz
  H 0 0 0
  H 0 0 0.74
end
set geometry "h2"
basis
  * library 6-31G
end
dft
  xc pbe0
  {dft}
end
task dft energy
{top}
rt_tddft
  tmax {tmax}
  dt 0.1
  {rt}
  field "kick"
    type delta
    polarization z
    max 0.01
  end
  excite "h2" with "kick"
  print dipole
end
task dft rt_tddft
"""


def write_deck(**words: object) -> str:
    """A deck in the working folder."""
    Path("h2.nw").write_text(
        DECK.format(**{"directive": "", "dft": "", "top": "", "rt": "", "tmax": 3.0, **words})
    )
    return "h2.nw"


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The only line on standard error that is not about what runs, without a traceback."""
    error = capsys.readouterr().err
    assert "Traceback" not in error
    lines = [
        line for line in error.strip().splitlines() if not re.match("h2:|hybrid-propagate: h2: H2,", line)
    ]
    assert len(lines) == 1, error
    return lines[0]


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_interrupted_check_speaks_of_no_checkpoint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("hybrid_propagate.driver.commands.check.check", stopped)
    assert main(["deck.nw", "--check"]) == 130
    assert capsys.readouterr().err == "hybrid-propagate: interrupted\n"


def test_missing_deck(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.nw"]) == 2
    assert "nowhere.nw" in one_line(capsys)


def test_folder_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path("perm").write_text("a file where a folder should be")
    assert main([write_deck(directive="permanent_dir ./perm")]) == 2
    assert "perm" in one_line(capsys)


def test_scf_that_does_not_converge(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([write_deck(dft="iterations 1")]) == 1
    assert "did not converge in 1 iterations" in one_line(capsys)


def test_orbitals_that_nobody_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([write_deck(rt='load vectors "other.movecs"')]) == 2
    assert "other.movecs" in one_line(capsys)


def test_restart_file_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([write_deck(rt="load restart")]) == 2
    assert "h2.rt_restart" in capsys.readouterr().err


def test_disk_full() -> None:
    """A limit on the size of files stands for a full disk: one line, and nothing half-written."""
    deck = write_deck(tmax=200.0)
    ended = subprocess.run(
        [sys.executable, "-m", "hybrid_propagate.driver.commands.propagate", deck],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )
    assert ended.returncode == 1, ended.stderr
    assert "cannot write" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(Path().glob(".*.part"))
    if Path("h2.h5").exists():
        with h5py.File("h2.h5") as file:
            assert "checkpoint" in file


def test_nothing_to_propagate(capsys: pytest.CaptureFixture[str]) -> None:
    """NWChem makes no step where tmax is not beyond dt, and ends well."""
    assert main([write_deck(tmax=0.1)]) == 0
    log = capsys.readouterr().out
    assert "Propagation started" in log
    assert "Propagation finished" in log


def test_snapshots_become_cube_files() -> None:
    plot = "dplot\n limitxyz\n -6 6 48\n -6 6 48\n -6 6.74 48\n spin total\n gaussian\nend"
    shown = "visualization\n tstart 0.5\n tend 0.8\n dplot\n end"
    assert main([write_deck(top=plot, rt=shown)]) == 0
    cubes = sorted(Path().glob("density.*.cube"))
    assert [cube.name for cube in cubes] == [f"density.{it:010d}.cube" for it in (6, 7, 8, 9)]
    lines = cubes[0].read_text().splitlines()
    steps = [float(line.split()[1 + axis]) for axis, line in enumerate(lines[3:6])]
    values = np.array([float(v) for line in lines[8:] for v in line.split()])
    assert values.size == 49**3
    # Two electrons in the box; a quarter of an angstrom is a coarse rule for the cusps.
    assert values.sum() * np.prod(steps) == pytest.approx(2.0, abs=0.01)


def test_several_runs_do_not_overwrite_one_another_s_cubes() -> None:
    """NWChem's names hold the number of the point alone; its own second task writes over the first one's."""
    plot = "dplot\n limitxyz\n -6 6 8\n -6 6 8\n -6 6.74 8\n spin total\n gaussian\nend"
    shown = 'tag "z"\n visualization\n tstart 0.5\n tend 0.6\n dplot\n end'
    deck = Path(write_deck(top=plot, rt=shown, tmax=1.0))
    text = deck.read_text()
    second = text[text.index("rt_tddft\n") :].replace('tag "z"', 'tag "x"').replace("zation z", "zation x")
    deck.write_text(f"{text}unset rt_tddft:*\n{second}")
    assert main([str(deck)]) == 0
    cubes = {cube.name: cube.read_text() for cube in Path().glob("*.cube")}
    assert set(cubes) == {f"h2_{tag}_density.{it:010d}.cube" for tag in "zx" for it in (6, 7)}
    assert len(set(cubes.values())) == 4
    Path("frames.xyz").write_text("".join(f"2\n\nH 0 0 0\nH 0 0 {z}\n" for z in (0.74, 0.8)))
    for cube in cubes:
        Path(cube).unlink()
    deck.write_text(text)
    assert main([str(deck), "frames.xyz"]) == 0
    names = {cube.name for cube in Path().glob("*.cube")}
    assert names == {f"h2_{frame}_density.{it:010d}.cube" for frame in (1, 2) for it in (6, 7)}


def test_prof_tells_where_the_time_went(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([write_deck(rt="prof")]) == 0
    assert " [prof] surrogate steps took " in capsys.readouterr().out
