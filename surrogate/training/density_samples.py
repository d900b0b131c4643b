"""Ground states of thermally distorted molecules: what the density network learns from.

Geometries are drawn from the classical Boltzmann distribution in the harmonic modes of Hartree–Fock/6-31G
about ASE's G2 geometry. SCF converges on PySCF's grid level 1; the Fock matrix kept is one build on level 2
from that density, which is cheaper than an SCF there and nearly as good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.files.plain_hdf5 import new_hdf5, open_hdf5
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...atomic.units import ELECTRON_MASSES_PER_DALTON, HARTREE_PER_KELVIN, HARTREE_PER_WAVENUMBER

#: Modes softer than 300 cm⁻¹ are drawn as if they had that: the harmonic picture fails for torsions.
SOFTEST_MODE = 300 * HARTREE_PER_WAVENUMBER
_CONVERGED = 1e-8


@dataclass(frozen=True)
class MoleculeSamples:
    """Geometries wanted of one molecule: its name in ASE's G2 set, how many to train on and to hold out."""

    name: str
    train: int
    held_out: int


@dataclass(frozen=True)
class DensityData:
    """What is computed: molecules, temperature (K), basis sets and functionals by PySCF's names, seed."""

    molecules: tuple[MoleculeSamples, ...]
    basis_sets: tuple[str, ...]
    functionals: tuple[str, ...]
    temperature: float
    seed: int


@dataclass(frozen=True)
class GroundStateSamples:
    """Ground states of one molecule at one level of theory.

    positions: (n, n_atoms, 3) bohr. fock, overlap: (n, n_basis, n_basis), Hartree, PySCF's order.
    """

    atomic_numbers: np.ndarray
    positions: np.ndarray
    fock: np.ndarray
    overlap: np.ndarray


def make_samples(data: DensityData, folder: Path, report: Callable[[str], None] = print) -> None:
    """Compute what is not there yet, one file a molecule; each is written whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for molecule in data.molecules:
        path = samples_path(folder, molecule.name)
        if path.exists():
            continue
        numbers, positions = thermal_geometries(
            molecule.name, molecule.train + molecule.held_out, data.temperature, data.seed
        )
        with new_hdf5(path) as file:
            file.attrs["temperature"], file.attrs["seed"] = data.temperature, data.seed
            file.attrs["held_out"] = molecule.held_out
            file["atomic_numbers"], file["positions"] = numbers, positions
            for basis in data.basis_sets:
                overlaps, focks = _ground_states(numbers, positions, basis, data.functionals)
                file[f"{basis}/overlap"] = overlaps
                for name, fock in focks.items():
                    file[f"{basis}/{name}/fock"] = fock
        report(f"{molecule.name}: {len(positions)} geometries")


def samples_path(folder: Path, name: str) -> Path:
    """Where the samples of a molecule lie."""
    return folder / f"{name}.h5"


def read_samples(path: Path, basis: str, functional: str, held_out: bool) -> GroundStateSamples:
    """Samples to train on, or those held out (the last ones)."""
    with open_hdf5(path) as file:
        n = int(np.asarray(file.attrs["held_out"]))
        part = slice(-n, None) if held_out else slice(None, -n)
        names = ("positions", f"{basis}/{functional}/fock", f"{basis}/overlap")
        return GroundStateSamples(
            np.asarray(file["atomic_numbers"]), *(np.asarray(file[name])[part] for name in names)
        )


def thermal_geometries(name: str, n: int, temperature: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Atomic numbers (n_atoms,) and positions (n, n_atoms, 3) in bohr of one of ASE's G2 molecules.

    Classical: mass-weighted amplitudes of standard deviation √(kT)/ω along the modes of RHF/6-31G.
    """
    from ase.build import molecule
    from pyscf import scf

    atoms = molecule(name)
    numbers, centre = atoms.numbers, atoms.positions / ANGSTROM_PER_BOHR
    field = scf.RHF(_mole(numbers, centre, "6-31g")).run()
    hessian = field.Hessian().kernel().transpose(0, 2, 1, 3).reshape(centre.size, centre.size)
    root_mass = np.sqrt(np.repeat(atoms.get_masses() * ELECTRON_MASSES_PER_DALTON, 3))
    rigid = _rigid_motions(centre, root_mass)
    inside = np.eye(centre.size) - rigid @ rigid.T
    eigenvalues, modes = np.linalg.eigh(inside @ (hessian / np.outer(root_mass, root_mass)) @ inside)
    # Rigid motions have eigenvalue zero exactly; drop the modes that lie in their span.
    own = np.linalg.norm(rigid.T @ modes, axis=0) < 0.5
    frequencies = np.sqrt(np.clip(eigenvalues[own], SOFTEST_MODE**2, None))
    generator = np.random.default_rng([seed, *name.encode()])
    amplitudes = generator.standard_normal((n, own.sum())) * np.sqrt(temperature * HARTREE_PER_KELVIN)
    displaced = (amplitudes / frequencies) @ modes[:, own].T / root_mass
    return numbers, centre + displaced.reshape(n, *centre.shape)


def _rigid_motions(positions: np.ndarray, root_mass: np.ndarray) -> np.ndarray:
    """Orthonormal mass-weighted translations and rotations, (3 n_atoms, 5 or 6)."""
    mass = root_mass[::3] ** 2
    centred = positions - mass @ positions / mass.sum()
    shifts = np.tile(np.eye(3), (len(positions), 1))
    turns = np.concatenate([np.cross(axis, centred)[..., None] for axis in np.eye(3)], axis=-1).reshape(-1, 3)
    vectors, values, _ = np.linalg.svd(root_mass[:, None] * np.hstack([shifts, turns]), full_matrices=False)
    return vectors[:, values > 1e-6 * values[0]]


def _mole(numbers: np.ndarray, positions: np.ndarray, basis: str) -> Any:
    from pyscf import gto

    atoms = [(int(z), tuple(xyz)) for z, xyz in zip(numbers, positions, strict=True)]
    return gto.M(atom=atoms, unit="Bohr", basis=basis, verbose=0)


def _ground_states(
    numbers: np.ndarray, positions: np.ndarray, basis: str, functionals: tuple[str, ...]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Overlap matrices of all geometries, Fock matrices by functional; an SCF starts from earlier ones."""
    from pyscf import dft

    found: dict[str, list[np.ndarray]] = {name: [] for name in functionals}
    overlaps: list[np.ndarray] = []
    earlier: dict[str, list[np.ndarray]] = {name: [] for name in functionals}
    for k, xyz in enumerate(positions):
        mole = _mole(numbers, xyz, basis)
        overlap = mole.intor("int1e_ovlp")
        values, vectors = np.linalg.eigh(overlap)
        root, inverse = ((vectors * values**p) @ vectors.T for p in (0.5, -0.5))
        electrons = None
        for name in functionals:
            field = dft.RKS(mole, xc=name)
            if electrons is not None:
                field._eri = electrons
            field.grids.level, field.conv_tol = 1, _CONVERGED
            guess = None
            if k:
                guess = inverse @ _extrapolated(positions[:k], np.array(earlier[name]), xyz) @ inverse
            field.kernel(guess)
            electrons = field._eri
            density = field.make_rdm1()
            earlier[name].append(root @ density @ root)
            fine = dft.RKS(mole, xc=name)
            fine._eri, fine.grids.level = electrons, 2
            found[name].append(fine.get_fock(dm=density))
        overlaps.append(overlap)
    return np.array(overlaps), {name: np.array(focks) for name, focks in found.items()}


def _extrapolated(positions: np.ndarray, densities: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Density in the Löwdin basis, by a least-norm linear fit in positions to the geometries so far."""
    n = len(positions)
    x = np.hstack([np.ones((n, 1)), positions.reshape(n, -1) - target.ravel()])
    # The target is the origin: the fit there is its constant term. Weakly regularised, in bohr.
    weights = np.linalg.solve(x @ x.T + 1e-6 * np.eye(n), x[:, 0])
    return np.einsum("k,kij->ij", weights, densities) / (weights @ x[:, 0])
