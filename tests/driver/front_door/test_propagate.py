"""`propagate` and `propagate_all` against the command, and what they refuse."""

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import hybrid_propagate as hp
import numpy as np
import pytest
from hybrid_propagate.adapters.files.xyz_frames import FramesError
from hybrid_propagate.adapters.free_format.errors import DeckError
from hybrid_propagate.adapters.pyscf.ground_state import NotConverged
from hybrid_propagate.driver.commands.propagate import main
from small_decks import HYDRIDE, kicked


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_deck(**words: object) -> str:
    """A deck of lithium hydride in the working folder, kicked along z."""
    Path("lih.nw").write_text(kicked(HYDRIDE, **{"tmax": 4.0, "start": "lih", **words}))
    return "lih.nw"


def write_two() -> str:
    """The same, kicked along z and then along x."""
    deck = write_deck(steps='  tag "z"')
    text = Path(deck).read_text()
    second = text[text.index("rt_tddft\n") :].replace('tag "z"', 'tag "x"').replace("zation z", "zation x")
    Path(deck).write_text(f"{text}unset rt_tddft:*\n{second}")
    return deck


def dynamics(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: values[()] for name, values in file["dynamics"].items()}


def test_a_deck_gives_what_the_command_gives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same files, log and progress; nothing on standard output unless it is the log's stream."""
    deck = write_deck(rest="  print dipole field energy")
    assert main([deck, "--tol", "1e-2", "--max-ml-steps", "7", "--save-density", "3"]) == 0
    printed, progress = capsys.readouterr()
    command = dynamics(Path("lih.h5"))
    files = {path.name for path in tmp_path.iterdir()}
    for path in tmp_path.glob("lih.[!n]*"):
        path.unlink()
    run = hp.propagate(deck, tol=1e-2, max_ml_steps=7, save_density=3, log="lih.log")
    assert {path.name for path in tmp_path.iterdir()} == {*files, "lih.log"}
    assert Path("lih.log").read_text() == printed
    assert run.path == tmp_path / "lih.h5"
    python = dynamics(run.path)
    assert set(python) == set(command)
    for name, values in command.items():
        np.testing.assert_allclose(python[name], values, rtol=1e-9, atol=1e-9, err_msg=name)
    assert run.summary["tolerance"] == 1e-2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[0] == progress.splitlines()[0]


def test_a_deck_that_was_read_and_changed() -> None:
    """What `read_deck` returns runs too; the log goes to any stream."""
    log = io.StringIO()
    run = hp.propagate(hp.read_deck(write_deck()), log=log)
    assert len(run.time) == 19
    assert "Propagation finished" in log.getvalue()


def test_several_propagations_are_for_propagate_all(tmp_path: Path) -> None:
    deck = write_two()
    with pytest.raises(hp.BadInput, match=r"^lih.nw: 2 propagations; propagate_all gives"):
        hp.propagate(deck)
    assert [path.name for path in tmp_path.iterdir()] == ["lih.nw"]
    z, x = hp.propagate_all(deck, surrogate="none")
    assert (z.path.name, x.path.name) == ("lih_z.h5", "lih_x.h5")
    assert np.flatnonzero(z.field[0]).tolist() == [2]
    assert np.flatnonzero(x.field[0]).tolist() == [0]
    both = hp.spectrum(z, x, tau=2.0)
    assert list(both.polarisability) == ["z", "x"]
    (alone,) = hp.propagate_all(write_deck())
    assert alone.path.name == "lih.h5"


def test_frames_are_runs_in_order() -> None:
    Path("frames.xyz").write_text("".join(f"2\n\nLi 0 0 0\nH 0 0 {z}\n" for z in (1.55, 1.6)))
    runs = hp.propagate_all(write_deck(tmax=2.0), "frames.xyz")
    assert [run.path.name for run in runs] == ["lih_1.h5", "lih_2.h5"]
    with h5py.File(runs[1].path) as file:
        settings = json.loads(file.attrs["settings"])
        assert file["geometry/positions"][1, 2] - file["geometry/positions"][0, 2] == pytest.approx(1.6)
    # The second frame knows what the first one learned.
    assert str(runs[0].path) in settings["--prior"]
    Path("other.xyz").write_text("2\n\nH 0 0 0\nH 0 0 1\n")
    with pytest.raises(FramesError, match="other atoms"):
        hp.propagate_all("lih.nw", "other.xyz")


def test_a_deck_without_steps_has_no_run() -> None:
    deck = write_deck(rest="  noprop")
    with pytest.raises(hp.BadInput, match="0 propagations"):
        hp.propagate(deck)
    assert hp.propagate_all(deck) == ()


def test_errors_are_the_command_s(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, the same as the command prints, in the branch of its exit code."""
    Path("perm").write_text("a file where a folder should be")
    Path(write_deck(head="permanent_dir ./perm")).rename("folder.nw")
    Path(write_deck(dft="  iterations 1")).rename("scf.nw")
    for deck, member, branch, code in (
        ("nowhere.nw", DeckError, hp.BadInput, 2),
        ("folder.nw", hp.BadInput, hp.BadInput, 2),
        ("scf.nw", NotConverged, hp.Failed, 1),
    ):
        with pytest.raises(branch) as caught:
            hp.propagate(deck)
        assert type(caught.value) is member
        capsys.readouterr()
        assert main([deck]) == code
        assert capsys.readouterr().err.splitlines()[-1] == f"hybrid-propagate: {caught.value}"


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(hp.BadInput, match=r"^log nowhere/lih.log: cannot be written: No such file"):
        hp.propagate(write_deck(), log="nowhere/lih.log")
    assert [path.name for path in tmp_path.iterdir()] == ["lih.nw"]


INTERRUPTED = """import hybrid_propagate as hp
from hybrid_propagate.driver.loop import run as loop
from hybrid_propagate.driver.run import propagation
loop.HAND_OVER = 0.02
propagation.CHECKPOINT_SECONDS = propagation.CHECKPOINT_SHARE = 0.0
try:
    hp.propagate("lih.nw", surrogate="none", log="lih.log")
except KeyboardInterrupt:
    print("interrupted", hp.open_run("lih.h5"))
"""


def test_ctrl_c_is_keyboard_interrupt_and_a_restart_goes_on() -> None:
    """The files are whole, and a restart ends as a run that was left alone."""
    write_deck(tmax=20.0)
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    while not (Path("lih.h5").exists() and len(hp.open_run("lih.h5").time) > 10):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.startswith("interrupted <Run 'lih.h5': ")
    assert said.endswith(", not finished>\n")
    before = hp.open_run("lih.h5")
    assert 10 < len(before.time) < 99
    after = hp.propagate("lih.nw", surrogate="none", restart=True, log="lih.log")
    assert after.finished
    assert Path("lih.log").read_text().count("Propagation successfully restarted") == 1
    np.testing.assert_array_equal(after.dipole[: len(before.time)], before.dipole)
    # The ground state of a file that is there would be the new one's start.
    after.path.rename("after.h5")
    whole = hp.propagate("lih.nw", surrogate="none")
    np.testing.assert_allclose(after.dipole, whole.dipole, rtol=0, atol=1e-9)
