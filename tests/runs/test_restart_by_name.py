"""`restart` where the first deck had what the second lacks: files left by NWChem, and by ourselves."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.log.reader import RunLog, read_log

NUCLEI = """geometry "m" units angstroms nocenter noautosym noautoz
  O 0.0 0.0 0.12
  H 0.0 0.75 -0.48
  H 0.0 -0.75 -0.48
end
set geometry "m"
basis
  * library 6-31G
end
"""
FIRST = f"""start job
charge 1
{NUCLEI}dft
  xc hfexch
  odft
  mult 2
  vectors output kept.mos
  convergence energy 1d-9 density 1d-8 gradient 1d-7
  tolerances tight
end
task dft energy
"""
REAL_TIME = """rt_tddft
  tmax 2.0
  dt 0.2
  print dipole energy
  field "push"
    type delta
    polarization z
    max 0.05
  end
  excite "m" with "push"
end
task dft rt_tddft
"""
#: NWChem 7.0.2: Etot at t = 0 of the second deck, by the first one's functional, charge and multiplicity.
ETOT = -75.579384841
SECOND = {
    "its nuclei and a propagation": f"restart job\n{NUCLEI}{REAL_TIME}",
    "a propagation": f"restart job\n{REAL_TIME}",
}


def log_of(folder: Path, name: str, text: str) -> RunLog:
    (folder / name).write_text(text)
    return read_log(folder / name)[0]


def same(ours: RunLog, theirs: RunLog) -> None:
    for quantity in ("Dipole moment", "Etot"):
        for spin in ("alpha", "beta", "total") if quantity == "Dipole moment" else ("",):
            found, expected = (
                next(s for k, s in run.series.items() if (k.name, k.spin) == (quantity, spin))
                for run in (ours, theirs)
            )
            np.testing.assert_array_equal(found.time, expected.time)
            np.testing.assert_allclose(found.values, expected.values, rtol=0, atol=3e-8)


@pytest.fixture(scope="module")
def of_nwchem(nwchem_in, tmp_path_factory: pytest.TempPathFactory):
    """A folder where NWChem has run the first deck, and its log of each second one, by name."""
    folder = tmp_path_factory.mktemp("first")
    nwchem_in(folder, FIRST)
    logs = {}
    for name, text in SECOND.items():
        later = tmp_path_factory.mktemp("second") / "files"
        shutil.copytree(folder, later)
        logs[name] = read_log(nwchem_in(later, text))[0]
    return folder, logs


@pytest.mark.parametrize("name", SECOND)
def test_behind_nwchems_first_deck(name: str, of_nwchem, propagate_in, tmp_path: Path) -> None:
    folder, logs = of_nwchem
    shutil.copytree(folder, tmp_path / "files")
    (tmp_path / "files/later.nw").write_text(SECOND[name])
    ended = propagate_in(tmp_path / "files", "later.nw", "--surrogate", "none")
    assert ended.returncode == 0, ended.stderr
    assert "warning" not in ended.stderr
    same(log_of(tmp_path, "ours.out", ended.stdout), logs[name])
    assert logs[name].find("Etot").values[0, 0] == pytest.approx(ETOT, abs=1e-8)


@pytest.mark.parametrize("name", SECOND)
def test_behind_our_own_first_deck(name: str, of_nwchem, propagate_in, tmp_path: Path) -> None:
    """A deck of a ground state alone leaves its orbitals, under the name it gives, and its settings."""
    (tmp_path / "first.nw").write_text(FIRST)
    ended = propagate_in(tmp_path, "first.nw")
    assert ended.returncode == 0, ended.stderr
    assert "Total DFT energy" in ended.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.nw", "job.settings.nw", "kept.mos"]
    (tmp_path / "later.nw").write_text(SECOND[name])
    ended = propagate_in(tmp_path, "later.nw", "--surrogate", "none")
    assert ended.returncode == 0, ended.stderr
    assert "warning" not in ended.stderr
    same(log_of(tmp_path, "ours.out", ended.stdout), of_nwchem[1][name])


def test_nwchem_starts_from_our_orbitals(nwchem_in, propagate_in, tmp_path: Path) -> None:
    """Its SCF has nothing left to do: NWChem's first energy is the last one."""
    (tmp_path / "first.nw").write_text(FIRST)
    assert propagate_in(tmp_path, "first.nw").returncode == 0
    log = nwchem_in(tmp_path, FIRST.replace("vectors output", "vectors input"))
    iterations = [line for line in log.read_text(errors="replace").splitlines() if " d= " in line]
    assert len(iterations) <= 2
    energies = [float(line.split()[-5]) for line in iterations]
    assert energies[0] == pytest.approx(energies[-1], abs=1e-8)


def test_with_nwchem_as_the_engine(of_nwchem, propagate_in, tmp_path: Path) -> None:
    """NWChem's own orbitals are left for a later deck."""
    (tmp_path / "first.nw").write_text(FIRST + REAL_TIME)
    ended = propagate_in(tmp_path, "first.nw", "--engine", "nwchem", "--surrogate", "none")
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "kept.mos").is_file()
    (tmp_path / "later.nw").write_text(
        SECOND["a propagation"].replace("restart job", "restart job\ntitle again")
    )
    ended = propagate_in(tmp_path, "later.nw", "--surrogate", "none")
    assert ended.returncode == 0, ended.stderr
    same(log_of(tmp_path, "ours.out", ended.stdout), of_nwchem[1]["a propagation"])


def test_orbitals_of_another_functional_are_noticed(of_nwchem, propagate_in, tmp_path: Path) -> None:
    """One line, and NWChem's way: the propagation starts from them."""
    folder, _ = of_nwchem
    shutil.copytree(folder, tmp_path / "files")
    other = "dft\n  xc pbe0\nend\n"
    (tmp_path / "files/later.nw").write_text(f"restart job\n{other}{REAL_TIME}")
    ended = propagate_in(tmp_path / "files", "later.nw", "--surrogate", "none")
    assert ended.returncode == 0
    (warning,) = [line for line in ended.stderr.splitlines() if "warning" in line]
    assert "later.nw:16: warning: orbitals kept.mos are not converged for xc pbe0 here (force " in warning


def test_decks_of_ground_states_alone(propagate_in, tmp_path: Path) -> None:
    (tmp_path / "first.nw").write_text(FIRST)
    ended = propagate_in(tmp_path, "first.nw", "--engine", "nwchem")
    assert ended.returncode == 2
    assert "first.nw:20: --engine nwchem is for propagations" in ended.stderr
    (tmp_path / "none.nw").write_text(FIRST.replace("task dft energy\n", ""))
    ended = propagate_in(tmp_path, "none.nw")
    assert ended.returncode == 2
    assert "the deck has no task" in ended.stderr
    # What was run before may be run again, and gone on from.
    for arguments in ((), ("--restart",)):
        ended = propagate_in(tmp_path, "first.nw", *arguments)
        assert ended.returncode == 0, ended.stderr
        assert "Total DFT energy" in ended.stdout
