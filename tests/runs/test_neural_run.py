"""`--surrogate neural` and `hybrid` on graphs of a small network."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.loop.segment import Limits
from hybrid_propagate.driver.run.options import Options
from hybrid_propagate.driver.run.surrogates import with_surrogate
from hybrid_propagate.surrogate.runtime.network_response import SHIPPED
from small_decks import kicked
from small_graphs import write_small_graphs

#: Off every symmetry.
ATOMS = "  O 0 0.02 0.12\n  H 0 0.75 -0.45\n  H 0 -0.78 -0.48"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, propagate_in: Run) -> np.ndarray:
    """Dipole of the reference alone."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "deck.nw").write_text(kicked(ATOMS, start="h2o", tmax=8.0))
    assert propagate_in(folder, "deck.nw", "--surrogate", "none").returncode == 0
    with h5py.File(folder / "h2o.h5") as file:
        return np.asarray(file["dynamics/dipole"])


@pytest.mark.parametrize("surrogate", ["neural", "hybrid"])
def test_a_run_is_within_its_tolerance(
    surrogate: str, expected: np.ndarray, tmp_path: Path, propagate_in: Run
) -> None:
    write_small_graphs(tmp_path / "graphs", weights="0123")
    (tmp_path / "deck.nw").write_text(kicked(ATOMS, start="h2o", tmax=8.0))
    arguments = ("--surrogate", surrogate, "--weights", "graphs", "--device", "cpu")
    ended = propagate_in(tmp_path, "deck.nw", *arguments)
    assert ended.returncode == 0, ended.stderr
    with h5py.File(tmp_path / "h2o.h5") as file:
        found = np.asarray(file["dynamics/dipole"])
    assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected - expected[0])
    summary = json.loads((tmp_path / "h2o.json").read_text())
    assert summary["surrogate"] == surrogate
    assert summary["fock_builds"] < 40
    write_small_graphs(tmp_path / "graphs", weights="4567")
    ended = propagate_in(tmp_path, "deck.nw", *arguments, "--restart")
    assert ended.returncode == 2
    assert "made with other settings: --weights was" in ended.stderr


@pytest.mark.parametrize(
    ("levels", "prior", "expected"),
    [
        ("pbe0_sto-3g", None, "hybrid"),
        ("pbe0_6-31g pbe0_sto-3g", None, "hybrid"),
        ("pbe0_6-31g", None, "response"),
        ("pbe0_sto-3g", Path("earlier.h5"), "response"),
    ],
)
def test_the_default_is_the_shipped_network_where_it_was_trained(
    levels: str, prior: Path | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small_graphs(tmp_path / "graphs", levels=levels, base="kernel")
    monkeypatch.setitem(SHIPPED, "correction", tmp_path / "graphs")
    (tmp_path / "deck.nw").write_text(kicked(ATOMS, start="h2o", tmax=8.0))
    options = Options("auto", 1e-3, 500, Limits(), 1e9, False, None, 0.0, prior=prior)
    settled = with_surrogate(options, read_deck(tmp_path / "deck.nw"))
    assert settled.surrogate == expected
    assert settled.weights_hash == ("small" if expected == "hybrid" else None)


@pytest.mark.parametrize(
    ("xc", "arguments", "message"),
    [
        ("b3lyp", ["--surrogate", "neural", "--weights", "graphs"], "Hartree-Fock and pbe0_sto-3g alone"),
        (
            "pbe0",
            ["--surrogate", "hybrid", "--weights", "nowhere"],
            "nowhere/encode.onnx: No such file or directory",
        ),
        ("pbe0", ["--weights", "graphs"], "--weights is for --surrogate neural and hybrid"),
        (
            "pbe0",
            ["--surrogate", "response", "--device", "cpu"],
            "--device is for --surrogate rollout, neural",
        ),
        ("pbe0", ["--nwchem", "nwchem"], "--nwchem is for --engine nwchem"),
        (
            "pbe0",
            ["--surrogate", "hybrid", "--prior", "x.h5"],
            "--prior is for --surrogate response and rollout",
        ),
        (
            "pbe0",
            ["--surrogate", "neural", "--weights", "graphs", "--device", "tensorrt"],
            "--device tensorrt: ONNX Runtime uses CPUExecutionProvider here",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    xc: str, arguments: list[str], message: str, tmp_path: Path, propagate_in: Run
) -> None:
    write_small_graphs(tmp_path / "graphs", weights="0123")
    (tmp_path / "deck.nw").write_text(kicked(ATOMS, start="h2o", xc=xc, tmax=8.0))
    ended = propagate_in(tmp_path, "deck.nw", *arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert message in ended.stderr
    # Beside the first line, which tells what would run, where the deck was sound.
    assert ended.stderr.count("\n") <= 2
