"""`hybrid-dataset convert` on a run of NWChem itself."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.log.reader import read_log
from hybrid_propagate.driver.commands.dataset import main
from hybrid_propagate.surrogate.samples.pairs_file import read_pairs
from small_decks import kicked

DECK = kicked(
    xc="hfexch",
    tmax=1.7,
    steps='  nrestarts *\n  tag "kick_z"',
    kick=0.02,
    rest="  print dipole field energy",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `water.nw`, `water.log`, and in `records` what came through the restart file's pipe."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "water.nw").write_text(DECK)
    pipe = folder / "water.rt_restart"
    os.mkfifo(pipe)
    # Held open both ways, so that the reader meets no end of file between two records.
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    records, done = bytearray(), threading.Event()

    def gather() -> None:
        while True:
            finished = done.is_set()
            try:
                records.extend(os.read(descriptor, 1 << 16))
            except BlockingIOError:
                if finished:
                    return
                done.wait(0.01)

    reader = threading.Thread(target=gather)
    reader.start()
    environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    environment["OMP_NUM_THREADS"] = "1"
    with (folder / "water.log").open("w") as log:
        subprocess.run(["nwchem", "water.nw"], cwd=folder, stdout=log, env=environment, check=True)
    done.set()
    reader.join()
    os.close(descriptor)
    (folder / "records").write_bytes(records)
    return folder


def test_trajectory_and_pairs(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [str(run / name) for name in ("water.nw", "water.log", "records")]
    assert main(["convert", *files, "--pairs", "3"]) == 0
    said = capsys.readouterr().out
    assert said == "water.h5: 8 points, 8 densities\nwater_pairs.h5: 3 pairs\n"
    log = read_log(run / "water.log")[0]
    with h5py.File(tmp_path / "water.h5") as file:
        assert file.attrs["n_electrons"] == 10
        assert file.attrs["dt"] == 0.2
        moment = np.asarray(file["dynamics/dipole"])
        np.testing.assert_allclose(moment, log.find("Dipole moment").values)
        np.testing.assert_allclose(
            file["dynamics/field"], log.find("Applied E-field", spin="alpha").values, atol=1e-12
        )
        np.testing.assert_allclose(file["dynamics/energy"], log.find("Etot").values[:, 0])
        P = np.asarray(file["dynamics/density_real"])[:, 0]
        S = np.asarray(file["matrices/overlap"])
        np.testing.assert_allclose(np.einsum("tij,ji->t", P, S), 10.0, atol=1e-5)
    pairs = read_pairs(tmp_path / "water_pairs.h5")
    assert pairs.pairs.kernel is not None
    # Hartree-Fock is linear: the kernel is the response.
    np.testing.assert_allclose(pairs.pairs.fock, pairs.pairs.kernel, atol=1e-6)
    assert np.linalg.norm(pairs.pairs.density[0]) > 1e-3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("0.1173", "0.1273"), "electrons, not 10"),
        (("hfexch\n", "hfexch\n  odft\n"), "this one is open-shell"),
        (("kick_z", "kick_y"), "no lines with the deck's tag 'kick_y'; there are: kick_z"),
        (("STO-3G", "6-31G"), "for 7 basis functions; this system has 13"),
    ],
)
def test_files_that_do_not_belong_together(
    change: tuple[str, str], message: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deck = tmp_path / "water.nw"
    deck.write_text(DECK.replace(*change))
    assert main(["convert", str(deck), str(run / "water.log"), str(run / "records")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("hybrid-dataset: ")
    assert said.count("\n") == 1
    assert message in said


def test_converting_needs_no_torch() -> None:
    code = (
        "import sys; from hybrid_propagate.driver.dataset import converted; "
        "from hybrid_propagate.driver.dataset import build; "
        "print({'torch', 'e3nn', 'yaml'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "set()\n"
