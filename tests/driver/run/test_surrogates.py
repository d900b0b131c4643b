"""Strong motion where no kernel fits: the response is formed anew at every density."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.files.trajectory import read_contents
from hybrid_propagate.driver.bench.score import trajectory_error
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.front_door.run import open_run
from hybrid_propagate.surrogate.kernel import analytic
from hybrid_propagate.surrogate.nonlinear import nonlinear_response
from small_decks import kicked, pump

OPEN = "  grid xcoarse\n  odft\n  mult 2\n"


@pytest.fixture(autouse=True)
def _no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a molecule whose kernel would be too large."""
    monkeypatch.setattr(analytic, "MAX_BYTES", 0)


def run(folder: Path, text: str, *options: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "water.nw").write_text(f"permanent_dir {folder}\n{text}")
    assert main([str(folder / "water.nw"), "--log", str(folder / "log"), *options]) == 0
    return folder / "water.h5"


def deck(tmax: float = 24.0) -> str:
    return kicked(tmax=tmax, head="charge 1\n", rest=pump("z", 0.4, 8.0, 0.1), kick="1e-3", dft=OPEN)


def test_a_run_states_its_error_and_takes_few_builds(tmp_path: Path) -> None:
    reference = run(tmp_path / "reference", deck(), "--surrogate", "none")
    path = run(tmp_path / "formed", deck())
    made, summary = open_run(path), open_run(path).summary
    dipole, wanted = (read_contents(p).series["dipole"] for p in (path, reference))
    assert trajectory_error(dipole, wanted) < made.estimate.error < 1e-3
    assert summary["fock_builds"] < 0.1 * open_run(reference).summary["fock_builds"]
    # No direction is met, and so none is imaged.
    assert summary["mean_field_builds"] == 0
    energies, exact = (read_contents(p).series["energy"] for p in (path, reference))
    assert np.abs(energies - exact).max() < 1e-4


def test_a_start_out_of_equilibrium_is_strong_motion(tmp_path: Path) -> None:
    """A full and an empty orbital swapped, and a kick that would be weak."""
    swapped = "dft\n vectors input a.mos swap 5 7 output b.mos\n noscf\nend\ntask dft energy\n"
    text = kicked(tmax=24.0, dft="  grid xcoarse\n  vectors output a.mos\n", steps="  load vectors b.mos")
    text = text.replace("rt_tddft\n", f"{swapped}rt_tddft\n", 1)
    wanted = read_contents(run(tmp_path / "reference", text, "--surrogate", "none")).series["dipole"]
    made = open_run(run(tmp_path / "formed", text))
    assert made.summary["mean_field_builds"] == 0
    assert max(trajectory_error(made.dipole, wanted), made.estimate.error) < 1e-3


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """From a part that was too short to learn points for, and with another memory by directions."""
    whole = read_contents(run(tmp_path / "whole", deck(24.0))).series["dipole"]
    run(tmp_path / "part", deck(12.0))
    again = read_contents(run(tmp_path / "part", deck(24.0), "--restart")).series["dipole"]
    assert len(again) == len(whole)
    assert trajectory_error(again, whole) < 2e-3


@pytest.mark.parametrize("first", [0, 10**9], ids=["to a kernel", "from a kernel"])
def test_a_run_goes_on_with_another_memory(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What either has learned does not serve the other, and does not stop it."""
    whole = read_contents(run(tmp_path / "whole", deck(24.0))).series["dipole"]
    monkeypatch.setattr(analytic, "MAX_BYTES", first)
    run(tmp_path / "part", deck(22.0))
    monkeypatch.setattr(analytic, "MAX_BYTES", 10**9 - first)
    again = read_contents(run(tmp_path / "part", deck(24.0), "--restart")).series["dipole"]
    assert trajectory_error(again, whole) < 2e-3


def test_where_no_points_are_good_a_coarse_grid_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nonlinear_response, "USELESS", -1.0)
    summary = open_run(run(tmp_path / "grid", deck(20.0))).summary
    assert summary["tolerance_met"]
    assert summary["mean_field_builds"] == 0
