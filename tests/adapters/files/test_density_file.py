"""Starting densities on disk: what PySCF makes of them, what we read back, and other files."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.files.density_file import DensityFileError, read_density, write_density
from hybrid_propagate.adapters.files.molden import write_molden
from hybrid_propagate.adapters.files.xyz_frames import FramesError, read_frames
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.pyscf.scf import run_pyscf_scf
from pyscf import gto, scf
from pyscf.tools import molden
from pyscf_systems import water


@pytest.mark.parametrize("cation", [False, True])
def test_pyscf_starts_where_it_ended(cation: bool, tmp_path: Path) -> None:
    system = water("HF", "6-31g*", cation=cation)
    orbitals = run_pyscf_scf(system, None).orbitals
    path = tmp_path / "start.h5"
    write_density(path, molecule(system), orbitals.density(), orbitals, "earlier")
    # What docs/warmstart/README.md tells PySCF's users to write.
    with h5py.File(path) as file:
        mol, dm0 = gto.loads(file.attrs["mol"]), file["dm0"][()]
    mean_field = (scf.UHF if cation else scf.RHF)(mol)
    mean_field.kernel(dm0=dm0)
    assert mean_field.cycles <= 2
    assert mean_field.e_tot == pytest.approx(orbitals.total_energy, abs=1e-8)
    stored = read_density(path)
    np.testing.assert_allclose(stored.ground, orbitals.density(), atol=1e-12)
    np.testing.assert_allclose(stored.positions, system.geometry.positions, atol=1e-12)
    assert stored.atomic_numbers.tolist() == [8, 1, 1]
    assert stored.last is None
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("spherical", [True, False])
@pytest.mark.parametrize("cation", [False, True])
def test_molden_holds_the_density(spherical: bool, cation: bool, tmp_path: Path) -> None:
    """PySCF's reader builds a molecule of its own from the file; its energy is that of the orbitals."""
    system = water("HF", "6-31g*", cation=cation, spherical=spherical)
    orbitals = run_pyscf_scf(system, None).orbitals
    write_molden(tmp_path / "start.molden", molecule(system), orbitals)
    mol, energies, C, occupations, *_ = molden.load(str(tmp_path / "start.molden"))
    if cation:
        mol.build(spin=1, charge=1)
        densities = [(c * n) @ c.T for c, n in zip(C, occupations, strict=True)]
        energy = scf.UHF(mol).energy_tot(np.array(densities))
    else:
        energy = scf.RHF(mol).energy_tot((C * occupations) @ C.T)
    assert energy == pytest.approx(orbitals.total_energy, abs=1e-6)
    np.testing.assert_allclose(np.asarray(energies).ravel(), orbitals.energies.ravel(), atol=1e-5)


def test_other_files_are_named(tmp_path: Path) -> None:
    text, other = tmp_path / "text.h5", tmp_path / "other.h5"
    text.write_text("no HDF5")
    with h5py.File(other, "w") as file:
        file["something"] = 1
    for path, message in (
        (text, "not an HDF5 file"),
        (other, "neither a trajectory nor"),
        (tmp_path / "no.h5", "no"),
    ):
        with pytest.raises(DensityFileError, match=message) as error:
            read_density(path)
        assert str(error.value).startswith(f"{path}: ")


def test_frames_of_an_xyz_file(tmp_path: Path) -> None:
    geometry = water().geometry
    path = tmp_path / "scan.xyz"
    frames = [geometry.positions * factor for factor in (1.0, 1.1)]
    lines = []
    for positions in frames:
        lines += ["3", "a comment = with signs"]
        rows = zip("OHH", (positions * 0.529177249).tolist(), strict=True)
        lines += [f"{tag} {' '.join(map(repr, xyz))}" for tag, xyz in rows]
    path.write_text("\n".join(lines) + "\n")
    found = read_frames(path, geometry)
    np.testing.assert_allclose([frame.positions for frame in found], frames, atol=1e-12)
    assert found[1].tags == geometry.tags
    for text, message in (
        ("\n".join(lines[:4]), "no xyz file that can be read"),
        ("words", "no xyz file that can be read"),
        ("", "no"),
        ("1\n\nO 0 0 0\n", "frame 1 has other atoms"),
    ):
        path.write_text(text)
        with pytest.raises(FramesError, match=message):
            read_frames(path, geometry)
    with pytest.raises(FramesError, match="no xyz file that can be read"):
        read_frames(tmp_path / "missing.xyz", geometry)
