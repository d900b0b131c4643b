"""Coulomb and exact-exchange matrices of complex densities.

    J_μν = Σ (μν|λσ) Re P_λσ,   K_μν = Σ (μλ|σν) P_λσ

The imaginary part of a Hermitian P is antisymmetric: it has no Coulomb matrix and an antisymmetric exchange
matrix. Integrals are held in core where they fit the memory allowed, computed at each build (direct) where
they do not; with a fitting basis the Coulomb matrix is density-fitted, as NWChem does when the deck has a `cd
basis`.
"""

from dataclasses import dataclass

import numpy as np
from pyscf import df, gto, scf
from pyscf.scf import _vhf

#: Up to here exchange as one matrix-vector product over (μν, λσ) beats PySCF's pair-packed loops (measured).
SMALL = 20


@dataclass(frozen=True, eq=False)
class TwoElectron:
    """Integrals of a molecule, in one of their forms.

    coulomb_pairs, exchange_pairs: (n², n²) matrices (μν|λσ) and (μλ|σν) for the smallest systems, else None.
    packed: 8-fold packed integrals in core, or None (direct).
    long_range: the same for the attenuated operator erf(ω r)/r, or None where no functional asks for it.
    fitting: density fitting for the Coulomb matrix, or None.
    """

    mol: gto.Mole
    omega: float
    coulomb_pairs: np.ndarray | None
    exchange_pairs: np.ndarray | None
    packed: np.ndarray | None
    long_range: np.ndarray | None
    fitting: df.DF | None

    @property
    def n_bytes(self) -> int:
        """Memory that the integrals of four functions hold."""
        held = (self.coulomb_pairs, self.exchange_pairs, self.packed, self.long_range)
        return sum(part.nbytes for part in held if part is not None)


def make_two_electron(
    mol: gto.Mole, omega: float, fitting_basis: object | None, memory: float
) -> TwoElectron:
    """Integrals for `mol`; omega: range separation in 1/bohr, 0 for none; memory: bytes they may take."""
    n = mol.nao
    n_pairs = n * (n + 1) // 2
    in_core = 8 * n_pairs * (n_pairs + 1) // 2 * (2 if omega else 1) <= memory
    fitting = None
    if fitting_basis is not None:
        fitting = df.DF(mol, auxbasis=fitting_basis)
        fitting.build()
    if not in_core:
        return TwoElectron(mol, omega, None, None, None, None, fitting)
    packed = mol.intor("int2e", aosym="s8")
    long_range = None
    if omega:
        with mol.with_range_coulomb(omega):
            long_range = mol.intor("int2e", aosym="s8")
    coulomb_pairs = exchange_pairs = None
    if n <= SMALL:
        full = mol.intor("int2e").reshape(n, n, n, n)
        coulomb_pairs = full.reshape(n * n, n * n)
        exchange_pairs = np.ascontiguousarray(full.transpose(0, 3, 1, 2).reshape(n * n, n * n))
    return TwoElectron(mol, omega, coulomb_pairs, exchange_pairs, packed, long_range, fitting)


def coulomb(integrals: TwoElectron, density: np.ndarray) -> np.ndarray:
    """J (n, n) of a real symmetric density (n, n)."""
    if integrals.fitting is not None:
        return np.asarray(integrals.fitting.get_jk(density, hermi=1, with_k=False)[0])
    if integrals.coulomb_pairs is not None:
        return (integrals.coulomb_pairs @ density.ravel()).reshape(density.shape)
    if integrals.packed is not None:
        return np.asarray(scf.hf.dot_eri_dm(integrals.packed, density, hermi=1, with_k=False)[0])
    return _direct(integrals.mol, density, 1, with_j=True, omega=None)


def exchange(integrals: TwoElectron, density: np.ndarray) -> np.ndarray:
    """K (n, n), complex or real as `density`, for a Hermitian density (n, n)."""
    real = _exchange(integrals, np.ascontiguousarray(np.real(density)), 1, long_range=False)
    if not np.iscomplexobj(density):
        return real
    return real + 1j * _exchange(integrals, np.ascontiguousarray(np.imag(density)), 2, long_range=False)


def long_range_exchange(integrals: TwoElectron, density: np.ndarray) -> np.ndarray:
    """K of erf(ω r)/r, as `exchange`."""
    real = _exchange(integrals, np.ascontiguousarray(np.real(density)), 1, long_range=True)
    if not np.iscomplexobj(density):
        return real
    return real + 1j * _exchange(integrals, np.ascontiguousarray(np.imag(density)), 2, long_range=True)


def _exchange(integrals: TwoElectron, density: np.ndarray, hermi: int, long_range: bool) -> np.ndarray:
    """K of a real symmetric (hermi=1) or antisymmetric (hermi=2) matrix."""
    if not density.any():
        return np.zeros_like(density)
    if integrals.exchange_pairs is not None and not long_range:
        return (integrals.exchange_pairs @ density.ravel()).reshape(density.shape)
    packed = integrals.long_range if long_range else integrals.packed
    if packed is not None:
        return np.asarray(scf.hf.dot_eri_dm(packed, density, hermi=hermi, with_j=False)[1])
    return _direct(integrals.mol, density, hermi, with_j=False, omega=integrals.omega if long_range else None)


def _direct(mol: gto.Mole, density: np.ndarray, hermi: int, with_j: bool, omega: float | None) -> np.ndarray:
    """J or K with integrals computed on the way."""
    with mol.with_range_coulomb(omega):
        j, k = _vhf.direct(
            density,
            mol._atm,
            mol._bas,
            mol._env,
            hermi=hermi,
            cart=mol.cart,
            with_j=with_j,
            with_k=not with_j,
        )
    return np.asarray(j if with_j else k)
