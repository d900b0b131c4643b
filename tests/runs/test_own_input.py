"""No command writes over what it reads, whatever the file is called on the way; and says so in one line."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import hybrid_propagate as hp
import pytest
from hybrid_propagate.atomic.errors import BadInput
from hybrid_propagate.driver.commands import convert, propagate, read, spectrum, train, warmstart
from small_decks import kicked

Command = Callable[[Sequence[str] | None], int]

HYDROGEN = "H 0 0 0\nH 0 0 0.74"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that are read, under names that no ending betrays; their contents are never looked at."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deck").write_text(kicked(HYDROGEN, tmax=1.0))
    for name in ("run.h5", "x.dat", "frames", "x_start.movecs", "weights.pt", "log.h5"):
        (tmp_path / name).write_text("precious")
    (tmp_path / "link").symlink_to("deck")
    os.link(tmp_path / "run.h5", tmp_path / "copy.csv")
    return tmp_path


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (propagate.main, ["deck", "--log", "deck"]),
        (propagate.main, ["deck", "--log", "link"]),
        (propagate.main, ["deck", "frames", "--log", "frames"]),
        (propagate.main, ["deck", "--log", "run.h5"]),
        (propagate.main, ["deck", "--log", "other.JSON"]),
        (propagate.main, ["deck", "--log", "other.nw"]),
        (read.main, ["run.h5", "--to", "csv", "--output", "run.h5"]),
        (read.main, ["run.h5", "--to", "csv", "--output", "copy.csv"]),
        (spectrum.main, ["x.dat", "--output", "x"]),
        (warmstart.main, ["deck", "--from", "x_start.movecs", "--output", "x_start"]),
        (convert.main, ["deck", "log.h5", "frames", "--output", "log.h5"]),
        (train.main, ["adapt", "weights.pt", "--data", ".", "--output", "weights.pt"]),
    ],
)
def test_what_is_read_is_not_written_over(
    folder: Path, main: Command, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(words) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert "would be written over" in said or "is no log's ending; accepted: such as .log" in said
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_nor_from_python(folder: Path) -> None:
    for run in (hp.propagate, hp.propagate_all):
        with pytest.raises(BadInput, match="log deck: is read by the run"):
            run("deck", log="deck")
    assert (folder / "deck").read_text() == kicked(HYDROGEN, tmax=1.0)
