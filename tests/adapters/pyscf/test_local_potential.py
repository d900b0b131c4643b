"""The matrix of an absorbing potential in space, against NWChem's."""

from pathlib import Path

import numpy as np
from hybrid_propagate.adapters.deck import PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.local_potential import absorbing_matrix
from hybrid_propagate.adapters.pyscf.molecule import molecule

DECK = """geometry "h2" units bohr noautosym nocenter noautoz
 H 0 0 0
 H 0 0 1.4
end
set geometry "h2"
basis spherical
 * library 6-31++G**
end
task dft energy
rt_tddft
 tmax 4.0
 dt 0.2
 spatialcap
  units au
  potmax 1.0
  nq 40 40 40
  qmin -12 -12 -12
  qmax 12 12 12
  range
   H 2.0 6.0
  end
 end
end
task dft rt_tddft
"""
#: NWChem 7.0.2, "Projection of grid-based potential onto AO basis": s, s, s, x, y, z of each atom.
NWCHEM = [1.814004284014e-5, 2.083676058216e-2, 4.136495913552e-1]
NWCHEM += [1.702402990663e-6, 1.702402990663e-6, 2.388162639053e-6]
NWCHEM += [1.811219999918e-5, 2.083475339692e-2, 4.136101738507e-1]
NWCHEM += [1.612009727311e-6, 1.612009727311e-6, 2.516345293520e-6]


def test_the_diagonal_is_nwchems(tmp_path: Path) -> None:
    (tmp_path / "deck.nw").write_text(DECK)
    task = read_deck(tmp_path / "deck.nw").tasks[-1]
    assert isinstance(task, PropagationTask)
    cap = task.real_time.spatial_cap
    assert cap is not None
    matrix = absorbing_matrix(molecule(task.system), task.system, cap)
    np.testing.assert_allclose(np.diagonal(matrix), NWCHEM, rtol=1e-9)
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-14)
