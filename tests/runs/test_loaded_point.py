"""`load restart` of a point that the deck does not lead to."""

import re
from collections.abc import Callable
from pathlib import Path

import hybrid_propagate as hp
import pytest

from tests.support.small_decks import kicked

H2 = "  H 0 0 0\n  H 0 0 0.74"


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """A deck beside its restart file, with another value in that one's head; the point is 7 of 10, at 0.6."""
    monkeypatch.chdir(tmp_path)
    deck, file = tmp_path / "deck.nw", tmp_path / "run.rt_restart"
    deck.write_text(kicked(H2, start="run", tmax=0.6, dt=0.1, xc="hfexch", steps="  nrestarts *"))
    hp.propagate(deck, surrogate="none")
    deck.write_text(kicked(H2, start="run", tmax=1.0, dt=0.1, xc="hfexch", rest="  load restart"))

    def change(name: str, value: str) -> Path:
        text = file.read_text()
        file.write_text(re.sub(rf"^{name} .*$", f"{name:10s}{value}", text, count=1, flags=re.MULTILINE))
        return deck

    return change


def test_a_point_that_nothing_follows(saved: Callable[[str, str], Path]) -> None:
    with pytest.raises(hp.BadInput, match=r"run\.rt_restart: point 99999 lies at the end or beyond"):
        hp.propagate(saved("it", "99999"), surrogate="none")


def test_a_time_that_is_not_the_decks_is_told(
    saved: Callable[[str, str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    """NWChem goes on from the file's time, without a word, after a change of dt."""
    run = hp.propagate(saved("t", "7.123"), surrogate="none")
    assert run.time[0] == pytest.approx(7.123)
    said = capfd.readouterr().err
    assert "is at 7.123 au; by the deck's dt it would be at 0.6" in said


def test_the_point_itself_is_no_news(
    saved: Callable[[str, str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    run = hp.propagate(saved("created", "then"), surrogate="none")
    assert run.time[0] == pytest.approx(0.6)
    assert "by the deck's dt" not in capfd.readouterr().err
