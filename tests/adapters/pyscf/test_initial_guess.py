"""PySCF's guesses, and what stands in for one of a basis that PySCF has none of."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.pyscf.engine import make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.pyscf.initial_guess import initial_guess
from pyscf import dft, gto
from pyscf_systems import GIB

_DECK = """geometry units au nocenter noautosym
  Li 0.0 0.0 0.1
  H 0.2 0.0 3.0
end
basis spherical
  Li library STO-3G
  H library H STO-3G
  H P
    0.9 1.0
  H P
    0.9 1.0
end
dft
  xc HFexch
  convergence energy 1d-9
end
task dft
rt_tddft
  tmax 1.0
  dt 0.5
end
task dft rt_tddft
"""


@pytest.mark.parametrize("n_spin", [1, 2])
def test_a_regular_basis_has_pyscfs_guess(n_spin: int) -> None:
    mol = gto.M(atom="O 0 0 0; H 0 0 1; H 0 1 0", basis="sto-3g", verbose=0)
    mean_field = (dft.RKS if n_spin == 1 else dft.UKS)(mol)
    guess = initial_guess(mean_field, "minao", n_spin)
    np.testing.assert_array_equal(guess, np.asarray(mean_field.get_init_guess()).reshape(n_spin, 7, 7))


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_functions_given_twice(tmp_path: Path) -> None:
    """PySCF's projection on them is singular. The energy is NWChem 7.0.2's, which drops three functions."""
    path = tmp_path / "deck.nw"
    path.write_text(_DECK)
    engine = make_engine(read_deck(path).tasks[0].system, GIB)
    orbitals = solve_ground_state(engine, None, 50)[1]
    assert orbitals.coefficients.shape == (1, 12, 9)
    assert orbitals.total_energy == pytest.approx(-7.863413924, abs=2e-8)


@pytest.mark.parametrize(("n_spin", "electrons"), [(1, [12]), (2, [6, 6])])
def test_an_ecp_without_a_shell_for_every_electron(n_spin: int, electrons: list[int]) -> None:
    mol = gto.M(atom="Ag 0 0 0; H 0 0 1.6", spin=0, verbose=0, ecp={"Ag": "lanl2dz"}, cart=False)
    mol.basis = {"Ag": [[0, [0.3, 1.0]], [2, [1.0, 1.0]], [2, [0.3, 1.0]]], "H": [[0, [0.5, 1.0]]]}
    mol.build()
    guess = initial_guess((dft.RKS if n_spin == 1 else dft.UKS)(mol), "minao", n_spin)
    found = np.einsum("smn,mn->s", guess, mol.intor("int1e_ovlp"))
    np.testing.assert_allclose(found, np.array(electrons) * mol.nelectron / sum(electrons), atol=1e-8)
