"""Cost and error of the analytic response kernel.

    OMP_NUM_THREADS=1 python benchmarks/kernel/cost_and_error.py H2O C6H6 NO2 --xc pbe0 --level 0 1 2

Molecules are ASE's (G2 set). CPU seconds of one Fock build (PySCF, grid level 3, integrals in memory) and of
building the kernel on each grid level; milliseconds of applying it to one complex change; its memory. The
error is relative, Frobenius norm in an orthonormal basis, against central differences of level-3 Fock
builds: mean over four random occupied-virtual rotations, and over the three dipole ones.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from ase.build import molecule
from hybrid_propagate.surrogate.kernel.analytic import apply_auxiliary_kernel, build_auxiliary_kernel
from hybrid_propagate.surrogate.kernel.exchange_correlation import quadrature_cells
from pyscf import dft, gto


def ground_state(name: str, basis: str, xc: str):
    """PySCF's converged mean field of an ASE molecule; unrestricted with an odd number of electrons."""
    atoms = molecule(name)
    geometry = list(zip(atoms.get_chemical_symbols(), atoms.positions.tolist(), strict=True))
    spin = int(atoms.numbers.sum()) % 2
    mol = gto.M(atom=geometry, basis=basis, spin=spin, verbose=0)
    return (dft.UKS if spin else dft.RKS)(mol, xc=xc).run(conv_tol=1e-10)


def excitations(mean_field) -> np.ndarray:
    """(7, n_spin, n, n) density changes: four random occupied-virtual rotations, three along the dipole."""
    rng = np.random.default_rng(1)
    dipole = mean_field.mol.intor("int1e_r")
    n = mean_field.mol.nao
    coefficients = np.asarray(mean_field.mo_coeff).reshape(-1, n, n)
    occupations = np.asarray(mean_field.mo_occ).reshape(-1, n)
    changes = np.empty((7, len(coefficients), n, n))
    for change, index in zip(changes, range(-4, 3), strict=True):
        for part, orbitals, occupation in zip(change, coefficients, occupations, strict=True):
            occupied, virtual = orbitals[:, occupation > 0], orbitals[:, occupation == 0]
            shape = virtual.shape[1], occupied.shape[1]
            x = rng.standard_normal(shape) if index < 0 else virtual.T @ dipole[index] @ occupied
            part[:] = virtual @ x @ occupied.T
            part += part.T.copy()
        change /= np.linalg.norm(change)
    return changes


def fock_differences(mean_field, changes: np.ndarray, step: float = 2e-4) -> tuple[np.ndarray, float]:
    """Central differences of Fock builds, and CPU seconds of one build."""
    density = np.asarray(mean_field.make_rdm1()).reshape(changes.shape[1:])

    def potential(matrices: np.ndarray) -> np.ndarray:
        return np.asarray(mean_field.get_veff(dm=matrices if len(matrices) == 2 else matrices[0]))

    potential(density)
    start = time.process_time()
    differences = [
        potential(density + step * change) - potential(density - step * change) for change in changes
    ]
    seconds = (time.process_time() - start) / (2 * len(changes))
    return np.array(differences).reshape(changes.shape) / (2 * step), seconds


def seconds_of(run: Callable[[], object], repeat: int) -> float:
    """CPU seconds of one run, the mean of several after a first."""
    run()
    start = time.process_time()
    for _ in range(repeat):
        run()
    return (time.process_time() - start) / repeat


def norms(matrices: np.ndarray) -> np.ndarray:
    """Frobenius, one for each of the batch."""
    return np.linalg.norm(matrices.reshape(len(matrices), -1), axis=1)


def measure(mean_field, xc: str, levels: list[int]) -> Iterator[str]:
    """One row of the table for each grid level."""
    mol, changes = mean_field.mol, excitations(mean_field)
    overlap = mol.intor("int1e_ovlp")
    values, vectors = np.linalg.eigh(overlap)
    orbitals = vectors / np.sqrt(values)
    differences, fock_seconds = fock_differences(mean_field, changes)
    reference = orbitals.T @ differences @ orbitals
    changes = orbitals.T @ overlap @ changes @ overlap @ orbitals
    complex_change = changes[:1] + 1j * (np.tril(changes[:1]) - np.triu(changes[:1]))
    density = np.asarray(mean_field.make_rdm1()).reshape(-1, mol.nao, mol.nao)
    for level in levels:
        start = time.process_time()
        kernel = build_auxiliary_kernel(mol, density, xc, quadrature_cells(mol, level), orbitals)
        build_seconds = time.process_time() - start
        row = f"{mol.nao:3}  {xc:10}  {fock_seconds:6.3f}  {level:5}"
        if kernel is None:
            yield f"{row}  no kernel"
            continue
        apply_seconds = seconds_of(partial(apply_auxiliary_kernel, kernel, complex_change), 20)
        defect = apply_auxiliary_kernel(kernel, changes) - reference
        errors = norms(defect) / norms(reference)
        yield (
            f"{row}  {build_seconds:7.3f}  {kernel.n_bytes / 1e6:5.1f}  {1e3 * apply_seconds:8.2f}  "
            f"{errors[:4].mean():.1e}  {errors[4:].mean():.1e}"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="cost and error of the analytic response kernel")
    parser.add_argument("molecules", nargs="+", help="names of ASE's G2 set")
    parser.add_argument("--xc", nargs="+", default=["pbe0"], help="PySCF functionals")
    parser.add_argument("--basis", default="6-31g")
    parser.add_argument("--level", type=int, nargs="+", default=[1], help="PySCF grid levels of the kernel")
    arguments = parser.parse_args()
    print("molecule    n  xc          Fock s  level  build s  MB     apply ms  random   dipole")
    for name in arguments.molecules:
        for xc in arguments.xc:
            for row in measure(ground_state(name, arguments.basis, xc), xc, arguments.level):
                print(f"{name:10} {row}", flush=True)


if __name__ == "__main__":
    main()
