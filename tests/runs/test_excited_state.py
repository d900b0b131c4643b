"""A propagation from an excited state's relaxed density, which an installed NWChem makes: as in NWChem."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.log.reader import read_log
from hybrid_propagate.driver.run.check import check_deck

DECK = """start wat
geometry "mol" units angstroms nocenter noautoz noautosym
  O  0.000000  0.000000  0.119000
  H  0.000000  0.758600 -0.476000
  H  0.000000 -0.758600 -0.476000
end
set geometry "mol"
basis
  * library STO-3G
end
dft
  xc hfexch
  convergence energy 1d-9 density 1d-8 gradient 1d-7
end
tddft
  nroots 6
  notriplet
  civecs
  grad
    root 2
  end
end
task tddft gradient
rt_tddft
  tmax 2.0
  dt 0.2
  print dipole
  load density wat.dmat
end
task dft rt_tddft
"""


def test_as_nwchem_does_it(
    nwchem_in: Callable[[Path, str], Path],
    propagate_in: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    for name in ("plain", "ours"):
        (tmp_path / name).mkdir()
    plain = read_log(nwchem_in(tmp_path / "plain", DECK))[0].find("Dipole moment")
    (tmp_path / "ours/deck.nw").write_text(DECK)
    done = propagate_in(tmp_path / "ours", "deck.nw", "--surrogate", "none")
    assert done.returncode == 0, done.stderr
    (tmp_path / "ours/log").write_text(done.stdout)
    ours = read_log(tmp_path / "ours/log")[0].find("Dipole moment")
    # NWChem 7.0.2; the ground state's is 0.68.
    assert plain.values[0, 2] == pytest.approx(-0.20996257, abs=1e-7)
    np.testing.assert_allclose(ours.values, plain.values, rtol=0, atol=1e-7)


def test_without_nwchem_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NWCHEM_COMMAND", "no_such_nwchem")
    (tmp_path / "deck.nw").write_text(DECK)
    with pytest.raises(DeckError, match="task tddft gradient is made by an installed NWChem, and there is"):
        check_deck(read_deck(tmp_path / "deck.nw"), "pyscf", None)
