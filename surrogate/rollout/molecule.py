"""What the graphs hold of one molecule at its ground state.

    F[P] = F0 + J[δP] - a K[δP] - b K_lr[δP] + V_c[P] - V_c[P0],   δP = P - P0

V_c: the functional on points learned for the molecule (`../nonlinear`). Both spins' matrices are in one
basis, the eigenvectors C of the first spin's F0: for a closed shell the working basis.
"""

from dataclasses import dataclass

import numpy as np

from ...adapters.engine import FockBuild
from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.pyscf.quadrature import ao_values
from ...adapters.system.system import function_mask
from ...adapters.working_basis import WorkingBasis
from ...atomic.errors import BadInput
from ..kernel.coulomb_exchange import coulomb_kernel, exchange_kernels, repulsion_integrals
from ..matrices.symmetric_pairs import pack_symmetric, pair_indices, unpack_symmetric
from ..nonlinear.nonlinear_response import NonlinearResponse
from .functionals import Formula, formula

#: Bytes that a file of ONNX can have.
LARGEST = 2**31 - 2**24
#: Occupations below this are none.
_EMPTY = 1e-12


class TooLarge(BadInput):
    """A molecule whose matrices do not fit in one file. One line."""


@dataclass(frozen=True, eq=False)
class RolloutPoints:
    """The functional on points.

    formula: its potential. coords, weights: (g, 3) bohr, (g,). orbitals: ψ, or ψ and ∇ψ: (1 or 4, g, m).
    error: of δV on held-out rotations, relative.
    """

    formula: Formula
    coords: np.ndarray
    weights: np.ndarray
    orbitals: np.ndarray
    error: float


@dataclass(frozen=True, eq=False)
class RolloutMatrices:
    """Matrices in the basis C, (n, m) in AO coefficients.

    orbitals: Y0 (n_spin, m, k) real; occupations: (n_spin, k). density, fock: P0, F0, (n_spin, m, m) real.
    coulomb, exchange: on packed symmetric pairs, real δP; imaginary: on packed antisymmetric ones. Both
        exchanges with their shares and signs; None without exact exchange.
    field: of a field along x, y, z, (3, 1, m, m); of a run's own, (f, n_spin, m, m).
    dipole: D over the active geometry, (3, m, m); nuclear: (3,).
    energies: eigenvalues of F0, (n_spin, m). points: None for Hartree-Fock.
    """

    basis: np.ndarray
    orbitals: np.ndarray
    occupations: np.ndarray
    density: np.ndarray
    fock: np.ndarray
    coulomb: np.ndarray
    exchange: np.ndarray | None
    imaginary: np.ndarray | None
    field: np.ndarray
    dipole: np.ndarray
    nuclear: np.ndarray
    energies: np.ndarray
    points: RolloutPoints | None


def molecule_of(
    engine: PySCFEngine, basis: WorkingBasis, density: np.ndarray, build: FockBuild, memory: float
) -> RolloutMatrices:
    """Without its points. density: P0, AO basis, real (n_spin, n, n); build: the Fock build there.

    memory: bytes that the matrices may take. Raises NoFormula, TooLarge.
    """
    system = engine.system
    formula(system.functional.pyscf, system.functional.directive, open_shell=system.open_shell)
    C = basis.coefficients[0]
    _check_size(C.shape[1], len(density), engine, memory)
    dual = C.T @ engine.integrals.overlap
    P0, F0 = dual @ density @ dual.T, C.T @ np.real(build.fock) @ C
    occupations, orbitals = _natural(P0)
    mask = function_mask(system, system.geometry)
    J, exchange, imaginary = _two_electron(engine, C, len(density))
    return RolloutMatrices(
        basis=C,
        orbitals=orbitals,
        occupations=occupations,
        density=P0,
        fock=F0,
        coulomb=J,
        exchange=exchange,
        imaginary=imaginary,
        field=(C.T @ engine.integrals.dipole @ C)[:, None],
        dipole=C.T @ (engine.integrals.dipole * np.outer(mask, mask)) @ C,
        nuclear=system.geometry.charges @ system.geometry.positions,
        energies=basis.energies,
        points=None,
    )


def points_of(engine: PySCFEngine, basis: np.ndarray, learned: NonlinearResponse) -> RolloutPoints:
    """Learned points with the orbitals of `basis`, (n, m) in AO coefficients, on them."""
    functional = engine.system.functional
    made = formula(functional.pyscf, functional.directive, open_shell=engine.system.open_shell)
    assert made is not None
    orbitals = ao_values(engine.mol, learned.coords, made.n_components) @ basis
    return RolloutPoints(made, learned.coords, learned.weights, orbitals, learned.error)


def _check_size(m: int, n_spin: int, engine: PySCFEngine, memory: float) -> None:
    pairs = m * (m + 1) // 2
    matrices = n_spin + (1 if engine.exact_exchange else 0)
    needed = 8 * pairs**2 * matrices
    if needed > min(LARGEST, memory):
        where = "a file of ONNX" if needed > LARGEST else "the memory allowed"
        raise TooLarge(
            f"{m} orbitals: matrices of {needed / 1e9:.1f} GB do not fit in {where}; "
            f"accepted: up to {min(LARGEST, memory) / 1e9:.1f} GB, a smaller basis"
        )


def _natural(density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Occupations (n_spin, k) and orbitals (n_spin, m, k) of P0; the same k for both spins."""
    numbers, orbitals = np.linalg.eigh(density)
    numbers, orbitals = numbers[:, ::-1], orbitals[:, :, ::-1]
    k = int((np.abs(numbers).max(axis=0) > _EMPTY).sum())
    return numbers[:, :k].copy(), orbitals[:, :, :k].copy()


def _two_electron(
    engine: PySCFEngine, C: np.ndarray, n_spin: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    m, integrals = C.shape[1], engine.two_electron
    repulsion = repulsion_integrals(engine.mol, C, packed=integrals.packed)
    J = coulomb_kernel(repulsion, m) if integrals.fitting is None else _fitted_coulomb(engine, C)
    if not engine.exact_exchange:
        return J, None, None
    operator = integrals.operator
    if integrals.mixed is not None:
        repulsion = repulsion_integrals(engine.mol, C, packed=integrals.mixed)
    else:
        repulsion *= operator.full
        if operator.attenuated:
            repulsion += operator.attenuated * repulsion_integrals(engine.mol, C, operator.omega)
    # A closed shell's total density counts half.
    return J, *exchange_kernels(-0.5 * n_spin * repulsion, m, np.float64)


def _fitted_coulomb(engine: PySCFEngine, C: np.ndarray) -> np.ndarray:
    """J as the deck's fitting basis gives it, pair by pair."""
    m = C.shape[1]
    n_pair = len(pair_indices(m)[0])
    images = (engine.coulomb(C @ unpack_symmetric(unit, m) @ C.T) for unit in np.eye(n_pair))
    return np.array([pack_symmetric(C.T @ image @ C) for image in images])
