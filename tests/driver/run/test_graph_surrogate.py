"""`--surrogate rollout`: a run and the same again, from an earlier run, and what is refused in one line."""

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hybrid_propagate.adapters.files.trajectory import read_contents
from hybrid_propagate.driver.bench.score import trajectory_error
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.front_door.run import open_run
from hybrid_propagate.surrogate.nonlinear import nonlinear_response
from small_decks import WATER, kicked, pump

ROLLOUT = ("--surrogate", "rollout")


def run(folder: Path, text: str, *options: str) -> Path:
    folder.mkdir()
    (folder / "water.nw").write_text(f"permanent_dir {folder}\n{text}")
    assert main([str(folder / "water.nw"), "--log", str(folder / "log"), *options]) == 0
    return folder / "water.h5"


def test_a_run_states_its_error_and_repeats_itself(tmp_path: Path) -> None:
    """An open shell, whose spins have different bases, with nothing but surrogate segments of two lengths."""
    dft = "  grid xcoarse\n  odft\n  mult 2\n"
    text = kicked(tmax=24.0, head="charge 1\n", rest=pump("z", 0.4, 8.0, 0.1), kick="1e-3", dft=dft)
    reference = run(tmp_path / "reference", text, "--surrogate", "none")
    paths = [run(tmp_path / name, text, *ROLLOUT, "--max-ml-steps", "70") for name in ("one", "other")]
    one, other = (read_contents(path).series["dipole"] for path in paths)
    np.testing.assert_array_equal(one, other)
    made, summary = open_run(paths[0]), open_run(paths[0]).summary
    true = trajectory_error(one, read_contents(reference).series["dipole"])
    assert true < made.estimate.error < 1e-3
    assert summary["fock_builds"] < 0.25 * open_run(reference).summary["fock_builds"]
    assert (summary["surrogate"], summary["mean_field_builds"]) == ("rollout", 0)


def test_points_of_an_earlier_run_serve_where_they_are_good(tmp_path: Path) -> None:
    """At the same geometry none are learned, and no more builds made; at another one they fail."""

    def deck(atoms: str) -> str:
        return kicked(atoms, tmax=4.0, rest=pump("z", 0.4, 2.0, 0.1), kick="1e-3", dft="  grid xcoarse\n")

    options = (*ROLLOUT, "--tol", "1e-2")
    with patch.object(nonlinear_response, "cell_rows", wraps=nonlinear_response.cell_rows) as learned:
        earlier = run(tmp_path / "earlier", deck(WATER), *options)
        assert learned.call_count == 1
        carried = run(tmp_path / "carried", deck(WATER), *options, "--prior", str(earlier))
        assert learned.call_count == 1
        moved = WATER.replace("0.1173", "0.1673")
        other = run(tmp_path / "other", deck(moved), *options, "--prior", str(earlier))
        assert learned.call_count == 2
    assert open_run(carried).summary["fock_builds"] <= open_run(earlier).summary["fock_builds"]
    assert all(open_run(path).summary["tolerance_met"] for path in (carried, other))
    found, wanted = (read_contents(path).series["dipole"] for path in (carried, earlier))
    assert trajectory_error(found, wanted) < 2e-2


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (
            kicked(tmax=2.0),
            ("--device", "tensorrt"),
            "--device tensorrt: has no double precision; accepted: auto,",
        ),
        (kicked(tmax=2.0), ("--device", "cuda"), "--device cuda: ONNX Runtime has "),
        (kicked(tmax=2.0, xc="xctpssh"), (), "--surrogate rollout: xc xctpssh is not written as a graph"),
        (kicked(tmax=2.0, rest="  static\n"), (), "graphs have the magnus propagator, without static"),
    ],
    ids=["tensorrt", "cuda", "meta-GGA", "static"],
)
def test_what_is_refused(
    text: str, options: tuple[str, ...], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "water.nw").write_text(f"permanent_dir {tmp_path}\n{text}")
    assert main([str(tmp_path / "water.nw"), *ROLLOUT, *options]) == 2
    assert reason in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "water.h5").exists()
