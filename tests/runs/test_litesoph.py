"""LITESOPH with this program in NWChem's place: its pairs of decks, and what it reads out of the log.

A ground state is one deck, each propagation another, which restarts it; both name the folder of the files.
The decks and the readers here are restated from what LITESOPH writes and looks for.
"""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.log.reader import read_log
from hybrid_propagate.driver.commands.propagate import main

ATOMS = "3\n\nO 0.0 0.0 0.2\nH 0.0 0.76 -0.4\nH 0.0 -0.76 -0.4\n"
#: Of a molecule that lies otherwise the old deck's ground state is turned, and the propagation is not.
ALONG_Z = "2\n\nLi 0.0 0.0 0.0\nH 0.0 0.0 1.6\n"
#: As it writes decks today: geometry and basis stand in both, the `dft` block in the first alone.
HEAD = """title "water"

permanent_dir {folder}/restart

scratch_dir {folder}/restart

{start} water

geometry "system" units angstrom nocenter noautosym noautoz
   load {folder}/coordinate.xyz
end
set geometry "system"

basis noprint
   * library STO-3G
end

"""
GROUND = """dft
  xc PBE0
  convergence energy 5e-07 density 1e-06
  iterations 300
end



task dft energy"""
KICK = """rt_tddft
  tmax 2.07
  dt 0.2
  print dipole{quantities}
    field "kick_x"
      type delta
      polarization z
      max 0.001
  end
  excite "system" with "kick_x"
end



task dft rt_tddft"""
#: As it did before: the first deck's geometry has no name, and symmetry; the second's has neither.
OLD = """
echo
start gs

permanent_dir {folder}/restart
title "LITESOPH NWCHEM Calculations"

charge 0

geometry
  load  {folder}/coordinate.xyz
end

basis
  * library sto-3g
end

dft
 direct
 mult 1
 xc xpbe96 cpbe96
 iterations 300
 convergence energy 1e-09
 convergence density 1e-07
end

task dft energy
               """
OLD_KICKS = """
echo
restart gs

permanent_dir {folder}/restart
title "LITESOPH NWCHEM Delta Kick Calculations"

geometry "system" units angstroms nocenter noautoz noautosym
  load {folder}/coordinate.xyz
end

set geometry "system"

{kicks}
              """
OLD_KICK = """
rt_tddft
  tmax 2.07
  dt 0.2

  tag "kick_{axis}"

  field "kick"
    type delta
    polarization {axis}
    max 0.001
  end

  excite "system" with "kick"
  print dipole

end
task dft rt_tddft
    """


def in_project(folder: Path, name: str, text: str, atoms: str = ATOMS) -> Path:
    """A deck in a folder of its own, beside that of NWChem's files."""
    (folder / "restart").mkdir(exist_ok=True)
    (folder / "coordinate.xyz").write_text(atoms)
    (folder / name).mkdir()
    (folder / name / "deck.nw").write_text(text.format(folder=folder))
    return folder / name


def ours(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The log of this program, called as LITESOPH calls NWChem."""
    monkeypatch.chdir(folder)
    assert main(["deck.nw"]) == 0
    return capsys.readouterr().out


def columns(log: str, *labels: str) -> np.ndarray:
    """Of each line with all the labels, what stands between its first word and `#`."""
    rows = [
        [float(word) for word in line.split("#")[0].split()[1:]]
        for line in log.splitlines()
        if all(label in line for label in labels)
    ]
    found = np.array(rows)
    assert (np.diff(found[:, 0]) > 1e-6).all(), "a time stands twice"
    return found


def orbital_table(log: str) -> np.ndarray:
    """Number, occupation and energy of each orbital: the rows from the first such heading to a blank one."""
    lines = iter(log.splitlines())
    next(line for line in lines if all(word in line for word in ("Vector", "Occupation", "Eigenvalue")))
    rows = []
    for line in lines:
        if "------" in line:
            continue
        if not line.strip():
            break
        rows.append([float(word) for word in line.split()])
    return np.array(rows)


def test_a_pair_of_today(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    nwchem_in: Callable[[Path, str], Path],
) -> None:
    """Both decks by us, and by NWChem; the dipoles that it transforms are NWChem's but for the quadrature."""
    ours(in_project(tmp_path, "gs", HEAD.replace("{start}", "start") + GROUND), monkeypatch, capsys)
    second = (HEAD.replace("{start}", "restart") + KICK).replace("{quantities}", "")
    log = ours(in_project(tmp_path, "td", second), monkeypatch, capsys)
    found = columns(log, "<rt_tddft>", "Dipole moment", "system")
    project = tmp_path / "nwchem"
    project.mkdir()
    for name, start, rest in (("gs", "start", GROUND), ("td", "restart", KICK.replace("{quantities}", ""))):
        folder = in_project(project, name, "")
        theirs = nwchem_in(folder, (HEAD.replace("{start}", start) + rest).format(folder=project))
    expected = columns(theirs.read_text(errors="replace"), "<rt_tddft>", "Dipole moment", "system")
    assert len(found) == 10
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-6)
    kicked = np.ptp(expected[:, 3])
    assert kicked > 1e-4
    np.testing.assert_allclose(found[:, 3] - found[0, 3], expected[:, 3] - expected[0, 3], atol=2e-3 * kicked)


def test_populations_and_orbital_energies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`print dipole moocc`: a window about the HOMO is cut out of each line by the table's occupied ones."""
    ours(in_project(tmp_path, "gs", HEAD.replace("{start}", "start") + GROUND), monkeypatch, capsys)
    second = (HEAD.replace("{start}", "restart") + KICK).replace("{quantities}", " moocc")
    log = ours(in_project(tmp_path, "td", second), monkeypatch, capsys)
    table = orbital_table(log)
    with h5py.File(tmp_path / "restart/water.h5") as file:
        np.testing.assert_allclose(table[:, 2], file["ground/energies"][0], atol=1e-7)
        time = file["dynamics/time"][:]
    occupied = int((table[:, 1] == 2.0).sum())
    assert occupied == 5
    assert int((table[:, 1] == 0.0).sum()) == 2
    populations = columns(log, "<rt_tddft>", "MO Occupations")
    np.testing.assert_allclose(populations[:, 0], time, atol=1e-5)
    window = populations[:, occupied + 1 - 2 : occupied + 1 + 2]
    np.testing.assert_allclose(window[0], [2.0, 2.0, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(populations[:, 1:].sum(axis=1), 10.0, atol=1e-9)
    assert window[-1, :2].sum() < 2.0 + 2.0


def test_a_pair_of_before(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    nwchem_in: Callable[[Path, str], Path],
) -> None:
    """Two kicks behind a ground state that NWChem has centred; each line's first word is its tag.

    NWChem's `geometry` is the active one, whatever its name, once `set geometry` has named one.
    """
    kicks = "".join(OLD_KICK.format(axis=axis) for axis in "xz")
    ours(in_project(tmp_path, "gs", OLD, ALONG_Z), monkeypatch, capsys)
    second = OLD_KICKS.replace("{kicks}", kicks)
    log = ours(in_project(tmp_path, "td", second, ALONG_Z), monkeypatch, capsys)
    project = tmp_path / "nwchem"
    project.mkdir()
    for name, text in (("gs", OLD), ("td", second)):
        theirs = nwchem_in(in_project(project, name, "", ALONG_Z), text.format(folder=project))
    runs = {run.tag: run for run in read_log(theirs)}
    for axis in "xz":
        for geometry in ("geometry", "system"):
            lines = [line for line in log.splitlines() if f"# Dipole moment [{geometry}]" in line]
            mine = [line.split() for line in lines if line.split()[0] == f"kick_{axis}"]
            expected = runs[f"kick_{axis}"].find("Dipole moment", geometry)
            np.testing.assert_allclose([float(words[1]) for words in mine], expected.time, atol=1e-5)
            values = [[float(word) for word in words[2:5]] for words in mine]
            # Two quadratures differ in the dipole at rest, and hardly in what the kick induces.
            np.testing.assert_allclose(values, expected.values, rtol=0, atol=2e-5)
            induced = np.array(values) - values[0]
            np.testing.assert_allclose(induced, expected.values - expected.values[0], rtol=0, atol=2e-7)
