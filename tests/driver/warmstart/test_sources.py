"""Starts from what earlier runs left: another basis, other spins, decks of which one task matters."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import DeckError
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.files.density_file import DensityFileError, write_density
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.driver.commands.propagate import main as propagate
from hybrid_propagate.driver.warmstart.sources import earlier_runs
from hybrid_propagate.surrogate.starting_density.projection import Projection
from pyscf_systems import solved, water
from small_decks import HYDRIDE, kicked

CATION = "charge 1\n"


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trajectory of two steps of LiH in STO-3G."""
    folder = tmp_path_factory.mktemp("left")
    text = kicked(HYDRIDE, tmax=0.6, xc="hfexch", start="small", head=f"permanent_dir {folder}\n")
    (folder / "deck.nw").write_text(text)
    assert propagate([str(folder / "deck.nw"), "--log", str(folder / "log")]) == 0
    return folder / "small.h5"


@pytest.mark.parametrize(
    ("words", "electrons"),
    [
        ({"basis": "6-31G*"}, [4.0]),
        ({"dft": "  mult 2\n", "head": CATION}, [2.0, 1.0]),
        ({"basis": "3-21G", "dft": "  odft\n"}, [2.0, 2.0]),
    ],
    ids=["another basis", "cation", "both"],
)
def test_orbitals_are_projected(
    words: dict[str, str], electrons: list[float], left: Path, tmp_path: Path
) -> None:
    (tmp_path / "deck.nw").write_text(kicked(HYDRIDE, tmax=0.6, xc="hfexch", **words))
    system = read_deck(tmp_path / "deck.nw").tasks[0].system
    (predictor,) = earlier_runs([left], system)
    assert isinstance(predictor, Projection)
    P, S = predictor.predict(system), molecule(system).intor("int1e_ovlp")
    assert np.einsum("smn,nm->s", P, S) == pytest.approx(electrons, abs=1e-9)


def test_a_density_without_its_basis_is_refused(tmp_path: Path) -> None:
    engine, orbitals = solved("HF")
    write_density(tmp_path / "start.h5", engine.mol, orbitals.density(), orbitals, "made up")
    with pytest.raises(DensityFileError, match="another basis, charge or multiplicity; accepted: a traj"):
        earlier_runs([tmp_path / "start.h5"], water("HF", "6-31g"))


def test_only_the_first_ground_state_of_a_deck_is_judged(tmp_path: Path) -> None:
    text = kicked(HYDRIDE, tmax=0.6, rest="  spatialcap\n  end")
    ahead = text.replace("task dft energy", "").replace("task dft rt_tddft", "task dft energy\ntask dft freq")
    for deck in (text, ahead):
        (tmp_path / "deck.nw").write_text(deck)
        with pytest.raises(DeckError):
            read_deck(tmp_path / "deck.nw")
        assert len(read_deck(tmp_path / "deck.nw", first_ground_state=True).tasks) == 1
