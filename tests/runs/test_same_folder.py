"""Two runs of one name in one folder, at once and one after the other."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.files.trajectory import read_contents
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


@pytest.mark.parametrize("attempt", range(2))
def test_of_two_at_once_one_runs(tmp_path: Path, propagate_from, attempt: int) -> None:
    """The other ends with exit code 2 and one line; every point is there once."""
    (tmp_path / "h.nw").write_text(kicked(HYDROGEN, tmax=60.0, start="h", xc="hfexch", kick=0.001))
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
    ended = propagate_in(finished, "other.nw")
    assert ended.returncode == 0, ended.stderr
    assert "the earlier run of this name is kept as h.1.h5" in ended.stderr
    np.testing.assert_array_equal(read_contents(finished / "h.1.h5").series["dipole"], before)
    assert np.abs(read_contents(finished / "h.h5").series["dipole"] - before).max() > 1e-6
    for end in ("json", "png", "rt_restart"):
        assert (finished / f"h.1.{end}").exists()
        assert not (finished / f"h.1.{end}").samefile(finished / f"h.{end}")
