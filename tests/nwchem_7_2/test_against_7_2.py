"""What NWChem 7.2 has and 7.0 has not, against NWChem 7.2.3 itself. `make nwchem-7.2` puts it on PATH."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.deck.xc import COMBINATIONS, SINCE_7_2, TERMS
from hybrid_propagate.adapters.log.reader import read_log
from hybrid_propagate.adapters.pyscf.molecule import molecule
from small_decks import kicked

NWChemIn = Callable[[Path, str], Path]
PropagateIn = Callable[..., subprocess.CompletedProcess[str]]
CARRIED_OUT = sorted(SINCE_7_2 & {*COMBINATIONS, *TERMS})
FLUORIDE = """start fluoride
geometry units angstroms noautosym nocenter
  F 0.0 0.0 0.1
  H 0.1 0.2 1.0
end
basis
  * library 6-31G
end
dft
  xc {xc}
  grid fine
  convergence energy 1d-8
end
task dft energy
"""


def test_it_is_7_2(nwchem: Callable[[str], Path]) -> None:
    assert "(NWChem) 7.2" in nwchem("start none\n").read_text()


@pytest.mark.parametrize("word", CARRIED_OUT)
def test_total_energies_of_its_words(word: str, nwchem: Callable[[str], Path], tmp_path: Path) -> None:
    from pyscf import dft

    log = nwchem(FLUORIDE.format(xc=word)).read_text()
    found = re.search(r"Total DFT energy =\s+(\S+)", log)
    assert found is not None
    task = read_deck(tmp_path / "deck.nw").tasks[0]
    solver = dft.RKS(molecule(task.system))
    solver.xc = task.system.functional.pyscf
    solver.grids.level, solver.conv_tol = 4, 1e-9
    assert solver.kernel() == pytest.approx(float(found[1]), abs=1e-5)


@pytest.mark.parametrize("xc", ["r2scan", "wb97x", "mn15"])
def test_propagations(
    xc: str, nwchem: Callable[[str], Path], propagate_in: PropagateIn, tmp_path: Path
) -> None:
    # On their medium grids either code's r2SCAN dipole is 5e-5 au from the limit, to opposite sides.
    words = {"xc": xc, "basis": "STO-3G", "tmax": 1.8, "dft": "  grid xfine"}
    plain = nwchem(kicked(**words, rest="  print dipole field energy convergence"))
    theirs = read_log(plain)[0].find("Dipole moment").values
    for engine, within in (("pyscf", 2e-5), ("nwchem", 1e-9)):
        folder = tmp_path / engine
        folder.mkdir()
        (folder / "deck.nw").write_text((tmp_path / "deck.nw").read_text())
        done = propagate_in(folder, "deck.nw", "--engine", engine, "--surrogate", "none")
        assert done.returncode == 0, done.stderr
        (folder / "log").write_text(done.stdout)
        ours = read_log(folder / "log")[0].find("Dipole moment").values
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < within


def test_print_adds_to_what_is_printed_anyway(nwchem: Callable[[str], Path]) -> None:
    """7.0 prints what the line names and nothing else; so does this program."""
    log = nwchem(kicked(xc="hfexch", basis="STO-3G", tmax=0.6, rest="  print charge")).read_text()
    assert all(f"# {word}" in log for word in ("Charge", "Dipole moment", "Etot", "Applied E-field"))


def test_a_deck_without_a_print_line_runs(nwchem: Callable[[str], Path]) -> None:
    """The Debian build of 7.0.2 stops there."""
    log = nwchem(kicked(xc="hfexch", basis="STO-3G", tmax=0.6, rest="")).read_text()
    assert "# Dipole moment" in log


def test_debians_build_has_no_libxc(nwchem_in: NWChemIn, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="xc_input: invalid format"):
        nwchem_in(tmp_path, FLUORIDE.format(xc="gga_x_pbe gga_c_pbe"))
