"""`hybrid-export --rollout`: from a deck, from a run's file, as the run itself goes; refusals in one line."""

from pathlib import Path

import h5py
import numpy as np
import onnxruntime
import pytest
from hybrid_propagate.driver.commands.export import main
from hybrid_propagate.driver.commands.propagate import main as propagate
from hybrid_propagate.surrogate.rollout.compare import GraphsDiffer, run_graphs, trajectory_error
from hybrid_propagate.surrogate.rollout.graphs import FILES
from small_decks import kicked, pump


def deck(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_pulse_by_the_graphs_of_a_run_is_the_run_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reference steps, and graphs of the file that they leave: the points' error is what differs."""
    monkeypatch.chdir(tmp_path)
    text = kicked(tmax=24.0, rest=pump("z", 0.4, 4.0, 0.1), kick="0.02", dft="  grid coarse\n")
    assert propagate([deck(tmp_path / "water.nw", text), "--surrogate", "none"]) == 0
    assert main(["--rollout", "water.h5", "graphs"]) == 0
    paths = [f"graphs/{name}" for name in FILES.values()]
    assert capsys.readouterr().out.splitlines()[-3:] == paths
    with h5py.File("water.h5") as file:
        wanted, field = (np.asarray(file[f"dynamics/{name}"]) for name in ("dipole", "field"))
    contents = {name: Path(path).read_bytes() for name, path in zip(FILES, paths, strict=True)}
    found = run_graphs(contents, field[:, None], by_block=True)[:, 0]
    assert np.abs(wanted - wanted[0]).max() > 0.1
    assert trajectory_error(found, wanted) < 2e-3
    told = onnxruntime.InferenceSession(paths[0]).get_modelmeta().custom_metadata_map
    assert float(told["held_out_error"]) < 1e-3
    assert (told["functional"], told["molecule"], told["charge"]) == ("pbe0", "H2O", "0")


def test_a_deck_leaves_nothing_but_its_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open shell with no electron of one spin."""
    monkeypatch.chdir(tmp_path)
    text = kicked("  H 0 0 0", tmax=2.0, xc="slater vwn_5", dft="  odft\n  mult 2\n", basis="6-31G")
    (tmp_path / "in").mkdir()
    assert main(["--rollout", deck(tmp_path / "in/atom.nw", text), "out"]) == 0
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == sorted(["atom.nw", *FILES.values()])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            kicked(tmax=2.0, xc="xctpssh"),
            "xc xctpssh is not written as a graph (HYB_MGGA_XC_TPSSH); accepted: ",
        ),
        (kicked(tmax=2.0, rest="  static\n"), "graphs have the magnus propagator, without static, mocap"),
        (kicked(tmax=2.0).split("rt_tddft")[0], "no task dft rt_tddft, whose time step the graphs have"),
    ],
    ids=["functional", "static", "no propagation"],
)
def test_what_cannot_be_written_is_refused_before_any_time_is_spent(
    text: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--rollout", deck(tmp_path / "water.nw", text), str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert not (tmp_path / "out").exists()


def test_where_nothing_can_move_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = kicked("  He 0 0 0", tmax=2.0, start="atom")
    assert main(["--rollout", deck(tmp_path / "atom.nw", text), "out"]) == 1
    assert "atom.nw: every orbital is as full as the others" in capsys.readouterr().err


def test_a_difference_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def differ(*_: object) -> float:
        raise GraphsDiffer("step: differs from numpy by 1.0e-03, allowed 1e-06")

    monkeypatch.setattr("hybrid_propagate.surrogate.rollout.export.check_graphs", differ)
    monkeypatch.chdir(tmp_path)
    text = kicked("  H 0 0 0\n  H 0 0 0.74", tmax=2.0, xc="hfexch")
    assert main(["--rollout", deck(tmp_path / "h2.nw", text), "out"]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last == "hybrid-export: step: differs from numpy by 1.0e-03, allowed 1e-06"
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_run_s_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w"):
        pass
    assert main(["--rollout", str(path), str(tmp_path / "out")]) == 2
    assert "other.h5: not the trajectory of a run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        (["--rollout", "w.nw", "o", "--precision", "float16"], "float64, float32"),
        (["w.pt", "o", "--precision", "float64"], "float32, float16"),
    ],
)
def test_a_precision_of_the_other_graphs_is_refused(
    given: list[str], accepted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(given) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f": {accepted}")
