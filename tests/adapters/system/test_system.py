"""Systems: which functions belong to a fragment."""

from dataclasses import replace

import numpy as np
from hybrid_propagate.adapters.system import Geometry, System
from hybrid_propagate.adapters.system.system import function_mask
from pyscf_systems import solved


def test_functions_of_a_fragment() -> None:
    """Atoms are matched by position, whatever their name or order."""
    system: System = solved("HF")[0].system
    g = system.geometry
    hydrogens = Geometry("back to front", ("X", "Y"), np.ones(2, int), np.ones(2), g.positions[[2, 1]] + 1e-9)
    np.testing.assert_array_equal(function_mask(system, hydrogens), [False] * 5 + [True] * 2)
    elsewhere = Geometry("elsewhere", ("O",), np.array([8]), np.array([8.0]), g.positions[:1] + 1e-6)
    assert not function_mask(system, elsewhere).any()


def test_electrons_by_spin() -> None:
    """Water has ten, its cation one alpha more than beta; an ECP of two leaves eight."""
    neutral, cation = (solved("HF", open_shell)[0].system for open_shell in (False, True))
    assert neutral.electrons == (5, 5)
    assert cation.electrons == (5, 4)
    assert replace(neutral, ecp={"O": [2, []]}).electrons == (4, 4)
