"""The analytic linear response of the Fock matrix, ΔF = F[P₀ + δP] − F[P₀] to first order in δP.

Coulomb and exchange are exact, from four-index integrals; the exchange-correlation kernel is a quadrature
over interpolated pairs (`xc_kernel`). Everything linear is folded into one matrix for the real part of δP
and one for the imaginary part, on packed pairs of basis functions: applying it is two matrix products.

The imaginary part of a Hermitian matrix is antisymmetric: it has no density, and responds through exact
exchange only.
"""

from dataclasses import dataclass

import numpy as np
from pyscf import dft, gto

from .coulomb_exchange_kernel import coulomb_kernel, exchange_kernels, repulsion_integrals
from .symmetric_pairs import pack_antisymmetric, pack_symmetric, unpack_antisymmetric, unpack_symmetric
from .xc_kernel import has_xc_kernel, xc_kernel

# Above this many pairs applying the kernel is bound by memory traffic: single precision halves it, at 1e-7.
_SINGLE_PRECISION_PAIRS = 1000
#: Largest kernel built, bytes: about 190 functions closed shell, 150 open shell.
MAX_BYTES = 2**32


@dataclass(frozen=True, eq=False)
class AuxiliaryKernel:
    """∂F/∂P at P₀ on packed pairs (`symmetric_pairs`), hartree.

    n: basis functions; n_spin: 1 closed shell (total density), 2 open shell (alpha, beta).
    real: (n_spin n(n+1)/2, n_spin n(n+1)/2), spin the slow index, symmetric.
    imaginary: (n(n-1)/2, n(n-1)/2), symmetric, the same for both spins; None without exact exchange.
    """

    n: int
    n_spin: int
    real: np.ndarray
    imaginary: np.ndarray | None

    @property
    def n_bytes(self) -> int:
        """Memory the kernel holds."""
        return self.real.nbytes + (0 if self.imaginary is None else self.imaginary.nbytes)


def build_auxiliary_kernel(
    mol: gto.Mole, density: np.ndarray, xc: str, grid_level: int = 1
) -> AuxiliaryKernel | None:
    """The response kernel at a ground state.

    density: real (n_spin, n, n) AO density; n_spin 1: the total density of a closed shell; 2: alpha, beta.
    xc: PySCF's description of the functional.
    grid_level: PySCF's; 1 leaves 1e-4 to 3e-4 of the response, 0 leaves 7e-3.
    Returns None where there is none: functionals of the kinetic-energy density, kernels above `MAX_BYTES`.
    """
    if not has_xc_kernel(xc):
        return None
    n_spin, n = density.shape[:2]
    n_pair = n * (n + 1) // 2
    dtype = np.float32 if n_pair > _SINGLE_PRECISION_PAIRS else np.float64
    if np.dtype(dtype).itemsize * n_pair**2 * (n_spin**2 + 1) > MAX_BYTES:
        return None
    omega, long_range, fraction = dft.numint.NumInt().rsh_and_hybrid_coeff(xc)

    if dft.libxc.xc_type(xc) == "HF":
        real = np.zeros((n_spin * n_pair, n_spin * n_pair), dtype)
    else:
        real = xc_kernel(mol, density, xc, grid_level, dtype)
    blocks = real.reshape(n_spin, n_pair, n_spin, n_pair)
    integrals = repulsion_integrals(mol)
    blocks += coulomb_kernel(integrals, n).astype(dtype)[:, None, :]
    imaginary = None
    if fraction != 0 or (omega != 0 and long_range != 0):
        # K = c K[1/r] + (a − c) K[erf(ωr)/r]; a closed shell's total density counts each spin's half.
        integrals *= fraction
        if omega != 0:
            integrals += (long_range - fraction) * repulsion_integrals(mol, omega)
        symmetric, imaginary = exchange_kernels(integrals * (-n_spin / 2), n, dtype)
        for spin in range(n_spin):
            blocks[spin, :, spin] += symmetric
    return AuxiliaryKernel(n, n_spin, real, imaginary)


def apply_auxiliary_kernel(kernel: AuxiliaryKernel, change: np.ndarray) -> np.ndarray:
    """ΔF of density changes.

    change: (batch, n_spin, n, n) Hermitian (or real symmetric), AO basis; only the lower triangles are read.
    Returns the same shape and kind, exactly Hermitian, hartree.
    """
    n, n_spin = kernel.n, kernel.n_spin
    batch = len(change)
    packed = pack_symmetric(np.real(change)).reshape(batch, -1).astype(kernel.real.dtype, copy=False)
    response = unpack_symmetric((packed @ kernel.real).reshape(batch, n_spin, -1).astype(float), n)
    if not np.iscomplexobj(change):
        return response
    if kernel.imaginary is None:
        return response.astype(complex)
    packed = pack_antisymmetric(np.imag(change)).astype(kernel.imaginary.dtype, copy=False)
    return response + 1j * unpack_antisymmetric((packed @ kernel.imaginary).astype(float), n)
