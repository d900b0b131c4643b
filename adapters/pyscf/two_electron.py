"""Coulomb and exact-exchange matrices of complex densities.

    J_μν = Σ (μν|λσ) Re P_λσ,   K_μν = Σ (μλ|σν) P_λσ

The imaginary part of a Hermitian P is antisymmetric: it has no Coulomb matrix and an antisymmetric exchange
matrix. Integrals are held in core where they fit the memory allowed, computed at each build (direct) where
they do not; with a fitting basis the Coulomb matrix is density-fitted, as NWChem does when the deck has a `cd
basis`.
"""

from dataclasses import dataclass, replace

import numpy as np
from pyscf import ao2mo, df, gto, lib, scf
from pyscf.scf import _vhf

#: Up to here exchange as one matrix-vector product over (μν, λσ) beats PySCF's pair-packed loops (measured).
SMALL = 20
#: Imaginary over real part from which on both are one matrix: below, rounding of the one would be seen in the
#: other (a weak kick moves 1e-6 of a density, and irreps at rest must stay so).
TOGETHER = 1e-2
#: Integrals added at once.
_PORTION = 2**22
#: What integrals computed on the way may leave out, over the largest element of P: as rounding does.
SCREENED = 1e-14
_TINY = 1e-300
#: Functions that fit J and K of any orbital basis, from H to Rn.
_FITTING = "def2-universal-jkfit"
#: Share of the largest eigenvalue of a density below which orbitals are empty.
_EMPTY = 1e-12


@dataclass(frozen=True)
class ExchangeOperator:
    """What exact exchange is taken of: full / r + attenuated · erf(ω r) / r.

    omega: 1/bohr, 0 for no range separation. full, attenuated: shares, 0 in a pure functional.
    """

    omega: float
    full: float
    attenuated: float

    @property
    def present(self) -> bool:
        """Whether the functional has exact exchange."""
        return self.full != 0.0 or self.attenuated != 0.0

    @property
    def parts(self) -> list[tuple[float, float | None]]:
        """Shares that are not 0, of 1/r (None) and of erf(ω r)/r."""
        both: list[tuple[float, float | None]] = [(self.full, None), (self.attenuated, self.omega)]
        return [part for part in both if part[0]]


@dataclass(frozen=True, eq=False)
class TwoElectron:
    """Integrals of a molecule, in one of their forms.

    operator: of the exchange.
    coulomb_pairs: (n², n²) matrix (μν|λσ) for the smallest systems, else None.
    exchange_pairs: (μλ|σν) of `mixed` or `packed`, likewise.
    packed: 8-fold packed (μν|λσ) in core; None where they are computed at each build (direct), or where
    neither J nor K needs them.
    mixed: the same of the operator, shares and all, where it is range separated: K is read once, not twice.
    fitting: density fitting for the Coulomb matrix, or None.
    fits_exchange: whether exchange is fitted, too: where an SCF starts.
    """

    mol: gto.Mole
    operator: ExchangeOperator
    coulomb_pairs: np.ndarray | None
    exchange_pairs: np.ndarray | None
    packed: np.ndarray | None
    mixed: np.ndarray | None
    fitting: df.DF | None
    fits_exchange: bool = False

    @property
    def is_direct(self) -> bool:
        """Whether exchange has its integrals computed at each build."""
        held = self.packed is not None or self.mixed is not None
        return self.operator.present and not held and not self.fits_exchange

    @property
    def n_bytes(self) -> int:
        """Memory that the integrals of four functions hold."""
        held = (self.coulomb_pairs, self.exchange_pairs, self.packed, self.mixed)
        return sum(part.nbytes for part in held if part is not None)


def make_two_electron(
    mol: gto.Mole, operator: ExchangeOperator, fitting_basis: object | None, memory: float
) -> TwoElectron:
    """Integrals for `mol`; memory: bytes they may take."""
    n = mol.nao
    n_pairs = n * (n + 1) // 2
    fitting = None
    if fitting_basis is not None:
        fitting = df.DF(mol, auxbasis=fitting_basis)
        fitting.build()
    sets = 2 if operator.attenuated and fitting is None else 1
    if 8 * n_pairs * (n_pairs + 1) // 2 * sets > memory:
        return TwoElectron(mol, operator, None, None, None, None, fitting)
    packed = mol.intor("int2e", aosym="s8")
    mixed = None
    if operator.attenuated:
        mixed = _mixed(mol, operator, packed, kept=fitting is None)
        packed = packed if fitting is None else None
    coulomb_pairs = exchange_pairs = None
    if n <= SMALL:
        full = mol.intor("int2e").reshape(n, n, n, n)
        coulomb_pairs = full.reshape(n * n, n * n)
        of_operator = full if mixed is None else ao2mo.restore(1, mixed, n)
        exchange_pairs = np.ascontiguousarray(of_operator.transpose(0, 3, 1, 2).reshape(n * n, n * n))
    return TwoElectron(mol, operator, coulomb_pairs, exchange_pairs, packed, mixed, fitting)


def with_fitted_exchange(integrals: TwoElectron) -> TwoElectron | None:
    """The same with all of it fitted, to some 1e-5 Hartree; None where no fitting functions are known."""
    mol = integrals.mol
    try:
        fitting = df.DF(mol, auxbasis=_FITTING)
        fitting.build()
    except (RuntimeError, KeyError):
        return None
    return TwoElectron(mol, integrals.operator, None, None, None, None, fitting, fits_exchange=True)


def _mixed(mol: gto.Mole, operator: ExchangeOperator, packed: np.ndarray, *, kept: bool) -> np.ndarray:
    """Packed integrals of a range-separated operator; in the place of `packed` unless these are kept."""
    with mol.with_range_coulomb(operator.omega):
        attenuated = mol.intor("int2e", aosym="s8")
    attenuated *= operator.attenuated
    if kept:
        for start in range(0, len(packed), _PORTION):
            piece = slice(start, start + _PORTION)
            attenuated[piece] += operator.full * packed[piece]
        return attenuated
    packed *= operator.full
    attenuated += packed
    return attenuated


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
    """K (n, n) of the operator, complex or real as `density`, for a Hermitian density (n, n)."""
    real = np.ascontiguousarray(np.real(density))
    if not np.iscomplexobj(density):
        return _exchange(integrals, real, 1)
    imaginary = np.ascontiguousarray(np.imag(density))
    sizes = float(np.abs(real).max(initial=0.0)), float(np.abs(imaginary).max(initial=0.0))
    if integrals.is_direct and sizes[1]:
        return sum(
            (
                share * _both_parts(integrals.mol, density[None], omega, with_j=False)[1][0]
                for share, omega in integrals.operator.parts
            ),
            start=np.zeros_like(density),
        )
    if not TOGETHER * sizes[0] < sizes[1]:
        return _exchange(integrals, real, 1) + 1j * _exchange(integrals, imaginary, 2)
    # One pass for both: K of the symmetric part is symmetric, K of the other is not.
    scale = (sizes[0] or 1.0) / sizes[1]
    K = _exchange(integrals, real + scale * imaginary, 0)
    return 0.5 * (K + K.T) + (0.5j / scale) * (K - K.T)


def _exchange(integrals: TwoElectron, density: np.ndarray, hermi: int) -> np.ndarray:
    """K of a real matrix: symmetric (hermi=1), antisymmetric (hermi=2) or neither (0)."""
    operator = integrals.operator
    if not operator.present or not density.any():
        return np.zeros_like(density)
    if integrals.fits_exchange:
        assert integrals.fitting is not None
        tagged, K = _tagged(density), np.zeros_like(density)
        for share, omega in operator.parts:
            K += share * np.asarray(integrals.fitting.get_jk(tagged, hermi, with_j=False, omega=omega)[1])
        return K
    # The operator's shares are in its own integrals alone.
    share = operator.full if integrals.mixed is None else 1.0
    if integrals.exchange_pairs is not None:
        return share * (integrals.exchange_pairs @ density.ravel()).reshape(density.shape)
    held = integrals.packed if integrals.mixed is None else integrals.mixed
    if held is not None:
        return share * np.asarray(scf.hf.dot_eri_dm(held, density, hermi=hermi, with_j=False)[1])
    K = np.zeros_like(density)
    for share, omega in operator.parts:
        K += share * _direct(integrals.mol, density, hermi, with_j=False, omega=omega)
    return K


def _tagged(density: np.ndarray) -> np.ndarray:
    """A density with its orbitals: of these exchange takes far less time. Another matrix as it is."""
    weights, vectors = np.linalg.eigh(density)
    filled = weights > _EMPTY * weights[-1]
    if weights[0] < -_EMPTY * weights[-1]:
        return density
    tagged: np.ndarray = lib.tag_array(density, mo_coeff=vectors[:, filled], mo_occ=weights[filled])
    return tagged


def coulomb_and_exchange(integrals: TwoElectron, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """J (n, n) of Re P summed over spins, and K (n_spin, n, n), complex, of Hermitian P (n_spin, n, n).

    Integrals that are computed on the way serve J and K at once.
    """
    real = np.ascontiguousarray(np.real(density))
    operator, held = integrals.operator, integrals.packed is not None or integrals.mixed is not None
    if held or integrals.fitting is not None or not operator.full:
        K = np.array([exchange(integrals, p).astype(complex) for p in density])
        return coulomb(integrals, real.sum(axis=0)), K
    if np.imag(density).any():
        J, K = _both_parts(integrals.mol, density, None, with_j=True)
    else:
        J, K = _screened(integrals.mol, real, 1, (True, True), None)
    K = operator.full * K.astype(complex)
    if operator.attenuated:
        own = replace(integrals, operator=replace(operator, full=0.0))
        K += np.array([exchange(own, p) for p in density])
    return J.sum(axis=0), K


def _both_parts(
    mol: gto.Mole, density: np.ndarray, omega: float | None, *, with_j: bool
) -> tuple[np.ndarray, np.ndarray]:
    """J, of real parts, and complex K of Hermitian matrices (k, n, n), with integrals computed once."""
    k = len(density)
    parts = np.concatenate([np.real(density), np.imag(density)])
    J, K = _screened(mol, parts, 0, (with_j, True), omega)
    turned = K.swapaxes(1, 2)
    return J[:k], 0.5 * (K[:k] + turned[:k]) + 0.5j * (K[k:] - turned[k:])


def _direct(mol: gto.Mole, density: np.ndarray, hermi: int, with_j: bool, omega: float | None) -> np.ndarray:
    """J or K with integrals computed on the way."""
    return _screened(mol, density[None], hermi, (with_j, not with_j), omega)[0 if with_j else 1][0]


def _screened(
    mol: gto.Mole, densities: np.ndarray, hermi: int, wanted: tuple[bool, bool], omega: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """J and K of real matrices (k, n, n), empty where not wanted, without what is below `SCREENED`."""
    # By a power of two, which rounds nothing: screening goes by the largest element.
    scale = 2.0 ** np.ceil(np.log2(np.maximum(np.abs(densities).max(axis=(1, 2)), _TINY)))[:, None, None]
    with mol.with_range_coulomb(omega):
        names = "CVHFnrs8_prescreen", "CVHFnr_int2e_q_cond", "CVHFnr_dm_cond"
        optimizer = _vhf._VHFOpt(mol, "int2e", *names)
        optimizer.direct_scf_tol = SCREENED
        j, k = _vhf.direct(
            densities / scale,
            mol._atm,
            mol._bas,
            mol._env,
            vhfopt=optimizer,
            hermi=hermi,
            cart=mol.cart,
            with_j=wanted[0],
            with_k=wanted[1],
        )
    J, K = (np.empty(0) if part is None else scale * part for part in (j, k))
    return J, K
