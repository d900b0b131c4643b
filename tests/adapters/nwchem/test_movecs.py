"""NWChem's files of orbitals: what real NWChem wrote, what it makes of ours, and broken ones."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.log.reader import read_log
from hybrid_propagate.adapters.nwchem.basis_order import nwchem_order
from hybrid_propagate.adapters.nwchem.movecs import MovecsError, read_movecs, write_movecs
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import System

# d functions ahead of p ones in the deck, so that order and scale both matter.
DECK = """start deck
geometry "m" units bohr nocenter noautosym noautoz
  O 0.1 0.2 0.3
  H 1.7 0.5 -0.4
end
set geometry "m"
charge {charge}
basis {kind}
  O library 6-31G*
  H S
    3.42525091 0.15432897
    0.62391373 0.53532814
  H D
    0.8 1.0
  H P
    0.9 1.0
end
dft
  xc hfexch
  mult {multiplicity}
  {vectors}
end
task dft energy
rt_tddft
  tmax 0.05
  dt 0.02
  {load}
  print dipole charge energy
end
task dft rt_tddft
"""
CASES = {"closed shell, cartesian": (-1, 1, "cartesian"), "open shell, spherical": (0, 2, "spherical")}


def deck_of(case: str, vectors: str = "", load: str = "") -> str:
    charge, multiplicity, kind = CASES[case]
    return DECK.format(charge=charge, multiplicity=multiplicity, kind=kind, vectors=vectors, load=load)


def system_of(folder: Path, deck: str) -> System:
    (folder / "deck.nw").write_text(deck)
    task = read_deck(folder / "deck.nw").tasks[-1]
    assert isinstance(task, PropagationTask)
    return task.system


@pytest.mark.parametrize("case", CASES)
def test_real_file(case: str, nwchem: Callable[[str], Path], tmp_path: Path) -> None:
    """Orbitals are orthonormal, hold the electrons, and have the dipole that NWChem prints."""
    system = system_of(tmp_path, deck_of(case))
    log = read_log(nwchem(deck_of(case)))[-1]
    orbitals = read_movecs(tmp_path / "deck.movecs", nwchem_order(system), system.n_spin)
    mol = molecule(system)
    overlap = mol.intor("int1e_ovlp")
    for c in orbitals.coefficients:
        np.testing.assert_allclose(c.T @ overlap @ c, np.eye(c.shape[1]), atol=1e-10)
    total = orbitals.density().sum(axis=0)
    assert np.vdot(overlap, total) == pytest.approx(mol.nelectron, abs=1e-10)
    dipole = mol.atom_charges() @ mol.atom_coords() - np.einsum("xij,ji->x", mol.intor("int1e_r"), total)
    np.testing.assert_allclose(dipole, log.find("Dipole moment").values[0], atol=1e-8)
    assert orbitals.total_energy == pytest.approx(log.find("Etot").values[0, 0], abs=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_nwchem_reads_ours(case: str, nwchem: Callable[[str], Path], tmp_path: Path) -> None:
    """NWChem starts from orbitals of ours that are no ground state, and prints their dipole."""
    system = system_of(tmp_path, deck_of(case))
    nwchem(deck_of(case))
    order, mol = nwchem_order(system), molecule(system)
    orbitals = read_movecs(tmp_path / "deck.movecs", order, system.n_spin)
    turned = orbitals.coefficients.copy()
    # The highest occupied alpha orbital turned by 0.3 rad into the lowest empty one.
    k = int(np.flatnonzero(orbitals.occupations[0])[-1])
    high, low = orbitals.coefficients[0][:, k], orbitals.coefficients[0][:, k + 1]
    turned[0][:, k] = np.cos(0.3) * high + np.sin(0.3) * low
    turned[0][:, k + 1] = np.cos(0.3) * low - np.sin(0.3) * high
    ours = replace(orbitals, coefficients=turned)
    write_movecs(tmp_path / "ours.movecs", ours, order, float(mol.energy_nuc()))
    back = read_movecs(tmp_path / "ours.movecs", order, system.n_spin)
    np.testing.assert_allclose(back.coefficients, turned, rtol=1e-14, atol=1e-300)

    log = read_log(nwchem(deck_of(case, load="load vectors ours.movecs")))[-1]
    total = ours.density().sum(axis=0)
    dipole = mol.atom_charges() @ mol.atom_coords() - np.einsum("xij,ji->x", mol.intor("int1e_r"), total)
    np.testing.assert_allclose(log.find("Dipole moment").values[0], dipole, atol=1e-8)
    assert np.abs(dipole - _dipole(mol, orbitals.density())).max() > 1e-2


def _dipole(mol: object, density: np.ndarray) -> np.ndarray:
    nuclear = mol.atom_charges() @ mol.atom_coords()  # type: ignore[attr-defined]
    return nuclear - np.einsum("xij,ji->x", mol.intor("int1e_r"), density.sum(axis=0))  # type: ignore[attr-defined]


def test_broken_files(nwchem: Callable[[str], Path], tmp_path: Path) -> None:
    """Missing, cut short, no orbitals, another system: one line that names the file."""
    system = system_of(tmp_path, deck_of("closed shell, cartesian"))
    order = nwchem_order(system)
    nwchem(deck_of("closed shell, cartesian"))
    whole = (tmp_path / "deck.movecs").read_bytes()
    path = tmp_path / "other.movecs"
    with pytest.raises(MovecsError, match=r"other\.movecs: No such file"):
        read_movecs(path, order, 1)
    for data in (b"", b"orbitals?", whole[: len(whole) // 2], whole[:-3], whole[1:]):
        path.write_bytes(data)
        with pytest.raises(MovecsError, match="or cut short"):
            read_movecs(path, order, 1)
    smaller = (order[0][:-1], order[1][:-1])
    with pytest.raises(MovecsError, match="this system has"):
        read_movecs(tmp_path / "deck.movecs", smaller, 1)
