"""Ground states of a deck: orbitals stay, engines as long as something is to start from them."""

import weakref
from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.deck import GroundStateTask, orbitals_read
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.driver.loop.segment import Limits
from hybrid_propagate.driver.run.ground import GroundStates
from hybrid_propagate.driver.run.options import Options

DECK = """start ions
basis; * library sto-3g; end
geometry "one" units angstroms nocenter noautosym
  H 0.0 0.0 0.0; H 0.0 0.0 0.8
end
geometry "two" units angstroms nocenter noautosym
  H 0.0 0.0 0.0; H 0.0 0.0 0.7
end
set geometry "one"
dft; xc hfexch; vectors output one.mos; end
task dft energy
set geometry "two"
dft; xc hfexch; vectors input atomic output two.mos; end
task dft energy
rt_tddft
  tmax 1.0
  dt 0.2
  print dipole
end
task dft rt_tddft
"""


def test_engines_are_freed_that_nothing_starts_from(tmp_path: Path) -> None:
    (tmp_path / "deck.nw").write_text(DECK)
    deck = read_deck(tmp_path / "deck.nw")
    options = Options("none", 1e-3, 1, Limits(), 1e9, False, None, 0.0, frames=True)
    grounds = GroundStates(deck, options, lambda _: None)
    first, second, last = deck.tasks
    assert isinstance(first, GroundStateTask)
    assert isinstance(second, GroundStateTask)
    assert [orbitals_read(task) for task in deck.tasks] == ["", "", second.output]
    engine, orbitals = grounds.solve(grounds.add(first))
    freed = weakref.ref(engine)
    del engine
    kept = grounds.solve(grounds.add(second))[0]
    grounds.let_go([orbitals_read(last)])
    assert freed() is None
    assert grounds.solve(1)[0] is kept
    # The orbitals are not converged again, and an engine can be had anew; a Fock build is made once.
    again, same = grounds.solve(0)
    assert same is orbitals
    build = grounds.build(again, orbitals)
    assert grounds.build(again, orbitals) is build
    assert grounds.build(kept, orbitals) is not build
    assert np.isclose(build.energies.electronic + again.integrals.nuclear_repulsion, orbitals.total_energy)
