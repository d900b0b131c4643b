"""What the neural surrogate knows of a geometry and its basis without any quadrature: fitting factors.

Every atom carries the same small set of Gaussians χ_P, whatever its basis. Their three-index integrals with
the basis functions, made orthonormal among each other as far as the basis can tell them apart, turn a density
change into tokens of atoms,

    q = B δP,   B = (G + λ|G|)^(-1/2) b,   b_P,μν = (P|μν) / √(P|P),   G = b bᵀ,

and tokens back into a matrix, ΔF = Bᵀ q. Symmetric orthonormalisation (Löwdin, J. Chem. Phys. 18, 365 (1950))
keeps B covariant: the tokens of an atom turn with the molecule as s, p, d and f functions do. The imaginary
part has no density; its tokens are currents, from ½⟨P|φ_μ ∇φ_ν − φ_ν ∇φ_μ⟩.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from pyscf import dft, gto

from ..kernel.analytic import AuxiliaryKernel
from ..kernel.coulomb_exchange import coulomb_kernel, exchange_kernels, repulsion_integrals
from ..matrices.lowdin import inverse_root
from ..matrices.symmetric_pairs import pack_antisymmetric, pack_symmetric

#: Radial functions of s, p, d and f tokens, and of the s functions that currents are measured with.
CHANNELS = (6, 5, 4, 2)
CURRENT_CHANNELS = 3
#: The tokens of an atom as e3nn writes them.
TOKENS = " + ".join(f"{n}x{degree}{'eo'[degree % 2]}" for degree, n in enumerate(CHANNELS))
CURRENTS = f"{CURRENT_CHANNELS}x1o"
N_TOKENS = sum(n * (2 * degree + 1) for degree, n in enumerate(CHANNELS))
N_CURRENTS = 3 * CURRENT_CHANNELS
#: Smallest and largest exponent of an element's s tokens, 1/bohr²: from its outermost shell to its core.
EXPONENTS = {
    1: (0.15, 6.0),
    2: (0.2, 10.0),
    3: (0.05, 12.0),
    4: (0.07, 8.0),
    5: (0.1, 16.0),
    6: (0.15, 25.0),
    7: (0.2, 30.0),
    8: (0.2, 40.0),
    9: (0.25, 50.0),
    10: (0.3, 60.0),
}
#: λ: what the basis tells apart worse than this share of the best is damped, not amplified.
REGULARISATION = 1e-6
#: Centres (log of 1/bohr²) of the bins that shells are counted in, per angular momentum s, p, d.
_BINS = np.array([-2.0, -0.7, 0.6, 1.9, 3.2, 5.0])
N_MOMENTS = 3 * len(_BINS)


@dataclass(frozen=True, eq=False)
class FittingFactors:
    """One geometry. n_pair = n(n±1)/2 packed pairs (`matrices/symmetric_pairs`) of Löwdin functions.

    factors: B, (n_atoms N_TOKENS, n_pair). currents: (n_atoms N_CURRENTS, n_pair).
    basis_moments: shells of each atom's basis by angular momentum and exponent, (n_atoms, N_MOMENTS).
    """

    factors: np.ndarray
    currents: np.ndarray
    basis_moments: np.ndarray


def fitting_factors(mol: gto.Mole) -> FittingFactors:
    """Fitting factors of a molecule. Raises KeyError for an element without tokens (see `EXPONENTS`)."""
    orbitals = lowdin_orbitals(mol)
    tokens = _token_molecule(mol)
    coulomb = _three_index(mol, tokens, "int3c2e")
    coulomb = np.einsum("mp,Pmn,nq->Ppq", orbitals, coulomb, orbitals, optimize=True)
    coulomb /= np.sqrt(np.diagonal(tokens.intor("int2c2e_sph")))[:, None, None]
    factors = _orthonormalise(_token_order(mol.natm, pack_symmetric(coulomb)))

    gradients = _three_index(mol, _token_molecule(mol, currents=True), "int3c1e_ip1")
    gradients = np.einsum("mp,xPmn,nq->Pxpq", orbitals, gradients, orbitals, optimize=True)
    currents = pack_antisymmetric((gradients - gradients.swapaxes(-1, -2)) / 2)
    currents = _orthonormalise(currents.reshape(mol.natm * N_CURRENTS, -1))
    return FittingFactors(factors, currents, basis_moments(mol))


def lowdin_orbitals(mol: gto.Mole) -> np.ndarray:
    """S^(-1/2), (n, n): columns are the Löwdin functions, P = S^(-1/2) P_L S^(-1/2)."""
    return inverse_root(mol.intor_symmetric("int1e_ovlp"))


def mean_field_kernel(mol: gto.Mole, xc: str) -> AuxiliaryKernel:
    """Coulomb and exact exchange of a closed shell as a kernel on packed pairs of Löwdin functions.

    xc: PySCF's description of the functional. What is missing is what the network predicts.
    """
    integrals = repulsion_integrals(mol, lowdin_orbitals(mol))
    real, imaginary = coulomb_kernel(integrals, mol.nao), None
    omega, long_range, fraction = dft.numint.NumInt().rsh_and_hybrid_coeff(xc)
    if fraction != 0 or (omega != 0 and long_range != 0):
        integrals *= fraction
        if omega != 0:
            integrals += (long_range - fraction) * repulsion_integrals(mol, lowdin_orbitals(mol), omega)
        symmetric, imaginary = exchange_kernels(-0.5 * integrals, mol.nao, np.float64)
        real += symmetric
    return AuxiliaryKernel(mol.nao, 1, real, imaginary, None)


def mean_field_alone(xc: str) -> bool:
    """Whether Coulomb and exchange are all there is: Hartree-Fock, which leaves nothing to predict."""
    return dft.libxc.xc_type(xc) == "HF"


def basis_moments(mol: gto.Mole) -> np.ndarray:
    """Shells of each atom's basis counted in soft bins of the logarithm of their mean exponent."""
    moments = np.zeros((mol.natm, 3, len(_BINS)))
    for shell in range(mol.nbas):
        exponents, coefficients = np.log(mol.bas_exp(shell)), mol.bas_ctr_coeff(shell)
        weights = coefficients**2 / (coefficients**2).sum(0)
        mean = exponents @ weights
        # Counted as d: whatever is higher.
        degree = min(int(mol.bas_angular(shell)), 2)
        bins = np.exp(-0.5 * ((mean[:, None] - _BINS) / 1.3) ** 2)
        moments[mol.bas_atom(shell), degree] += bins.sum(0)
    return moments.reshape(mol.natm, -1)


def _token_molecule(mol: gto.Mole, *, currents: bool = False) -> gto.Mole:
    """The tokens' Gaussians on the atoms of a molecule; for `currents` s functions alone."""
    channels = (CURRENT_CHANNELS,) if currents else CHANNELS
    basis = {}
    for number in {int(z) for z in mol.atom_charges()}:
        low, high = EXPONENTS[number]
        if currents:
            high = min(high, 16 * low)
        basis[number] = [
            [degree, [float(exponent), 1.0]]
            for degree, count in enumerate(channels)
            for exponent in np.geomspace(low * (1 + 0.5 * degree), high / (1 + degree), count)
        ]
    labels = [f"{gto.mole._symbol(int(z))}@{z}" for z in mol.atom_charges()]
    return gto.M(
        atom=list(zip(labels, mol.atom_coords().tolist(), strict=True)),
        basis={label: basis[int(label.split("@")[1])] for label in labels},
        unit="Bohr",
        spin=None,
        verbose=0,
    )


def _three_index(mol: gto.Mole, tokens: gto.Mole, integral: str) -> np.ndarray:
    """Integrals over basis functions of either kind and spherical tokens, (…, n_token, n, n)."""
    joined = mol + tokens
    joined.cart = mol.cart
    shells = (0, mol.nbas, 0, mol.nbas, mol.nbas, joined.nbas)
    matrix = joined.intor(integral + ("_cart" if mol.cart else "_sph"), shls_slice=shells)
    if mol.cart:
        matrix = matrix @ tokens.cart2sph_coeff(normalized="sp")
    return np.moveaxis(matrix, -1, -3)


def _token_order(n_atoms: int, rows: np.ndarray) -> np.ndarray:
    """Rows of all atoms from PySCF's components to e3nn's; p functions are x, y, z in both."""
    rows = rows.reshape(n_atoms, N_TOKENS, -1)
    parts, first = [], 0
    for degree, count in enumerate(CHANNELS):
        width = 2 * degree + 1
        part = rows[:, first : first + count * width].reshape(n_atoms, count, width, -1)
        turned = part if degree < 2 else np.einsum("ij,acjp->acip", _turned_harmonics(degree), part)
        parts.append(turned.reshape(n_atoms, count * width, -1))
        first += count * width
    return np.concatenate(parts, axis=1).reshape(n_atoms * N_TOKENS, -1)


@cache
def _turned_harmonics(degree: int) -> np.ndarray:
    """Rows: e3nn's components, whose polar axis is y; columns: PySCF's, whose polar axis is z. From l = 2 on.

    e3nn's are PySCF's of (z, x, y), found on monomials x^i y^j z^k, which PySCF lists by falling i and j.
    """
    monomials = [(i, j, degree - i - j) for i in range(degree, -1, -1) for j in range(degree - i, -1, -1)]
    turned = [monomials.index((j, k, i)) for i, j, k in monomials]
    harmonics = gto.cart2sph(degree)
    of_turned = np.zeros_like(harmonics)
    of_turned[turned] = harmonics
    return np.linalg.lstsq(harmonics, of_turned, rcond=None)[0].T


def _orthonormalise(rows: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(rows @ rows.T)
    values = np.maximum(values, 0.0) + REGULARISATION * max(values[-1], 1e-300)
    return (vectors / np.sqrt(values)) @ (vectors.T @ rows)
