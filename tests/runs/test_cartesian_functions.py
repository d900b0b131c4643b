"""Strong kicks in cartesian bases, step by step beside real NWChem: its norms are in its convergence test."""

import re
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.log.reader import read_log
from hybrid_propagate.adapters.pyscf.engine import make_engine
from hybrid_propagate.adapters.working_basis import canonical_orthogonalisation

#: 78 `Magnus interpol` lines; with norms as PySCF has them there are 73.
D_FUNCTIONS = """start deck
geometry "m" units angstroms nocenter noautosym noautoz
  C 0 0 0
  O 0 0 1.13
end
set geometry "m"
basis
  * library 6-31G*
end
dft
  xc hfexch
  convergence energy 1d-10 density 1d-9 gradient 1d-8
  tolerances tight
end
task dft energy
rt_tddft
  tmax 8.0
  dt 0.8
  print dipole energy convergence
  field "push"
    type delta
    polarization z
    max 0.3
  end
  excite "m" with "push"
end
task dft rt_tddft
"""
#: Two d shells so near that NWChem drops five of their functions; by PySCF's norms all twelve would stay.
DEPENDENT = """start deck
geometry "m" units angstroms nocenter noautosym noautoz
  He 0 0 0
  H 0 0 0.8
end
set geometry "m"
charge 1
basis cartesian
  He library STO-3G
  H library STO-3G
  He D
    0.7 1.0
  He D
    0.703815 1.0
end
dft
  xc hfexch
  tolerances accCoul 14 tight
  convergence nolevelshifting
end
task dft energy
rt_tddft
  tmax 2.0
  dt 0.2
  print dipole energy convergence
  field "push"
    type delta
    polarization z
    max 0.5
  end
  excite "m" with "push"
end
task dft rt_tddft
"""


@pytest.fixture(scope="module", params=["d functions", "dependent"])
def logs(request: pytest.FixtureRequest, nwchem_in, propagate_in, tmp_path_factory):
    """Name of the deck, NWChem's log and ours."""
    folder: Path = tmp_path_factory.mktemp("cartesian")
    theirs = nwchem_in(folder, {"d functions": D_FUNCTIONS, "dependent": DEPENDENT}[request.param])
    ended = propagate_in(folder, "deck.nw", "--surrogate", "none")
    assert ended.returncode == 0, ended.stderr
    ours = folder / "ours.out"
    ours.write_text(ended.stdout)
    return request.param, theirs, ours


def changes(log: Path) -> np.ndarray:
    """Times and values of the `Magnus interpol` lines, (n, 2)."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return np.array([line.split()[1:3] for line in lines if "# Magnus interpol (" in line], dtype=float)


def test_the_convergence_lines_are_nwchems(logs) -> None:
    """As many at every step, and their values to five digits, those near the tolerance to its hundredth."""
    name, theirs, ours = logs
    expected, found = changes(theirs), changes(ours)
    np.testing.assert_array_equal(found[:, 0], expected[:, 0])
    np.testing.assert_allclose(found[:, 1], expected[:, 1], rtol=5e-5, atol=1e-9)
    assert len(expected) == {"d functions": 78, "dependent": 27}[name]


def test_dipoles_and_energies(logs) -> None:
    """NWChem's SCF leaves 1e-6 au in the dipole of the dependent basis, 1e-8 in the other."""
    name, theirs, ours = logs
    (expected,), (found,) = read_log(theirs), read_log(ours)
    limit = {"d functions": 2e-7, "dependent": 3e-6}[name]
    for quantity in ("Dipole moment", "Etot"):
        np.testing.assert_allclose(
            found.find(quantity).values, expected.find(quantity).values, rtol=0, atol=limit, err_msg=quantity
        )


def test_as_many_functions_are_dropped(logs) -> None:
    name, theirs, ours = logs
    told = re.search(r"overlap matrix has\s+(\d+) vectors deemed linearly dependent", theirs.read_text())
    dropped = int(told[1]) if told else 0
    integrals = make_engine(read_deck(ours.parent / "deck.nw").tasks[0].system, 1e9).integrals
    X = canonical_orthogonalisation(integrals.overlap, integrals.scale)
    assert X.shape[0] - X.shape[1] == dropped == {"d functions": 0, "dependent": 5}[name]
    assert canonical_orthogonalisation(integrals.overlap, np.ones(len(X))).shape[1] == len(X)


#: An ECP on iodine, d functions on both.
CORELESS = """start deck
geometry "m" units angstroms nocenter noautosym noautoz
  I 0 0 0
  Cl 0 0 2.4
end
set geometry "m"
basis
  I library "LANL2DZ ECP"
  Cl library 6-31G*
end
ecp
  I library "LANL2DZ ECP"
end
dft
  xc slater
end
task dft energy
rt_tddft
  tmax 0.4
  dt 0.2
  print dipole
end
task dft rt_tddft
"""


NORMS = ("norm[D_x]", "norm[D_z]", "norm[Q_xx]", "norm[Q_xz]", "norm[Q_zz]")


def test_the_log_counts_what_nwchem_counts(tmp_path: Path, propagate_in, nwchem) -> None:
    """Electrons outside an ECP, and the largest elements of matrices between NWChem's own functions."""
    theirs = nwchem(CORELESS).read_text()
    ours = propagate_in(tmp_path, "deck.nw", "--surrogate", "none")
    assert ours.returncode == 0, ours.stderr
    for words in ("Center of mass", "No. of electrons", "No. alpha electrons", "Total no. electrons", *NORMS):
        found = [re.findall(rf"{re.escape(words)} *[:=] *(.+)", text) for text in (ours.stdout, theirs)]
        assert found[0] == found[1] != [], words
