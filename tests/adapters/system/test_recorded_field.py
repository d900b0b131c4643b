"""Fields of files: `type file`, which NWChem's parser takes and its propagation refuses."""

import math
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.deck import DeckError, PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.system.real_time import applied_field
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.run.check import check_deck
from small_decks import kicked

KICK = "    type delta\n    polarization z\n    max 0.0001\n"
GAUSSIAN = """    type gaussian
    polarization angle 90 60
    frequency 0.4
    center 1.0
    width 0.5
    max 0.02
"""


def deck(field: str) -> str:
    return kicked(tmax=2.4, steps="  print dipole energy field").replace(KICK, field)


def write_pulse(path: Path) -> None:
    """The values of GAUSSIAN at the points of the run and behind it."""
    rows = []
    for k in range(14):
        t = 0.2 * k
        size = 0.02 * math.sin(0.4 * t) * math.exp(-((t - 1.0) ** 2) / (2 * 0.5**2))
        rows.append(f"{t!r} {0.5 * size!r} {math.sqrt(0.75) * size!r} 0.0")
    path.write_text("# time Ex Ey Ez, au\n" + "\n".join(rows) + "\n")


def test_a_recorded_pulse_is_the_pulse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dipole is that of NWChem's own Gaussian: 7.0.2 on the deck with it, total dipole at 2.0 au."""
    monkeypatch.chdir(tmp_path)
    write_pulse(Path("pulse.txt"))
    Path("d.nw").write_text(deck("    type file pulse.txt\n"))
    assert main(["d.nw"]) == 0
    captured = capsys.readouterr()
    assert "d.nw:20: field type file is carried out here alone" in captured.err
    assert '"kick.x"' in captured.out
    with h5py.File("water.h5") as file:
        assert file["dynamics/time"][10] == pytest.approx(2.0)
        assert file["dynamics/dipole"][10] == pytest.approx(
            [2.587323778544e-5, 1.823694097740e-2, -0.6675819605040], abs=2e-6
        )


def test_between_and_beyond_the_points(tmp_path: Path) -> None:
    """Linear between the points of the file, nothing before and after; zero components are left out."""
    (tmp_path / "f.txt").write_text("1 0 0.1 0\n2 0 0.3 -1d-2 # comment\n")
    path = tmp_path / "d.nw"
    path.write_text(deck(f"    type file {tmp_path}/f.txt\n"))
    task = read_deck(path).tasks[-1]
    assert isinstance(task, PropagationTask)
    assert [f.name for f in task.real_time.fields] == ["kick.y", "kick.z"]
    found = [applied_field(task.real_time, t) for t in (0.9, 1.0, 1.25, 2.0, 2.1)]
    assert np.array(found) == pytest.approx(
        np.array([[0, 0, 0], [0, 0.1, 0], [0, 0.15, -0.0025], [0, 0.3, -0.01], [0, 0, 0]])
    )
    with pytest.raises(DeckError, match=r"d\.nw:\d+: field type file is carried out with --engine pyscf"):
        check_deck(read_deck(path), "nwchem", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0 0 1\n0 0 0 2\n", "line 2: times do not rise"),
        ("0 0 0 1\n\n1 0 0\n", "line 3: accepted: time Ex Ey Ez"),
        ("0 0 0 1\n1 0 0 nan\n", "line 2: a time beyond"),
        ("0 0 0 1\n", "fewer than two rows"),
        ("0 0 0 0\n1 0 0 0\n", "the field is zero throughout"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "f.txt").write_text(text)
    (tmp_path / "d.nw").write_text(deck(f"    type file {tmp_path}/f.txt\n"))
    with pytest.raises(DeckError, match=rf"d\.nw:20: .*f\.txt: {message}"):
        read_deck(tmp_path / "d.nw")


def test_a_file_goes_with_no_words_of_other_shapes(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("0 0 0 1\n1 0 0 0\n")
    (tmp_path / "d.nw").write_text(deck(f"    type file {tmp_path}/f.txt\n    max 0.1\n"))
    with pytest.raises(DeckError, match="cannot supply max if type is file"):
        read_deck(tmp_path / "d.nw")
