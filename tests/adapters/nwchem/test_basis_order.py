"""Densities handed between PySCF's and real NWChem's basis functions through restart files, both ways."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.deck import PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.log.reader import RunLog, read_log
from hybrid_propagate.adapters.nwchem.basis_order import density_from_nwchem, density_to_nwchem, nwchem_order
from hybrid_propagate.adapters.nwchem.rt_restart import RestartPoint, read_restart, write_restart
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import System
from pyscf import scf
from scipy.linalg import expm

# Every shell from s to g on oxygen, in an order that PySCF changes; two contractions and an SP shell.
SPDFG = """
  O P
    1.5 1.0
  O S
    130.70932 0.15432897
    23.808861 0.53532814
    6.4436083 0.44463454
  O G
    1.1 1.0
  O F
    0.9 1.0
  O D
    0.7 1.0
  O SP
    5.0331513 -0.09996723 0.15591627
    1.1695961 0.39951283 0.60768372
    0.3803890 0.70011547 0.39195739
  H S
    3.42525091 0.15432897
    0.62391373 0.53532814
  H D
    0.8 1.0
  H P
    0.9 1.0
"""
CASES = {
    "6-31G*, cartesian": ("basis\n * library 6-31G*\n", 0, 1),
    "6-31++G**, cartesian, open shell": ("basis\n * library 6-31++G**\n", 1, 2),
    "library and more": ("basis\n O library STO-3G\n H library STO-3G\n O D\n 0.8 1\n O S\n 0.2 1\n", 0, 1),
    "cc-pVTZ, spherical": ("basis spherical\n * library cc-pVTZ\n", 0, 1),
    "s to g, cartesian": (f"basis cartesian{SPDFG}", -1, 1),
    "s to g, spherical": (f"basis spherical{SPDFG}", -1, 1),
}


def deck_of(basis: str, charge: int, multiplicity: int, real_time: str) -> str:
    """Hartree-Fock, no symmetry, off every axis; integrals screened tighter than NWChem does by default."""
    water = charge >= 0
    return f"""start deck
geometry "m" units bohr nocenter noautosym noautoz
  O 0.1 0.2 0.3
  H 1.7 0.5 -0.4
{"  H -1.2 1.1 0.6" if water else ""}
end
set geometry "m"
charge {charge}
{basis}end
dft
  xc hfexch
  mult {multiplicity}
  convergence energy 1e-9 density 1e-8
  tolerances accCoul 12
end
task dft energy
rt_tddft
  dt 0.02
{real_time}
  print dipole energy charge
end
task dft rt_tddft
"""


def system_of(deck: str, folder: Path) -> System:
    path = folder / "deck.nw"
    path.write_text(deck)
    task = read_deck(path).tasks[-1]
    assert isinstance(task, PropagationTask)
    return task.system


def stirred_densities(system: System) -> tuple[np.ndarray, float]:
    """Hartree-Fock orbitals of PySCF, strongly rotated, so that every element of P counts; the energy."""
    mol = molecule(system)
    mf = (scf.UHF if system.open_shell else scf.RHF)(mol).run(conv_tol=1e-10)
    orbitals = mf.mo_coeff if system.open_shell else np.array([mf.mo_coeff, mf.mo_coeff])
    n = orbitals.shape[-1]
    seeds = np.random.default_rng(7).normal(scale=0.05, size=(2, 2, n, n))
    densities = []
    for c, electrons, (re, im) in zip(orbitals, mol.nelec, seeds, strict=True):
        if not system.open_shell:
            re, im = seeds[0]
        x = re + 1j * im
        occupied = (c @ expm(x - x.conj().T))[:, :electrons]
        densities.append(occupied @ occupied.conj().T)
    alpha, beta = densities
    coulomb, _ = scf.hf.get_jk(mol, np.array([alpha.real, beta.real]))
    energy = mol.energy_nuc() + np.einsum("ij,ji", mf.get_hcore(), (alpha + beta).real)
    energy += 0.5 * np.einsum("ij,ji", coulomb[0] + coulomb[1], (alpha + beta).real)
    for p in densities:
        # Tr[P K(P)] = Tr[Re P K(Re P)] - Tr[Im P K(Im P)], K of an antisymmetric matrix being antisymmetric.
        for part, sign in ((p.real, 1.0), (p.imag, -1.0)):
            _, exchange = scf.hf.get_jk(mol, part, hermi=0)
            energy -= 0.5 * sign * np.einsum("ij,ji", exchange, part)
    return (np.array([alpha, beta]) if system.open_shell else np.array([alpha + beta])), float(energy)


def dipole_and_charge(system: System, densities: np.ndarray) -> tuple[np.ndarray, float]:
    """Total dipole moment about the origin and the electrons' charge, with PySCF's integrals."""
    mol = molecule(system)
    total = densities.sum(axis=0).real
    nuclear = mol.atom_charges() @ mol.atom_coords()
    return (
        nuclear - np.einsum("xij,ji->x", mol.intor("int1e_r"), total),
        -float(np.einsum("ij,ji", mol.intor("int1e_ovlp"), total)),
    )


def first_point(run: RunLog) -> tuple[np.ndarray, float, float]:
    """Dipole, charge and energy of a log's first point."""
    return tuple(  # type: ignore[return-value]
        run.find(name).values[0] if name == "Dipole moment" else run.find(name).values[0, 0]
        for name in ("Dipole moment", "Charge", "Etot")
    )


@pytest.mark.parametrize("case", CASES)
def test_nwchem_loads_our_density(case: str, nwchem: Callable[[str], Path], tmp_path: Path) -> None:
    """NWChem prints the dipole, charge and energy that PySCF finds for the density of the restart file."""
    deck = deck_of(*CASES[case], "  tmax 0.05\n  load restart")
    system = system_of(deck, tmp_path)
    densities, energy = stirred_densities(system)
    dipole, charge = dipole_and_charge(system, densities)
    point = RestartPoint(1, 0.0, density_to_nwchem(densities, nwchem_order(system)))
    write_restart(tmp_path / "deck.rt_restart", point)

    (run,) = read_log(nwchem(deck))
    found_dipole, found_charge, found_energy = first_point(run)
    np.testing.assert_allclose(found_dipole, dipole, rtol=0, atol=1e-7)
    assert found_charge == pytest.approx(charge, abs=1e-8)
    assert found_energy == pytest.approx(energy, abs=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_we_read_the_density_of_nwchem(case: str, nwchem: Callable[[str], Path], tmp_path: Path) -> None:
    """The density NWChem saves during a kicked run has the dipole NWChem prints at that time."""
    kick = '  field "k"\n    type delta\n    polarization y\n    max 0.5\n  end\n  excite "m" with "k"\n'
    deck = deck_of(*CASES[case], f"  tmax 0.09\n  nrestarts *\n{kick}")
    (run,) = read_log(nwchem(deck))
    system = system_of(deck, tmp_path)
    order = nwchem_order(system)
    point = read_restart(tmp_path / "deck.rt_restart", system.n_spin, len(order[0]))
    assert (point.point, point.time) == (4, pytest.approx(0.06))
    densities = density_from_nwchem(point.densities, order)
    assert np.abs(densities.imag).max() > 1e-3
    dipole, charge = dipole_and_charge(system, densities)
    np.testing.assert_allclose(dipole, run.find("Dipole moment").values[-1], rtol=0, atol=1e-7)
    assert charge == pytest.approx(run.find("Charge").values[-1, 0], abs=1e-7)


def test_there_and_back(tmp_path: Path) -> None:
    """`density_from_nwchem` undoes `density_to_nwchem`."""
    system = system_of(deck_of(*CASES["s to g, cartesian"], "  tmax 0.05"), tmp_path)
    order = nwchem_order(system)
    density = np.random.default_rng(1).normal(size=(2, len(order[0]), len(order[0])))
    np.testing.assert_allclose(
        density_from_nwchem(density_to_nwchem(density, order), order), density, rtol=1e-14
    )
