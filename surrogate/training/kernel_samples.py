"""Training samples of the response: for one geometry, a quadratic form of the kernel on tokens.

The network's error on density changes x with exchange-correlation responses y is quadratic in its kernel W,

    Σ |Bᵀ W B x − y|² / |ΔF|² = Tr (W q)ᵀ G W q − 2 Tr Tᵀ W + c,
    q = Bx / |ΔF|, a column a pair,   T = Σ Bx (By)ᵀ / |ΔF|²,   G = B Bᵀ,   c = Σ |y|² / |ΔF|²,

so a sample holds q, T, G and c, averaged over its pairs, and no basis functions. ΔF is the whole response,
base included: √ of the form is the relative error of ΔF.

The pairs are those of the file, as far as the response is linear in them, and random rotations of occupied
into empty orbitals, answered by the analytic kernel: the kernel costs one coarse quadrature a geometry, and
any number of pairs after that.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pyscf import gto

from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ..kernel.analytic import KERNEL_GRID
from ..kernel.exchange_correlation import quadrature_cells, xc_kernel
from ..matrices.symmetric_pairs import pack_antisymmetric, pack_symmetric
from ..runtime.fitting_factors import (
    FittingFactors,
    fitting_factors,
    lowdin_orbitals,
    mean_field_alone,
    mean_field_kernel,
)
from ..samples.pairs_file import KINDS, SPLITS, PairsError, ResponsePairs, read_pairs

#: |δP| up to which the response counts as linear: beyond, more than about a thousandth of it is not.
LINEAR = 0.02
#: Random rotations a geometry.
ROTATIONS = 64


@dataclass(frozen=True, eq=False)
class KernelSample:
    """One geometry. numbers, positions (bohr), moments: the network's inputs; q, T, G, c as in the module's
    docstring, (n_atoms N_TOKENS, pairs or same), single precision."""

    molecule: str
    numbers: np.ndarray
    positions: np.ndarray
    moments: np.ndarray
    q: np.ndarray
    T: np.ndarray
    G: np.ndarray
    c: float


@dataclass(frozen=True, eq=False)
class GeometryPairs:
    """Pairs of one geometry in packed form, and what turns them into predictions.

    x, y: packed Re δP and Im δP, (p, n_pair); response_x, response_y: of the reference; base_x: of the base.
    sizes: |δP|. density: P0, (n, n). fock: F0.
    """

    mol: gto.Mole
    factors: FittingFactors
    x: np.ndarray
    y: np.ndarray
    response_x: np.ndarray
    response_y: np.ndarray
    base_x: np.ndarray
    base_y: np.ndarray
    sizes: np.ndarray
    density: np.ndarray
    fock: np.ndarray


def kernel_samples(path: Path, split: str, seed: int, base: str = "mean-field") -> list[KernelSample]:
    """Samples of a file of response pairs; nothing for open shells and Hartree-Fock. Raises PairsError.

    base: mean-field or (analytic) kernel, to which the network adds. What that kernel lacks only the file's
    pairs tell.
    """
    content = read_pairs(path)
    if int(content.attributes["n_spin"]) != 1 or mean_field_alone(str(content.attributes["pyscf_xc"])):
        return []
    chosen = np.flatnonzero(content.geometries.split == SPLITS.index(split))
    return [_sample(path, content, int(k), np.random.default_rng([seed, int(k)]), base) for k in chosen]


def linear_samples(
    path: Path, split: str | None, base: str = "mean-field", kind: str | None = None
) -> dict[int, KernelSample]:
    """Samples of a file's own linear pairs alone, by number of the geometry; none for those without.

    split, kind: of `SPLITS` and `KINDS`, all if None. Nothing for open shells and Hartree-Fock. Raises
    PairsError.
    """
    content = read_pairs(path)
    if int(content.attributes["n_spin"]) != 1 or mean_field_alone(str(content.attributes["pyscf_xc"])):
        return {}
    samples = {}
    for k in range(len(content.geometries.split)):
        if split is not None and content.geometries.split[k] != SPLITS.index(split):
            continue
        kinds = content.pairs.kind[content.pairs.geometry == k]
        wanted = np.full(len(kinds), True) if kind is None else kinds == KINDS.index(kind)
        if not wanted.any():
            continue
        pairs = geometry_pairs(path, content, k, base)
        chosen = wanted & (pairs.sizes < LINEAR)
        if chosen.any():
            missing = (pairs.response_x - pairs.base_x)[chosen]
            samples[k] = _form(content, pairs, pairs.x[chosen], missing, _sizes(pairs)[chosen])
    return samples


def geometry_pairs(path: Path, content: ResponsePairs, k: int, base: str = "mean-field") -> GeometryPairs:
    """Geometry `k` of a file. base: mean-field or kernel. Raises PairsError."""
    mol = molecule_of(path, content, k)
    rows = np.flatnonzero(content.pairs.geometry == k)
    change, fock = content.pairs.density[rows, 0], content.pairs.fock[rows, 0]
    x, y = pack_symmetric(np.real(change).astype(float)), pack_antisymmetric(np.imag(change).astype(float))
    kernel = mean_field_kernel(mol, str(content.attributes["pyscf_xc"]))
    base_x = x @ kernel.real
    base_y = np.zeros_like(y) if kernel.imaginary is None else y @ kernel.imaginary
    if base == "kernel":
        if content.pairs.kernel is None:
            raise PairsError(f"{path}: no analytic kernel in this file")
        of_kernel = content.pairs.kernel[rows, 0].astype(complex)
        base_x, base_y = pack_symmetric(np.real(of_kernel)), pack_antisymmetric(np.imag(of_kernel))
    return GeometryPairs(
        mol,
        fitting_factors(mol),
        x,
        y,
        pack_symmetric(np.real(fock).astype(float)),
        pack_antisymmetric(np.imag(fock).astype(float)),
        base_x,
        base_y,
        np.hypot(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)),
        content.geometries.density[k, 0],
        content.geometries.fock[k, 0],
    )


def molecule_of(path: Path, content: ResponsePairs, k: int) -> gto.Mole:
    """The molecule of geometry `k`, from the file's basis table. Raises PairsError if the overlap differs."""
    table, numbers = content.basis, content.atomic_numbers
    cartesian = bool(np.any(table.magnetic_quantum > table.angular_momentum))
    basis: dict[str, list[list[object]]] = {}
    row = 0
    while row < len(table.atom_index):
        atom, degree = int(table.atom_index[row]), int(table.angular_momentum[row])
        used = table.coefficients[row] != 0
        primitives = np.stack([table.exponents[row][used], table.coefficients[row][used]], axis=1)
        basis.setdefault(_label(numbers, atom), []).append([degree, *primitives.tolist()])
        row += (degree + 1) * (degree + 2) // 2 if cartesian else 2 * degree + 1
    positions = content.geometries.positions[k] / ANGSTROM_PER_BOHR
    labels = [_label(numbers, atom) for atom in range(len(numbers))]
    mol = gto.M(
        atom=list(zip(labels, positions.tolist(), strict=True)),
        basis=basis,
        unit="Bohr",
        charge=int(content.attributes["charge"]),
        spin=int(content.attributes["multiplicity"]) - 1,
        cart=cartesian,
        verbose=0,
    )
    if np.abs(mol.intor("int1e_ovlp") - content.geometries.overlap[k]).max() > 1e-5:
        raise PairsError(f"{path}: geometry {k}: the overlap matrix is not that of the basis table")
    return mol


def random_changes(density: np.ndarray, fock: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    """Packed first-order changes (count, n_pair) by rotations of occupied into empty orbitals over their
    gap."""
    energies, orbitals = np.linalg.eigh(fock)
    occupied = round(float(np.trace(density)) / 2)
    gaps = np.maximum(energies[occupied:] - energies[:occupied, None], 0.1)
    kappa = rng.standard_normal((count, *gaps.shape)) / gaps
    change = orbitals[:, :occupied] @ kappa @ orbitals[:, occupied:].T
    return pack_symmetric(change + change.swapaxes(1, 2))


def _sample(path: Path, content: ResponsePairs, k: int, rng: np.random.Generator, base: str) -> KernelSample:
    pairs = geometry_pairs(path, content, k, base)
    linear = pairs.sizes < LINEAR
    x, y = pairs.x[linear], (pairs.response_x - pairs.base_x)[linear]
    sizes = _sizes(pairs)[linear]
    if base == "mean-field":
        xc = str(content.attributes["pyscf_xc"])
        orbitals = lowdin_orbitals(pairs.mol)
        density = (orbitals @ pairs.density @ orbitals.T)[None]
        cells = quadrature_cells(pairs.mol, KERNEL_GRID)
        kernel = xc_kernel(pairs.mol, density, xc, orbitals, cells, np.float64)
        random = random_changes(pairs.density, pairs.fock, rng, ROTATIONS)
        of_kernel = random @ kernel
        whole = of_kernel + random @ mean_field_kernel(pairs.mol, xc).real
        x, y = np.concatenate([random, x]), np.concatenate([of_kernel, y])
        sizes = np.concatenate([np.linalg.norm(whole, axis=1), sizes])
    return _form(content, pairs, x, y, sizes)


def _form(
    content: ResponsePairs, pairs: GeometryPairs, x: np.ndarray, y: np.ndarray, sizes: np.ndarray
) -> KernelSample:
    """From packed changes and what the network is to answer, (p, n_pair), and |ΔF|, (p,)."""
    x, y = (part / (sizes * np.sqrt(len(sizes)))[:, None] for part in (x, y))
    B = pairs.factors.factors
    q = B @ x.T
    return KernelSample(
        str(content.attributes["molecule"]),
        np.asarray(content.atomic_numbers, np.int64),
        pairs.mol.atom_coords().astype(np.float32),
        pairs.factors.basis_moments.astype(np.float32),
        q.astype(np.float32),
        (q @ y @ B.T).astype(np.float32),
        (B @ B.T).astype(np.float32),
        float((y**2).sum()),
    )


def _sizes(pairs: GeometryPairs) -> np.ndarray:
    """|ΔF|, (p,)."""
    return np.hypot(np.linalg.norm(pairs.response_x, axis=1), np.linalg.norm(pairs.response_y, axis=1))


def _label(numbers: np.ndarray, atom: int) -> str:
    return f"{gto.mole._symbol(int(numbers[atom]))}@{atom}"
