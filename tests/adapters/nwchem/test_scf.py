"""Real NWChem SCFs from our movecs: from its own converged density, and from one that PySCF converged."""

from dataclasses import replace
from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import GroundStateTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.nwchem.process import NWChemError
from hybrid_propagate.adapters.nwchem.scf import run_nwchem_scf, scf_energies
from hybrid_propagate.adapters.pyscf.scf import run_pyscf_scf

# d functions ahead of p ones, so that order, normalisation and signs all matter.
DECK = """start deck
charge {charge}
geometry "m" units bohr nocenter noautosym noautoz
  O 0.1 0.2 0.3
  H 1.7 0.5 -0.4
  H -1.2 1.4 0.6
end
set geometry "m"
basis {kind}
  O library 6-31G*
  H library 6-31G
  H D
    0.8 1.0
  H P
    0.9 1.0
end
dft
  xc {xc}
  mult {multiplicity}
  convergence energy 1e-9 density 1e-8 gradient 1e-6
  tolerances tight
end
task dft energy
"""
CASES = {
    "RHF, cartesian": (0, 1, "cartesian", "hfexch"),
    "RKS, spherical": (0, 1, "spherical", "xpbe96 cpbe96"),
    "UHF, spherical": (1, 2, "spherical", "hfexch"),
    "UKS, cartesian": (1, 2, "cartesian", "b3lyp"),
}


def ground_of(folder: Path, case: str) -> GroundStateTask:
    charge, multiplicity, kind, xc = CASES[case]
    deck = folder / "deck.nw"
    deck.write_text(DECK.format(charge=charge, multiplicity=multiplicity, kind=kind, xc=xc))
    (task,) = read_deck(deck).tasks
    assert isinstance(task, GroundStateTask)
    return task


@pytest.mark.parametrize("case", CASES)
def test_own_converged_density_needs_two_iterations(case: str, tmp_path: Path) -> None:
    ground = ground_of(tmp_path, case)
    cold = run_nwchem_scf(ground, "nwchem", None)
    warm = run_nwchem_scf(ground, "nwchem", cold.orbitals)
    assert cold.converged
    assert warm.converged
    assert cold.iterations >= 6
    assert warm.iterations <= 2
    assert warm.energy == pytest.approx(cold.energy, abs=1e-8)
    assert warm.energies[-1] == pytest.approx(warm.energy, abs=1e-9)


@pytest.mark.parametrize("case", ["RHF, cartesian", "UHF, spherical"])
def test_pyscfs_orbitals_are_nwchems(case: str, tmp_path: Path) -> None:
    """Hartree-Fock has no grid in which the codes would differ: the first iteration has the final energy."""
    ground = ground_of(tmp_path, case)
    pyscf = run_pyscf_scf(ground.system, None)
    warm = run_nwchem_scf(ground, "nwchem", pyscf.orbitals)
    assert warm.energies[0] == pytest.approx(pyscf.energy, abs=1e-8)
    assert warm.energy == pytest.approx(pyscf.energy, abs=1e-8)
    assert warm.iterations < run_nwchem_scf(ground, "nwchem", None).iterations / 2


def test_failures_are_one_line_and_nwchems_last(tmp_path: Path) -> None:
    ground = replace(ground_of(tmp_path, "RHF, cartesian"), nwchem_only_lines=("no such directive",))
    with pytest.raises(NWChemError, match="NWChem's SCF failed") as failure:
        run_nwchem_scf(ground, "nwchem", None)
    assert any("no such directive" in line for line in failure.value.tail)
    with pytest.raises(NWChemError, match="cannot be started: no such command"):
        run_nwchem_scf(ground, "/no/such/nwchem", None)


def test_iterations_are_those_of_the_last_task() -> None:
    log = """ d= 0,ls=0.0,diis     1    -76.2820832623 -8.55D+01  5.08D-02  4.28D-01     1.1
 d= 0,ls=0.0,diis     2    -76.3218459654 -3.13D-08  2.61D-06  9.00D-09     2.1
 d=70,ls=0.5,diis     1    -75.2820832623 -8.55D+01  5.08D-02  4.28D-01     1.1
                                                      4.28D-02  1.00D-02
 d= 0,ls=0.0,diis     2    -75.3198366007 -6.94D-02  3.61D-03  2.27D-02     1.5
 d= 0,ls=0.0          3    -75.3218245597 -1.99D-03  4.68D-04  2.11D-04     1.7
"""
    assert scf_energies(log) == (-75.2820832623, -75.3198366007, -75.3218245597)
