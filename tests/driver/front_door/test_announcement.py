"""The first line of a run."""

from pathlib import Path

from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.front_door.announcement import announcement
from small_decks import kicked


def test_equal_runs_are_counted(tmp_path: Path) -> None:
    """And others are told apart."""
    one = kicked(tmax=20.0)
    block = "unset rt_tddft:*\nrt_tddft" + one.split("rt_tddft", 1)[1]
    (tmp_path / "a.nw").write_text(one + block + block + block.replace("tmax 20.0", "tmax 10.0"))
    said = announcement(read_deck(tmp_path / "a.nw"), {"engine": "pyscf", "surrogate": "none"}, 1)
    runs = "3 runs of 100 points of 0.2 au and 50 points of 0.2 au"
    assert said == f"water: H2O, 7 functions, pbe0: ground state, {runs} by PySCF alone; 1 thread"
