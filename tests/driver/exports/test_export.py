"""`hybrid-read`: a run in the formats of other programs, read back by those programs."""

import csv
import json
import shutil
from pathlib import Path

import ase.io
import h5py
import hybrid_propagate as hp
import numpy as np
import pandas
import pytest
import qcelemental
from ase.units import Bohr, Hartree
from hybrid_propagate.adapters.files.stored_system import stored_system
from hybrid_propagate.driver.commands.read import _FORMATS, main
from hybrid_propagate.driver.exports.export import ENDINGS, export
from pyscf.tools import molden
from small_decks import kicked


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> hp.Run:
    """Water that prints occupations and charges too."""
    folder = tmp_path_factory.mktemp("run")
    text = kicked(tmax=6.0, head='title "A drop of water"', rest="  print dipole field energy moocc charge")
    (folder / "water.nw").write_text(text.replace("start water", f"start water\npermanent_dir {folder}"))
    return hp.propagate(folder / "water.nw")


def exported(run: hp.Run, kind: str, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main([str(run.path), "--to", kind]) == 0
    return Path(capsys.readouterr().out.strip())


def test_formats_are_those_of_the_command() -> None:
    assert tuple(ENDINGS) == _FORMATS


def test_every_dataset_tells_its_units_and_what_it_is(run: hp.Run) -> None:
    silent = []
    with h5py.File(run.path) as file:
        file.visititems(
            lambda name, item: (
                silent.append(name)
                if isinstance(item, h5py.Dataset)
                and not (item.attrs.get("units") and len(item.attrs.get("description", "")) > 8)
                else None
            )
        )
        assert "dynamics/occupations" in file
        assert file["dynamics/dipole"].attrs["units"] == "e bohr"
    assert silent == []


def test_attributes_tell_what_the_run_is(run: hp.Run) -> None:
    with h5py.File(run.path) as file:
        told = dict(file.attrs)
    assert told["format_version"] == 2
    assert told["creator"].startswith("hybrid-propagate ")
    for name, value in {
        "title": "A drop of water",
        "formula": "H2O",
        "functional": "pbe0",
        "basis": "O [2s1p] H [1s], cartesian",
        "dt": 0.2,
        "field": "delta along 0 0 1, 0.0001 au, at 0 au on molecule",
    }.items():
        assert told[name] == value
        assert run.summary[name] == value


def test_occupations_and_charges_are_those_of_ten_electrons(run: hp.Run) -> None:
    with h5py.File(run.path) as file:
        occupations, charges = file["dynamics/occupations"][:], file["dynamics/charges"][:]
    assert occupations.shape == (29, 1, 7)
    np.testing.assert_allclose(occupations.sum(axis=(1, 2)), 10.0, atol=1e-8)
    np.testing.assert_allclose(charges, -10.0, atol=1e-8)


def test_the_summary_is_a_row_of_a_table(run: hp.Run) -> None:
    row = pandas.json_normalize(dict(run.summary))
    assert len(row) == 1
    assert row["formula"][0] == "H2O"


def test_pandas(run: hp.Run) -> None:
    frame = run.to_pandas()
    np.testing.assert_array_equal(frame["dipole_z_au"], run.dipole[:, 2])
    np.testing.assert_array_equal(frame.index, run.time)
    assert frame.attrs["title"] == "A drop of water"


def test_csv(run: hp.Run, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(exported(run, "csv", capsys).open()))
    assert [float(row["dipole_z_au"]) for row in rows] == run.dipole[:, 2].tolist()
    assert {"time_au", "energy_hartree", "field_x_au", "charge_molecule_e", "occupation_7"} <= set(rows[0])


def test_npz(run: hp.Run, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(exported(run, "npz", capsys)) as file:
        np.testing.assert_array_equal(file["dipole"], run.dipole)
        assert json.loads(str(file["attributes"]))["formula"] == "H2O"


def test_extxyz_is_what_ase_reads(run: hp.Run, capsys: pytest.CaptureFixture[str]) -> None:
    atoms = ase.io.read(exported(run, "extxyz", capsys), format="extxyz")
    assert str(atoms.symbols) == "OH2"
    assert atoms.positions[1, 1] == pytest.approx(0.7572)
    assert atoms.get_potential_energy() == pytest.approx(run.energy[0] * Hartree, rel=1e-8)
    np.testing.assert_allclose(atoms.get_dipole_moment(), run.dipole[0] * Bohr, atol=1e-6)
    assert atoms.info["title"] == "A drop of water"


def test_molden_is_what_pyscf_reads(run: hp.Run, capsys: pytest.CaptureFixture[str]) -> None:
    mol, energies, _, occupations, _, _ = molden.load(str(exported(run, "molden", capsys)))
    with h5py.File(run.path) as file:
        np.testing.assert_allclose(energies, file["ground/energies"][0], atol=1e-6)
    assert mol.nao == 7
    assert occupations.sum() == pytest.approx(10.0)


def test_qcschema_is_what_molssi_reads(run: hp.Run, capsys: pytest.CaptureFixture[str]) -> None:
    text = exported(run, "qcschema", capsys).read_text()
    result = qcelemental.models.AtomicResult.parse_raw(text)
    assert result.return_result == pytest.approx(run.energy[0], abs=1e-9)
    assert result.molecule.symbols.tolist() == ["O", "H", "H"]
    assert result.extras["rt_tddft"]["dipole_z_au"] == run.dipole[:, 2].tolist()


def test_a_file_of_an_earlier_version_is_read(run: hp.Run, tmp_path: Path) -> None:
    old = tmp_path / "old.h5"
    old.write_bytes(run.path.read_bytes())
    with h5py.File(old, "r+") as file:
        for name in ("format_version", "creator", "title", "formula", "functional", "basis", "field"):
            del file.attrs[name]
        del file["geometry/tags"], file["dynamics/occupations"], file["dynamics/charges"]
        file.visititems(lambda _, item: item.attrs.clear())
    np.testing.assert_array_equal(hp.open_run(old).dipole, run.dipole)
    assert stored_system(old).geometry.tags == ("O", "H", "H")
    for kind in _FORMATS:
        assert main([str(old), "--to", kind]) == 0


@pytest.mark.parametrize("kind", ENDINGS)
@pytest.mark.parametrize(("name", "value"), [("occupations", np.inf), ("total_energy", np.nan)])
def test_what_is_no_number_is_passed_on_to_nobody(
    run: hp.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, name: str, value: float
) -> None:
    """An infinite occupation is no count of electrons; an energy that is NaN is no JSON."""
    path = tmp_path / "damaged.h5"
    shutil.copy(run.path, path)
    with h5py.File(path, "a") as file:
        file[f"ground/{name}"][...] = value
    assert main([str(path), "--to", kind]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"ground/{name} has a value that is no number" in line


def test_qcschema_of_a_quantity_that_was_not_printed_is_json(run: hp.Run, tmp_path: Path) -> None:
    """Such points are NaN in the trajectory file."""
    path = tmp_path / "part.h5"
    shutil.copy(run.path, path)
    with h5py.File(path, "a") as file:
        file["dynamics/charges"][0] = np.nan
    export(path, "qcschema", tmp_path / "part.json")

    def refuse(word: str) -> None:
        raise AssertionError(word)

    record = json.loads((tmp_path / "part.json").read_text(), parse_constant=refuse)
    charges = next(v for key, v in record["extras"]["rt_tddft"].items() if key.startswith("charge_"))
    assert charges[0] is None
    # Ten electrons.
    assert charges[1] == pytest.approx(-10.0)


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.h5").write_text("nothing")
    assert main([str(tmp_path / "a.h5"), "--to", "csv"]) == 2
    assert "not a trajectory file" in capsys.readouterr().err
