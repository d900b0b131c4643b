"""Two runs of one name in one folder, at once and one after the other."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import Place
from hybrid_propagate.adapters.files.run_lock import locked
from hybrid_propagate.adapters.files.trajectory import TrajectoryError, read_contents
from hybrid_propagate.driver.earlier.changes import DeckSettings
from hybrid_propagate.driver.earlier.continued import Wanted, continued
from hybrid_propagate.driver.spectra.records import joined, read_records
from small_decks import kicked

HYDROGEN = "  H 0 0 0\n  H 0 0 0.74"
DECK = kicked(HYDROGEN, tmax=4.0, start="h", xc="hfexch", kick=0.001)


@pytest.fixture(scope="module")
def finished(propagate_in, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "h.nw").write_text(DECK)
    ended = propagate_in(folder, "h.nw")
    assert ended.returncode == 0, ended.stderr
    assert not (folder / "h.lock").exists()
    return folder


def test_of_two_at_once_one_runs(tmp_path: Path, propagate_from) -> None:
    """The other ends with exit code 2 and one line; every point is there once."""
    (tmp_path / "h.nw").write_text(kicked(HYDROGEN, tmax=30.0, start="h", xc="hfexch", kick=0.001))
    pair = [propagate_from(tmp_path, "h.nw", "--max-ml-steps", "5") for _ in range(2)]
    errors = [process.communicate()[1] for process in pair]
    codes = [process.returncode for process in pair]
    assert sorted(codes) == [0, 2], errors
    # Beside the first line, which tells what would run.
    _, line = errors[codes.index(2)].splitlines()
    assert "h.lock" in line
    assert f"process {pair[codes.index(0)].pid}" in line
    assert (np.diff(read_contents(tmp_path / "h.h5").series["time"]) > 0.0).all()


def test_again_the_same_digits_and_another_deck_replaces_nothing(finished: Path, propagate_in) -> None:
    """The same deck is made again; another functional of the same name leaves the first run as h.1.h5."""
    before = read_contents(finished / "h.h5").series["dipole"]
    assert propagate_in(finished, "h.nw").returncode == 0
    np.testing.assert_array_equal(read_contents(finished / "h.h5").series["dipole"], before)
    assert not (finished / "h.1.h5").exists()
    (finished / "other.nw").write_text(DECK.replace("hfexch", "pbe0"))
    ended = propagate_in(finished, "other.nw", "--log", "other.log")
    assert ended.returncode == 0, ended.stderr
    assert "the earlier run of this name is kept as h.1.h5" in ended.stderr
    np.testing.assert_array_equal(read_contents(finished / "h.1.h5").series["dipole"], before)
    assert np.abs(read_contents(finished / "h.h5").series["dipole"] - before).max() > 1e-6
    for end in ("json", "png", "rt_restart"):
        assert (finished / f"h.1.{end}").exists()
        assert not (finished / f"h.1.{end}").samefile(finished / f"h.{end}")
    # --restart goes on from the second run, in its log.
    (finished / "other.nw").write_text(kicked(HYDROGEN, tmax=6.0, start="h", xc="pbe0", kick=0.001))
    ended = propagate_in(finished, "other.nw", "--restart", "--log", "other.log")
    assert ended.returncode == 0, ended.stderr
    assert "h.h5: goes on at point 20" in ended.stderr
    assert not (finished / "h.2.h5").exists()
    lines = (finished / "other.log").read_text().splitlines()
    printed = [float(line.split()[1]) for line in lines if "Dipole moment [molecule]" in line]
    np.testing.assert_allclose(printed, read_contents(finished / "h.h5").series["time"], atol=1e-4)
    (finished / "h.h5").write_bytes((finished / "h.1.h5").read_bytes())


def wanted(path: Path) -> Wanted:
    """What the deck of `finished` asks for."""
    attributes = read_contents(path).attributes
    place = Place(str(path.with_name("h.nw")), 999)
    return Wanted(
        DeckSettings(json.loads(str(attributes["settings"])), str(attributes["functional"]), place), 4.0, 0.2
    )


def test_what_restart_says(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line: of nothing, of a finished run, of a longer and a shorter one, and of changed settings."""
    path = finished / "h.h5"
    lines = (finished / "h.nw").read_text().splitlines()
    tmax, dt = (1 + [line.split()[:1] for line in lines].index([word]) for word in ("tmax", "dt"))
    plain = wanted(path)
    assert continued(finished / "none.h5", plain) is None
    assert "none.h5 is not there" in capsys.readouterr().err
    for end, said in (
        (4.0, "h.h5 is complete: nothing is left"),
        (2.0, f"h.nw:{tmax} says 2: nothing is left"),
        (9.0, f"goes on at point 20, 3.80 au; tmax was 4, {finished / 'h.nw'}:{tmax} says 9"),
    ):
        assert continued(path, replace(plain, tmax=end)) is not None
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line
    now = replace(plain.now, settings={**plain.now.settings, "dt": "0.1", "--tol": "0.5"})
    changed = replace(plain, now=now, dt=0.1)
    with pytest.raises(TrajectoryError) as error:
        continued(path, changed)
    assert f"dt was 0.2, {finished / 'h.nw'}:{dt} says 0.1" in str(error.value)
    assert "--tol was 0.001, now 0.5" in str(error.value)


def test_the_second_of_two_leaves_the_firsts_log(tmp_path: Path, propagate_in) -> None:
    """A name that is taken: exit code 2, and the log that the other process writes keeps its lines."""
    (tmp_path / "h.nw").write_text(DECK)
    (tmp_path / "run.log").write_text("lines of the first\n")
    with locked([tmp_path / "h.lock"]):
        ended = propagate_in(tmp_path, "h.nw", "--log", "run.log")
    assert ended.returncode == 2
    assert "h.lock" in ended.stderr
    assert (tmp_path / "run.log").read_text() == "lines of the first\n"


def test_parts_of_one_run_stand_side_by_side(tmp_path: Path, propagate_in, finished: Path) -> None:
    """A second deck with `load restart`: the first part stays as h.1.h5, and both give the whole dipole."""
    parts = [
        kicked(HYDROGEN, tmax=end, start="h", xc="hfexch", kick=0.001, steps=line)
        for end, line in ((2.0, "nrestarts 5"), (4.0, "load restart"))
    ]
    for number, deck in enumerate(parts):
        (tmp_path / f"part{number}.nw").write_text(deck)
        ended = propagate_in(tmp_path, f"part{number}.nw")
        assert ended.returncode == 0, ended.stderr
    (record,) = joined([part for name in ("h.1.h5", "h.h5") for part in read_records(tmp_path / name)])
    whole = read_contents(finished / "h.h5").series
    np.testing.assert_allclose(record.time, whole["time"], atol=1e-9)
    assert np.abs(record.dipole - whole["dipole"]).max() < 1e-6
