"""What each dataset of a trajectory file is: its units and a line of description, kept as its attributes."""

import h5py

#: Of the layout that docs/files.md tells; 2 since datasets describe themselves.
FORMAT_VERSION = 2

#: By path, or by the path's beginning where it ends in `/`: units and description.
MEANINGS: dict[str, tuple[str, str]] = {
    "geometry/positions": ("angstrom", "nuclei of the active geometry, (atom, xyz)"),
    "geometry/atomic_numbers": ("1", "nuclear charge number of each atom, 0 for a centre without nucleus"),
    "geometry/tags": ("none", "the deck's names of the atoms"),
    "basis/atom_index": ("1", "atom of each basis function, from 0"),
    "basis/angular_momentum": ("1", "l of each basis function"),
    "basis/magnetic_quantum": ("1", "m of each basis function; the component where functions are cartesian"),
    "matrices/overlap": ("1", "overlap S of the basis functions"),
    "matrices/core_hamiltonian": ("hartree", "kinetic energy and nuclear attraction h in the basis"),
    "ground/coefficients": ("bohr^-3/2", "starting orbitals, (spin, function, orbital)"),
    "ground/energies": ("hartree", "energies of the starting orbitals, (spin, orbital)"),
    "ground/occupations": ("1", "electrons in the starting orbitals, (spin, orbital)"),
    "ground/total_energy": ("hartree", "total energy of the ground state"),
    "ground/basis_coefficients": ("bohr^-3/2", "working basis C, (spin, function, orbital)"),
    "ground/basis_dual": ("1", "dual of the working basis, C^T S, (spin, orbital, function)"),
    "ground/basis_to_canonical": ("1", "from the working basis to U s^-1/2, (spin, orbital, orbital)"),
    "ground/basis_energies": ("hartree", "eigenvalues of the initial Fock matrix, (spin, orbital)"),
    "ground/basis_irreps": (
        "1",
        "irrep of each working orbital; a product of two is the exclusive or",
    ),
    "ground/pairs": ("1", "spin, occupied and empty orbital of each pair of the response, from 0"),
    "ground/pair_dipoles": ("bohr", "<occupied|r|empty> of each pair of the response, (pair, xyz)"),
    "ground/pairs_kept": ("1", "pair of each column of the response, from 0; all of them where missing"),
    "dynamics/time": ("hbar/hartree", "time of each point"),
    "dynamics/dipole": ("e bohr", "dipole moment of the active geometry, electrons and nuclei, (point, xyz)"),
    "dynamics/magnetic_dipole": (
        "e hbar/m_e",
        "orbital magnetic dipole moment of the electrons about the origin, (point, xyz)",
    ),
    "dynamics/field": ("hartree/(e bohr)", "applied electric field, mean of alpha and beta, (point, xyz)"),
    "dynamics/energy": ("hartree", "total energy without that in the field"),
    "dynamics/spread": (
        "1",
        "relative error of the response that the surrogate expects, 0 in reference steps",
    ),
    "dynamics/surrogate": ("1", "1 where the step from this point was the surrogate's, else 0"),
    "dynamics/s2": ("hbar^2", "expectation value of S^2"),
    "dynamics/occupations": ("1", "electrons in the initial orbitals, (point, spin, orbital)"),
    "dynamics/charges": ("e", "electronic charge of each named geometry, both spins, (point, geometry)"),
    "dynamics/density_real": ("1", "real part of the AO density, (row, spin, function, function)"),
    "dynamics/density_imag": (
        "1",
        "imaginary part of the AO density, (row, spin, function, function)",
    ),
    "dynamics/density_step": ("1", "point that each row of the densities belongs to"),
    "dynamics/response_real": ("1", "real part of P' between empty and occupied orbitals, (row, column)"),
    "dynamics/response_imag": (
        "1",
        "imaginary part of P' between empty and occupied orbitals, (row, column)",
    ),
    "dynamics/response_step": ("1", "point that each row of the response belongs to"),
    "control/segment_step": ("1", "step that each accepted segment starts at"),
    "control/segment_kind": ("none", "reference or surrogate"),
    "control/segment_reason": ("none", "code of why the segment ended"),
    "control/segment_steps": ("1", "steps in each segment"),
    "control/event_kind": ("none", "anchor, audit, rejection, refinement or regime"),
    "control/event_step": ("1", "step of each decision"),
    "control/event_time": ("hbar/hartree", "time of each decision"),
    "control/event_reason": ("none", "code of why it was made"),
    "control/event_spread": ("1", "relative error of the Fock response that was expected"),
    "control/event_residual": ("1", "relative error of the Fock response that was measured"),
    "control/event_error": ("1", "what the decision adds to the estimated trajectory error"),
    "control/event_fock_builds": ("1", "Fock builds of the decision"),
    "control/": ("none", "a column of the controller's record"),
    "checkpoint/state_time": ("hbar/hartree", "time of the checkpoint"),
    "checkpoint/state_step": ("1", "steps made"),
    "checkpoint/tally": ("none", "counts and seconds so far, JSON"),
    "checkpoint/energies": ("hartree", "core, Coulomb, exchange-correlation of the last Fock build"),
    "checkpoint/surrogate/": ("atomic units", "what the surrogate has learned, in its own layout"),
    "checkpoint/ledger": ("none", "the controller's account"),
    "checkpoint/": ("atomic units", "state of the propagation, to go on from"),
    "dynamics/": ("atomic units", "a quantity at each point of time"),
    "ground/": ("atomic units", "where the run started from"),
}


def describe(file: h5py.File) -> None:
    """Give every dataset its units and description."""

    def tell(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and "units" not in item.attrs:
            item.attrs["units"], item.attrs["description"] = meaning(name)

    file.visititems(tell)


def meaning(name: str) -> tuple[str, str]:
    """Units and description of a dataset; of the group that it is in where it has none of its own."""
    if name in MEANINGS:
        return MEANINGS[name]
    leads = [lead for lead in MEANINGS if name.startswith(lead)]
    return MEANINGS[max(leads, key=len)] if leads else ("atomic units", name.rpartition("/")[2])
