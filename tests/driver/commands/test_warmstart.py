"""The command hybrid-warmstart: files that NWChem and PySCF start from, what is saved, and user errors."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.nwchem.basis_order import nwchem_order
from hybrid_propagate.adapters.nwchem.movecs import read_movecs
from hybrid_propagate.driver.commands.warmstart import main
from hybrid_propagate.driver.warmstart.named import NAMED
from pyscf import gto

DECK = """start water
geometry "w" units angstroms nocenter noautosym noautoz
  O 0.0 0.0 0.1173
  H 0.0 {y} -0.4692
  H 0.0 -0.7572 -0.4692
end
set geometry "w"
basis cartesian
  * library 6-31G*
end
dft
  xc hfexch
  convergence energy 1e-8
end
task dft energy
"""


@pytest.fixture
def deck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = tmp_path / "water.nw"
    path.write_text(DECK.format(y=0.7572))
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def converged(deck: Path, y: float, capsys: pytest.CaptureFixture[str]) -> Path:
    """The converged density at another place of one hydrogen, as this package's users keep it."""
    from dataclasses import replace

    from hybrid_propagate.adapters.files.density_file import write_density
    from hybrid_propagate.adapters.pyscf.molecule import molecule
    from hybrid_propagate.adapters.pyscf.scf import run_pyscf_scf

    other = deck.with_name(f"at{y}.nw")
    other.write_text(DECK.format(y=y))
    system = replace(read_deck(other).tasks[0].system)
    orbitals = run_pyscf_scf(system, None).orbitals
    path = deck.with_name(f"at{y}.h5")
    write_density(path, molecule(system), orbitals.density(), orbitals, "converged")
    return path


def test_where_nothing_beats_the_standard_guess_nothing_is_written(
    deck: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(deck)]) == 0
    assert "nothing beats the standard guess, minao: nothing is written" in capsys.readouterr().out
    assert said(capsys, str(deck))["files"] == []
    assert list(deck.parent.iterdir()) == [deck]


def test_the_standard_guess_and_its_files_for_those_who_name_it(
    deck: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, str(deck), "--guess", "minao")
    assert found["guess"] == "minao"
    assert [Path(name).name for name in found["files"]] == [
        "water_start.movecs",
        "water_start.h5",
        "water_start.molden",
    ]
    system = read_deck(deck).tasks[0].system
    orbitals = read_movecs(deck.parent / "water_start.movecs", nwchem_order(system), 1)
    with h5py.File(deck.parent / "water_start.h5") as file:
        mol = gto.loads(file.attrs["mol"])
        np.testing.assert_allclose(file["ground/coefficients"], orbitals.coefficients, atol=1e-14)
    assert np.vdot(orbitals.density(), mol.intor("int1e_ovlp")) == pytest.approx(10.0)


def test_earlier_geometries_save_iterations_in_both_codes(
    deck: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four geometries, the one asked for at 0.7572 Å: more than half of the iterations are saved."""
    files = [str(converged(deck, y, capsys)) for y in (0.73, 0.745, 0.77)]
    for engine in ("pyscf", "nwchem"):
        found = said(capsys, str(deck), "--from", *files, "--engine", engine, "--run")
        run = found["run"]
        assert found["guess"] == run["guess"] == "extrapolated"
        assert run["warm"]["iterations"] <= run["cold"]["iterations"] / 2
        assert run["same_energy"]
        assert abs(run["energy_difference"]) < 1e-8
        assert run["warm"]["seconds"] > run["warm"]["guess_seconds"] > 0


def test_own_movecs_take_nwchem_two_iterations(deck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = converged(deck, 0.7572, capsys)
    run = said(capsys, str(deck), "--from", str(source), "--engine", "nwchem", "--run")["run"]
    assert run["warm"]["iterations"] <= 2
    assert abs(run["energy_difference"]) < 1e-8


def test_a_scan_saves_more_than_half(deck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for y in np.linspace(0.70, 0.80, 8):
        lines += ["3", "", "O 0 0 0.1173", f"H 0 {y} -0.4692", "H 0 -0.7572 -0.4692"]
    (deck.parent / "scan.xyz").write_text("\n".join(lines))
    assert main([str(deck), "--run", "--along", "scan.xyz"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[2].startswith("minao")
    assert all(line.startswith("extrapolated") for line in shown[3:10])
    saved = int(shown[-1].split("(")[1].split()[0])
    assert shown[-1].startswith("iterations saved: ")
    assert saved > 50
    assert "NOT" not in "".join(shown)


def test_user_errors_are_one_line(deck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (deck.parent / "text.h5").write_text("words")
    (deck.parent / "none.nw").write_text("geometry\n H 0 0 0\n H 0 0 1\nend\n")
    (deck.parent / "one.xyz").write_text("1\n\nO 0 0 0\n")
    for arguments, message in (
        (["missing.nw"], "missing.nw"),
        (["none.nw"], "none.nw:4: the deck has no task"),
        ([deck.name, "--from", "text.h5"], "text.h5: not an HDF5 file"),
        ([deck.name, "--from", "no.movecs"], "no.movecs: No such file"),
        ([deck.name, "--run", "--along", "one.xyz"], "one.xyz: frame 1 has other atoms"),
        ([deck.name, "--along", "one.xyz"], "--along runs SCFs: it needs --run"),
        ([deck.name, "--run", "--along", "one.xyz", "--output", "x"], "--along writes no starts"),
    ):
        assert main(arguments) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.count("\n") == 1
        assert message in shown.err
    assert main([deck.name, "--run", "--engine", "nwchem", "--nwchem", "/no/such/nwchem"]) == 1
    assert "cannot be started" in capsys.readouterr().err.splitlines()[-1]


def test_every_guess_by_name(deck: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is used or dropped with a message, never silently."""
    for name in NAMED:
        assert main([str(deck), "--guess", name, "--json"]) == 0
        shown = capsys.readouterr()
        used = json.loads(shown.out)["guess"]
        assert used == name or shown.err.startswith(f"hybrid-warmstart: {name}: ")
