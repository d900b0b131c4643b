"""Ground states with fractional occupations, against NWChem 7.0.2's total energies."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import GroundStateTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.engine import make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.system.filling import smearing_energy

DECK = """geometry units bohr noautosym nocenter noautoz
 Li 0 0 0
 H 0 0 6.0
end
basis spherical
 * library 6-31G
end
dft
 xc hfexch
 {dft}
end
{occup}
task dft energy
"""


@pytest.mark.parametrize(
    ("dft", "occup", "energy"),
    [
        ("smear 0.05", "", -7.898537128371),
        ("odft; smear 0.05; mult 3", "", -7.925685698055),
        ("fon partial 3 electrons 1.9 filled 1", "", -7.583017875424),
        ("fon partial 2 electrons 1 filled 2", "", -7.831985236085),
        ("odft", "occup\n 3 2\n 1.0 1.0\n 0.6 1.0\n 0.4\nend", -7.873401931879),
        ("", "occup\n 3 0\n 2.0\n 1.5\n 0.5\nend", -7.806553901249),
    ],
)
def test_nwchems_energies(tmp_path: Path, dft: str, occup: str, energy: float) -> None:
    (tmp_path / "deck.nw").write_text(DECK.format(dft=dft, occup=occup))
    (task,) = read_deck(tmp_path / "deck.nw").tasks
    assert isinstance(task, GroundStateTask)
    assert task.filling is not None
    engine = make_engine(task.system, 2.0**30)
    engine, orbitals = solve_ground_state(engine, None, 100, filling=task.filling)
    found = orbitals.total_energy
    if task.filling.smear:
        found += smearing_energy(orbitals.occupations, task.filling.smear)
    assert found == pytest.approx(energy, abs=1e-8)


def test_entropy_of_whole_and_half_occupations() -> None:
    """Whole ones have none; a level at μ has σ w / (2 √π)."""
    assert smearing_energy(np.array([[2.0, 2.0, 0.0]]), 0.05) == 0.0
    assert smearing_energy(np.array([[2.0, 1.0]]), 0.05) == pytest.approx(-0.05 / np.sqrt(np.pi))
    spins = np.array([[1.0, 0.5], [1.0, 0.0]])
    assert smearing_energy(spins, 0.1) == pytest.approx(-0.05 / np.sqrt(np.pi))
