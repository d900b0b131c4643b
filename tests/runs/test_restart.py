"""Runs that are killed, interrupted, lengthened or changed, and go on with --restart."""

import random
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.files.trajectory import read_contents

DECK = """start water
geometry units au nocenter noautoz noautosym
  O 0.0 0.0 0.2217
  H 0.0 1.4309 -0.8867
  H 0.0 -1.4309 -0.8867
end
basis
  * library {basis}
end
dft
  xc {xc}
end
task dft energy
rt_tddft
  tmax {tmax}
  dt 0.2
  nchecks {checks}
  field "kick"
    type gaussian
    polarization z
    frequency 0.4
    center 6.0
    width 2.0
    max {size}
  end
  excite "geometry" with "kick"
  print dipole energy
end
task dft rt_tddft
"""
HARTREE_FOCK = {"basis": "STO-3G", "xc": "hfexch", "tmax": 60.0, "size": 0.002, "checks": 10}
PBE0 = {"basis": "STO-3G", "xc": "pbe0", "tmax": 12.0, "size": 0.01, "checks": 10}
#: The same, with no check points.
UNCHECKED = HARTREE_FOCK | {"checks": 0, "tmax": 8.0}
#: Short segments: many places to be stopped at.
ARGUMENTS = {
    "none": ("--surrogate", "none"),
    "response": ("--surrogate", "response", "--max-ml-steps", "10"),
    "rollout": ("--surrogate", "rollout", "--max-ml-steps", "10"),
}


def write_deck(folder: Path, **values: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "water.nw").write_text(DECK.format(**values))


@pytest.fixture(scope="session")
def whole(propagate_in, tmp_path_factory: pytest.TempPathFactory):
    """The uninterrupted trajectory of a deck and the seconds it took, run once."""
    made: dict[str, tuple[Path, float]] = {}

    def run(surrogate: str, deck: dict[str, object]) -> tuple[Path, float]:
        name = f"{surrogate} {deck}"
        if name not in made:
            folder = tmp_path_factory.mktemp("whole")
            write_deck(folder, **deck)
            began = time.monotonic()
            ended = propagate_in(folder, "water.nw", *ARGUMENTS[surrogate])
            assert ended.returncode == 0, ended.stderr
            made[name] = folder / "water.h5", time.monotonic() - began
        return made[name]

    return run


def largest_difference(one: Path, other: Path) -> float:
    """Of the dipoles, all points; the times must be the same."""
    a, b = read_contents(one).series, read_contents(other).series
    np.testing.assert_array_equal(a["time"], b["time"])
    return float(np.abs(a["dipole"] - b["dipole"]).max())


def wait_for(process: subprocess.Popen[str], path: Path, n_points: float) -> int:
    """Wait until the file holds so many points; returns how many it holds then."""
    deadline = time.monotonic() + 120.0
    held = 0
    while held < n_points:
        assert process.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.02)
        # A file is replaced as a whole: whenever it can be opened it can be read.
        held = int(read_contents(path).attributes["n_steps"]) if path.exists() else 0
    return held


@pytest.mark.parametrize(
    ("surrogate", "deck", "seed"),
    [("none", PBE0, 0), ("response", HARTREE_FOCK, 1), ("response", PBE0, 2), ("rollout", PBE0, 3)],
)
def test_killed_at_random_moments(
    tmp_path: Path, whole, propagate_from, propagate_in, surrogate: str, deck: dict[str, object], seed: int
) -> None:
    """SIGKILL, twice, then to the end: the trajectory of the uninterrupted run to 1e-10 au in the dipole, and
    a log with every point once. A thousand more kills: benchmarks/runs/kills.py."""
    undisturbed, _ = whole(surrogate, deck)
    n_points = len(read_contents(undisturbed).series["time"])
    write_deck(tmp_path, **deck)
    moments = random.Random(seed)
    path = tmp_path / "water.h5"
    reached = 0
    for restart in ([], ["--restart"]):
        process = propagate_from(tmp_path, "water.nw", *ARGUMENTS[surrogate], *restart, "--log", "run.log")
        goal = reached + moments.uniform(0.05, 0.4) * n_points
        reached = wait_for(process, path, goal)
        time.sleep(moments.uniform(0.0, 0.05))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        kept = read_contents(path)
        assert len(kept.series["time"]) == int(kept.checkpoint["state_step"]) >= reached
    assert 0 < reached < n_points
    ended = propagate_in(tmp_path, "water.nw", *ARGUMENTS[surrogate], "--restart", "--log", "run.log")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == ""
    assert largest_difference(path, undisturbed) < 1e-10
    assert read_contents(path).attributes["complete"]
    lines = (tmp_path / "run.log").read_text().splitlines()
    printed = [float(line.split()[1]) for line in lines if "Dipole moment [geometry]" in line]
    np.testing.assert_allclose(printed, read_contents(path).series["time"], atol=1e-4)


@pytest.mark.parametrize("surrogate", ["none", "response"])
def test_interrupted_by_the_user(tmp_path: Path, whole, propagate_from, propagate_in, surrogate: str) -> None:
    """One Ctrl-C: exit code 130, no traceback, a file to go on from, and the trajectory is the same."""
    undisturbed, _ = whole(surrogate, PBE0)
    write_deck(tmp_path, **PBE0)
    path = tmp_path / "water.h5"
    process = propagate_from(tmp_path, "water.nw", *ARGUMENTS[surrogate])
    wait_for(process, path, 5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert errors.rstrip().endswith(f"interrupted; --restart goes on from the last checkpoint, {path}")
    assert not read_contents(path).attributes["complete"]
    ended = propagate_in(tmp_path, "water.nw", *ARGUMENTS[surrogate], "--restart")
    assert ended.returncode == 0, ended.stderr
    assert "### Propagation successfully restarted ###" in ended.stdout
    assert largest_difference(path, undisturbed) < 1e-10


def test_a_longer_tmax_goes_on(tmp_path: Path, whole, propagate_in) -> None:
    """Without check points, whose places depend on tmax, the long run's beginning is the short run."""
    undisturbed, _ = whole("none", UNCHECKED)
    short = UNCHECKED | {"tmax": 4.0}
    write_deck(tmp_path, **short)
    assert propagate_in(tmp_path, "water.nw", *ARGUMENTS["none"]).returncode == 0
    assert len(read_contents(tmp_path / "water.h5").series["time"]) == 19
    write_deck(tmp_path, **UNCHECKED)
    ended = propagate_in(tmp_path, "water.nw", *ARGUMENTS["none"], "--restart")
    assert ended.returncode == 0, ended.stderr
    assert largest_difference(tmp_path / "water.h5", undisturbed) < 1e-10


def test_what_is_done_is_not_done_again(tmp_path: Path, propagate_in) -> None:
    write_deck(tmp_path, **(PBE0 | {"tmax": 1.0}))
    assert propagate_in(tmp_path, "water.nw").returncode == 0
    before = (tmp_path / "water.h5").read_bytes()
    ended = propagate_in(tmp_path, "water.nw", "--restart")
    assert ended.returncode == 0, ended.stderr
    assert "Dipole moment" not in ended.stdout
    assert (tmp_path / "water.h5").read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "arguments", "word"),
    [
        ("dt 0.2", "dt 0.1", (), "dt"),
        ("max 0.01", "max 0.02", (), "field kick: max"),
        ("xc pbe0", "xc b3lyp", (), "xc was pbe0,"),
        ("xc pbe0", "xc pbe0\n  smear 0.02", (), "SCF: smear was not set, water.nw:12 says 0.02"),
        ("STO-3G", "3-21G", (), "basis"),
        ("0.2217", "0.2218", (), "geometry"),
        ("nchecks 10", "nchecks 3", (), "nchecks"),
        ("", "", ("--tol", "1e-2"), "--tol"),
        ("", "", ("--surrogate", "none"), "--surrogate"),
        ("", "", ("--max-ml-steps", "50"), "--max-ml-steps"),
    ],
)
def test_changed_settings_are_refused(
    short_run: Path, propagate_in, old: str, new: str, arguments: tuple[str, ...], word: str
) -> None:
    """Exit code 2, one line that names the file and what has changed; the file stays as it was."""
    deck = DECK.format(**(PBE0 | {"tmax": 1.0}))
    (short_run / "water.nw").write_text(deck.replace(old, new) if old else deck)
    before = (short_run / "water.h5").read_bytes()
    ended = propagate_in(short_run, "water.nw", "--restart", *arguments)
    assert ended.returncode == 2
    (line,) = [row for row in ended.stderr.splitlines() if "made with other settings" in row]
    assert "water.h5" in line
    assert word in line
    assert (short_run / "water.h5").read_bytes() == before


@pytest.fixture(scope="module")
def short_run(propagate_in, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run of four points."""
    folder = tmp_path_factory.mktemp("short")
    write_deck(folder, **(PBE0 | {"tmax": 1.0}))
    assert propagate_in(folder, "water.nw").returncode == 0
    return folder
