"""Pictures of transition densities: seen from a side on which both signs of the charge show."""

import numpy as np
import pytest
from hybrid_propagate.driver.pictures.transition_picture import seen_along
from pyscf import gto

#: Water in the yz plane, x its thinnest axis.
WATER = "O 0 0 0.1173; H 0 0.7572 -0.4692; H 0 -0.7572 -0.4692"


@pytest.mark.parametrize(("orbital", "axis"), [("2px", 2), ("2py", 0), ("2pz", 0)])
def test_a_line_is_seen_across_its_direction(orbital: str, axis: int) -> None:
    """From oxygen's 2s to its 2p: the charge swings along that p; of the axes across it, the thinnest."""
    mol = gto.M(atom=WATER, basis="sto-3g", verbose=0)
    labels = [label.split()[-1] for label in mol.ao_labels()[:5]]
    matrix = np.zeros((mol.nao, mol.nao))
    matrix[labels.index("2s"), labels.index(orbital)] = matrix[labels.index(orbital), labels.index("2s")] = (
        1.0
    )
    assert seen_along(mol, matrix) == axis
