"""The analytic linear response of the Fock matrix, ΔF = F[P₀ + δP] − F[P₀] to first order in δP.

Coulomb and exchange are exact, from four-index integrals; the exchange-correlation kernel is a quadrature
over interpolated pairs (`xc_kernel`). Everything linear is folded into one matrix for the real part of δP
and one for the imaginary part, on packed pairs of orthonormal orbitals: applying it is two matrix products.

The imaginary part of a Hermitian matrix is antisymmetric: it has no density, and responds through exact
exchange only.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from pyscf import dft, gto

from ...adapters.pyscf.engine import PySCFEngine
from ..matrices.symmetric_pairs import (
    pack_antisymmetric,
    pack_symmetric,
    unpack_antisymmetric,
    unpack_symmetric,
)
from .coulomb_exchange import coulomb_kernel, exchange_kernels, repulsion_integrals
from .exchange_correlation import Cell, has_xc_kernel, quadrature_cells, xc_kernel

# Above this many pairs applying the kernel is bound by memory traffic. Single precision halves it, and costs
# 2e-7 of benzene's response in an orthonormal basis (in the AO basis it would cost 5e-4).
_SINGLE_PRECISION_PAIRS = 1000
#: PySCF's grid level of the quadrature.
KERNEL_GRID = 1
#: Share of the time for a kernel that exchange and correlation take: 0.96 for water, 0.78 for benzene.
XC_SHARE = 0.8
#: Largest kernel built, bytes: 195 orbitals closed shell, 155 open shell.
MAX_BYTES = 3 * 10**9
#: Memory that building takes, over that of the kernel.
BUILDING = 4


@dataclass(frozen=True, eq=False)
class AuxiliaryKernel:
    """∂F/∂P at P₀ on packed pairs (`matrices/symmetric_pairs`) of m orthonormal orbitals, hartree.

    m: orbitals; n_spin: 1 closed shell (total density), 2 open shell (alpha, beta).
    real: (n_spin m(m+1)/2, n_spin m(m+1)/2), spin the slow index, symmetric.
    imaginary: (m(m-1)/2, m(m-1)/2), symmetric, the same for both spins; None without exact exchange.
    covariant: (n, m) overlap times orbitals, which takes AO densities to the orbitals and Fock matrices back;
        None where changes come in the orbital basis already.
    """

    m: int
    n_spin: int
    real: np.ndarray
    imaginary: np.ndarray | None
    covariant: np.ndarray | None

    @property
    def n_bytes(self) -> int:
        """Memory the kernel holds."""
        return self.real.nbytes + (0 if self.imaginary is None else self.imaginary.nbytes)


def building_bytes(m: int, n_spin: int) -> float:
    """Memory that building the kernel of m orbitals takes."""
    n_pair = m * (m + 1) // 2
    return BUILDING * np.dtype(_precision(n_pair)).itemsize * n_pair**2 * (n_spin**2 + 1)


def _precision(n_pair: int) -> type[np.floating]:
    return np.float32 if n_pair > _SINGLE_PRECISION_PAIRS else np.float64


def build_auxiliary_kernel(
    mol: gto.Mole,
    density: np.ndarray,
    xc: str,
    cells: Iterable[Cell] | None = None,
    basis: np.ndarray | None = None,
    packed: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> AuxiliaryKernel | None:
    """The response kernel at a ground state.

    density: real (n_spin, n, n) AO density; n_spin 1: the total density of a closed shell; 2: alpha, beta.
    xc: PySCF's description of the functional.
    cells: `quadrature_cells` of the quadrature; None for those of `KERNEL_GRID`.
    basis: orthonormal orbitals (n, m), XᵀSX = 1, in which density changes δP = X δP' Xᵀ and responses
        ΔF' = Xᵀ ΔF X are given; None for AO matrices.
    packed: 8-fold packed AO integrals of 1/r, and of the exchange operator, shares and all, where it is
        range separated, as far as the caller has them.
    Returns None where there is none: functionals of the kinetic-energy density, kernels above `MAX_BYTES`.
    """
    if not has_xc_kernel(xc):
        return None
    covariant = None
    if basis is None:
        overlap = mol.intor_symmetric("int1e_ovlp")
        basis = _canonical_orbitals(overlap)
        covariant = overlap @ basis
    n_spin, m = len(density), basis.shape[1]
    n_pair = m * (m + 1) // 2
    if building_bytes(m, n_spin) > BUILDING * MAX_BYTES:
        return None
    dtype = _precision(n_pair)
    if dft.libxc.xc_type(xc) == "HF":
        real = np.zeros((n_spin * n_pair, n_spin * n_pair), dtype)
    else:
        real = xc_kernel(mol, density, xc, basis, cells or quadrature_cells(mol, KERNEL_GRID), dtype)
    blocks = real.reshape(n_spin, n_pair, n_spin, n_pair)
    integrals = repulsion_integrals(mol, basis, packed=packed[0])
    blocks += coulomb_kernel(integrals, m)[:, None, :]
    imaginary = None
    omega, long_range, fraction = dft.numint.NumInt().rsh_and_hybrid_coeff(xc)
    if fraction != 0 or (omega != 0 and long_range != 0):
        # K = c K[1/r] + (a − c) K[erf(ωr)/r]; a closed shell's total density counts half.
        if packed[1] is not None:
            integrals = repulsion_integrals(mol, basis, packed=packed[1])
        else:
            integrals *= fraction
            if omega != 0:
                integrals += (long_range - fraction) * repulsion_integrals(mol, basis, omega)
        integrals *= -n_spin / 2
        symmetric, imaginary = exchange_kernels(integrals, m, dtype)
        for spin in range(n_spin):
            blocks[spin, :, spin] += symmetric
    return AuxiliaryKernel(m, n_spin, real, imaginary, covariant)


def fits_analytic_kernel(engine: PySCFEngine, memory: float) -> bool:
    """Whether one for all pairs of orbitals is small enough. memory: bytes that building it may take."""
    return building_bytes(engine.mol.nao, engine.system.n_spin) <= min(memory, BUILDING * MAX_BYTES)


def analytic_kernel(
    engine: PySCFEngine,
    density: np.ndarray,
    memory: float,
    tell: Callable[[str, float], None] = lambda *_: None,
) -> AuxiliaryKernel | None:
    """The kernel at an AO density (n_spin, n, n), from the engine's integrals; None where there is none.

    memory: bytes that building it may take. tell: takes words and the share done, atom after atom.
    """
    if not fits_analytic_kernel(engine, memory):
        return None
    integrals, xc = engine.two_electron, engine.system.functional.pyscf
    packed = (integrals.packed, integrals.mixed)
    cells = None if engine.quadrature is None else told_cells(engine.mol, tell)
    return build_auxiliary_kernel(engine.mol, density, xc, cells, packed=packed)


def told_cells(mol: gto.Mole, tell: Callable[[str, float], None]) -> Iterator[Cell]:
    """`quadrature_cells` of `KERNEL_GRID` in order; tell: takes words and the share done at each."""
    cells = quadrature_cells(mol, KERNEL_GRID)
    for number, cell in enumerate(cells):
        tell(f"exchange-correlation, atom {number + 1} of {len(cells)}", XC_SHARE * number / len(cells))
        yield cell
    tell("Coulomb and exchange", XC_SHARE)


def apply_auxiliary_kernel(kernel: AuxiliaryKernel, change: np.ndarray) -> np.ndarray:
    """ΔF of density changes.

    change: (batch, n_spin, n, n), Hermitian or real symmetric, in the basis the kernel was built for.
    Returns the same shape and kind, exactly Hermitian, hartree.
    """
    response = _real_response(kernel, np.real(change))
    if not np.iscomplexobj(change):
        return response
    if kernel.imaginary is None:
        return response.astype(complex)
    return response + 1j * _imaginary_response(kernel, kernel.imaginary, np.imag(change))


def kernel_response(kernel: AuxiliaryKernel) -> Callable[[np.ndarray], np.ndarray]:
    """ΔF of one change, both (n_spin, n, n)."""
    return lambda change: apply_auxiliary_kernel(kernel, change[None])[0]


def _real_response(kernel: AuxiliaryKernel, change: np.ndarray) -> np.ndarray:
    packed = pack_symmetric(_to_orbitals(kernel, change))
    packed = packed.reshape(len(change), len(kernel.real)).astype(kernel.real.dtype, copy=False)
    response = (
        (packed @ kernel.real)
        .reshape(len(change), kernel.n_spin, packed.shape[1] // kernel.n_spin)
        .astype(float)
    )
    response = _from_orbitals(kernel, unpack_symmetric(response, kernel.m))
    return (response + response.swapaxes(-1, -2)) / 2


def _imaginary_response(kernel: AuxiliaryKernel, matrix: np.ndarray, change: np.ndarray) -> np.ndarray:
    packed = pack_antisymmetric(_to_orbitals(kernel, change)).astype(matrix.dtype, copy=False)
    response = _from_orbitals(kernel, unpack_antisymmetric((packed @ matrix).astype(float), kernel.m))
    return (response - response.swapaxes(-1, -2)) / 2


def _to_orbitals(kernel: AuxiliaryKernel, density: np.ndarray) -> np.ndarray:
    return density if kernel.covariant is None else kernel.covariant.T @ density @ kernel.covariant


def _from_orbitals(kernel: AuxiliaryKernel, fock: np.ndarray) -> np.ndarray:
    return fock if kernel.covariant is None else kernel.covariant @ fock @ kernel.covariant.T


def _canonical_orbitals(overlap: np.ndarray) -> np.ndarray:
    """Canonical orthonormalisation, without the combinations of overlap eigenvalue below 1e-7."""
    values, vectors = np.linalg.eigh(overlap)
    return vectors[:, values > 1e-7] / np.sqrt(values[values > 1e-7])
