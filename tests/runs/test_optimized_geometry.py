"""`task dft optimize` ahead of a propagation, against NWChem's numbers."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.run.check import check_deck
from small_decks import HYDRIDE, kicked


def deck() -> str:
    text = kicked(HYDRIDE, start="lih", xc="hfexch", tmax=1.2, steps="  print dipole energy", kick=1e-3)
    return text.replace("task dft energy", "driver\n  maxiter 30\nend\ntask dft optimize")


def test_a_propagation_from_the_geometry_that_nwchem_ends_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NWChem 7.0.2 on the same deck: Etot at 0, and the dipole at 1.0 au."""
    monkeypatch.chdir(tmp_path)
    Path("d.nw").write_text(deck())
    assert main(["d.nw"]) == 0
    with h5py.File("lih.h5") as file:
        assert file["dynamics/energy"][0] == pytest.approx(-7.863382128911, abs=1e-7)
        assert file["dynamics/dipole"][5, 2] == pytest.approx(-1.903739914329, abs=1e-6)
        moved = np.array(file["geometry/positions"])
    # A later deck goes on from there.
    Path("e.nw").write_text("restart lih\ntask dft energy\n")
    after = read_deck(Path("e.nw")).tasks[0].system.geometry
    assert np.ptp(after.positions[:, 2]) * 0.529177249 == pytest.approx(np.ptp(moved[:, 2]), abs=1e-9)
    assert np.ptp(moved[:, 2]) != pytest.approx(1.5949, abs=1e-3)


def test_without_nwchem_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d.nw").write_text(deck())
    monkeypatch.setenv("NWCHEM_COMMAND", "no-such-nwchem")
    with pytest.raises(DeckError, match=r"d\.nw:\d+: task dft optimize is made by an installed NWChem"):
        check_deck(read_deck(tmp_path / "d.nw"), "pyscf", None)
