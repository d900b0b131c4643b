"""Delays as the command reads them, and one line for what it cannot read."""

from pathlib import Path

import pytest
from hybrid_propagate.driver.commands.pump_probe import _delays, main


@pytest.mark.parametrize(
    ("text", "delays"),
    [
        ("0:3:1", [0.0, 1.0, 2.0]),
        ("0:0.5:0.2", [0.0, 0.2, 0.4]),
        ("-1:1:0.5", [-1.0, -0.5, 0.0, 0.5]),
        ("3,-1.5,0", [3.0, -1.5, 0.0]),
        ("7", [7.0]),
    ],
)
def test_delays_are_read(text: str, delays: list[float]) -> None:
    assert _delays(text) == delays


@pytest.mark.parametrize("text", ["", "0:3", "0:3:0", "3:0:1", "a", "1,,2", "0:inf:1", "nan", "0:1e9:1"])
def test_what_are_no_delays(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["deck.nw", f"--delays={text}"])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--delays" in line


def test_no_deck_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["nowhere.nw", "--delays", "0:3:1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("hybrid-pump-probe: nowhere.nw")
