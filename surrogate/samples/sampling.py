"""Response pairs (δP, ΔF) at one geometry: densities as a propagation meets them, and the reference's answer.

A propagation turns occupied orbitals into empty ones, P = e^κ P0 e^(−κ), mostly those that lie close in
energy and that the field couples. So half of the rotations κ are random, weighted by 1/(ε_a − ε_i), and half
are what a kick along a random direction leaves after a random time, each κ_ai turning with its own
e^(−i (ε_a − ε_i) t).
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ...adapters.engine import FockBuild
from ...adapters.orbitals import Orbitals
from ...adapters.pyscf.engine import PySCFEngine, make_engine
from ...adapters.pyscf.ground_state import solve_ground_state
from ...adapters.system import System
from ...adapters.working_basis import WorkingBasis, make_working_basis
from ..kernel.analytic import AuxiliaryKernel, apply_auxiliary_kernel, build_auxiliary_kernel
from ..matrices.lowdin import overlap_root

#: Smallest and largest |δP|: weak kicks to strong pulses.
SIZES = (1e-3, 0.2)
#: Grid and integrals of one geometry, bytes.
MEMORY = 2e9


@dataclass(frozen=True, eq=False)
class Point:
    """A converged geometry.

    ground_build: the Fock build at the ground state. occupations: (n_spin, m). dipole: (3, n_spin, m, m)
    and density: P0', both in the working basis. to_lowdin: S^½ C, (n_spin, n, m), takes working matrices to
    Löwdin ones. kernel: None for functionals without.
    """

    system: System
    engine: PySCFEngine
    orbitals: Orbitals
    basis: WorkingBasis
    ground_build: FockBuild
    occupations: np.ndarray
    density: np.ndarray
    dipole: np.ndarray
    to_lowdin: np.ndarray
    kernel: AuxiliaryKernel | None


def solve_point(system: System, max_iterations: int = 60) -> Point:
    """Converge the ground state and set up its working basis and kernel. Raises NotConverged."""
    engine, orbitals = solve_ground_state(make_engine(system, MEMORY), None, max_iterations)
    density = orbitals.density()
    ground_build = engine.fock(density.astype(complex))
    overlap = engine.integrals.overlap
    basis = make_working_basis(engine.integrals, np.real(ground_build.fock))
    inside = basis.density_in(density)
    dipole = np.array(
        [basis.fock_in(np.broadcast_to(d, density.shape)) for d in engine.integrals.dipole], dtype=float
    )
    kernel = build_auxiliary_kernel(engine.mol, density, system.functional.pyscf)
    occupations = np.diagonal(inside, axis1=1, axis2=2)
    return Point(
        *(system, engine, orbitals, basis, ground_build, occupations, inside, dipole),
        overlap_root(overlap) @ basis.coefficients,
        kernel,
    )


def rotated_densities(point: Point, rng: np.random.Generator, count: int) -> np.ndarray:
    """`count` idempotent P', (count, n_spin, m, m), |P' - P0'| log-uniform within `SIZES`."""
    return np.array([_rotated(point, rng, kick=bool(k % 2)) for k in range(count)])


def _rotated(point: Point, rng: np.random.Generator, *, kick: bool) -> np.ndarray:
    energies, occupations = point.basis.energies, point.occupations
    gaps = energies[:, :, None] - energies[:, None, :]
    # κ_ai couples occupied i to empty a.
    couples = (occupations[:, :, None] < 0.5) & (occupations[:, None, :] > 0.5)
    if kick:
        direction = rng.standard_normal(3)
        kappa = np.einsum("x,xsij->sij", direction / np.linalg.norm(direction), point.dipole)
        kappa = -1j * kappa * np.exp(-1j * gaps * rng.uniform(0.0, 100.0))
    else:
        kappa = rng.standard_normal(gaps.shape) + 1j * rng.standard_normal(gaps.shape)
        kappa /= np.where(couples, np.maximum(gaps, 0.1), 1.0)
    kappa = np.where(couples, kappa, 0.0)
    kappa -= kappa.conj().swapaxes(1, 2)
    # |[κ, P0]| sets the size of δP to first order.
    size = np.exp(rng.uniform(*np.log(SIZES))) / np.linalg.norm(
        kappa * (occupations[:, None, :] - occupations[:, :, None])
    )
    turn = np.array([scipy.linalg.expm(size * k) for k in kappa])
    return turn @ point.density @ turn.conj().swapaxes(1, 2)


def respond(point: Point, densities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """δP, the reference's ΔF and the kernel's, in the Löwdin basis, of P' (p, n_spin, m, m)."""
    basis, T = point.basis, point.to_lowdin
    change = densities - point.density
    at_rest = basis.fock_in(point.ground_build.fock)
    response = np.array(
        [basis.fock_in(point.engine.fock(basis.density_out(density)).fock) - at_rest for density in densities]
    )
    kernel = None
    if point.kernel is not None:
        ao = basis.density_out(change)
        kernel = lowdin(basis.fock_in(apply_auxiliary_kernel(point.kernel, ao)), T)
    return lowdin(change, T), lowdin(response, T), kernel


def lowdin(matrices: np.ndarray, to_lowdin: np.ndarray) -> np.ndarray:
    """Working-basis matrices (..., n_spin, m, m) in the Löwdin basis, (..., n_spin, n, n)."""
    return to_lowdin @ matrices @ to_lowdin.swapaxes(1, 2)
