"""The exchange-correlation kernel f_xc[ρ₀] as a matrix on packed pairs of orbitals.

Quadrature of n_pair² products is unaffordable beyond small molecules, so the pairs are interpolated, atom by
atom. Inside one atom's Becke cell every product ψ_pψ_q, and with it every δρ and ∇δρ, follows from its values
at some tens of interpolation points p (interpolative separable density fitting, Lu and Ying, J. Comput. Phys.
302 (2015) 329). The least-squares weights need no products: Σ_pq ψ_p(r)ψ_q(r)ψ_p(r')ψ_q(r') = (ψ(r)·ψ(r'))².
The points are the pivots of a Cholesky factorisation of that kernel, weighted by quadrature weight and f_xc.
No auxiliary basis set is involved, so any element and any basis will do.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pyscf import dft, gto
from scipy.linalg import get_lapack_funcs, solve_triangular

from ..matrices.symmetric_pairs import pair_indices

# Hartree: quadrature points whose whole part is below this are skipped.
_POINT_THRESHOLD = 1e-9
# Quadrature points handled at once, so that a block stays in the cache.
_BLOCK_POINTS = 256

#: Quadrature points (m, 3) and weights (m,) of one atom.
Cell = tuple[np.ndarray, np.ndarray]

_COMPONENTS = {"LDA": 1, "GGA": 4}  # ρ; ρ and ∇ρ


def has_xc_kernel(xc: str) -> bool:
    """Whether `xc_kernel` covers this functional: local and gradient-corrected ones, not those of τ."""
    return dft.libxc.xc_type(xc) in (*_COMPONENTS, "HF")


#: What the pairs of orbitals at some points are: (point, m) to (point, pairs) a spin.
PairsOf = Callable[[np.ndarray], Sequence[np.ndarray]]


@dataclass(frozen=True)
class KernelGrid:
    """Where the kernel is integrated, and how much of it is left out, Hartree.

    cells: see `quadrature_cells`; they are met in order.
    pivot: interpolation points are added until the part left out is below this at every point.
    eigenvalue: eigenvectors of a cell's kernel below this are dropped.
    """

    cells: Iterable[Cell]
    pivot: float = 3e-9
    eigenvalue: float = 3e-5


def xc_kernel(
    mol: gto.Mole, density: np.ndarray, xc: str, basis: np.ndarray, cells: Iterable[Cell], dtype: type
) -> np.ndarray:
    """∫ ψ_pψ_q f_xc[ρ₀] ψ_rψ_s with the gradient terms of f_xc, for packed pairs of orbitals.

    density: (n_spin, n, n), as in `build_auxiliary_kernel`. basis: orthonormal orbitals (n, m).
    cells: see `quadrature_cells`; they are met in order.
    Returns (n_spin n_pair, n_spin n_pair), spin the slow index, symmetric, hartree. Non-local correlation
    (VV10) contributes nothing here.
    """
    row, column, weight = pair_indices(basis.shape[1])

    def products(points: np.ndarray) -> Sequence[np.ndarray]:
        return [points[:, row] * points[:, column] * weight] * len(density)

    factors = xc_factors(mol, density, xc, basis, products, KernelGrid(cells))
    positive, negative = [], []
    for some, others in factors:
        positive.append(some.astype(dtype))
        negative.append(others.astype(dtype))
    plus, minus = np.concatenate(positive), np.concatenate(negative)
    return plus.T @ plus - minus.T @ minus


def xc_factors(
    mol: gto.Mole, density: np.ndarray, xc: str, basis: np.ndarray, products: PairsOf, grid: KernelGrid
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Factors L₊, L₋ of every atom's cell, (e, pairs of all spins): f_xc is Σ L₊ᵀL₊ - L₋ᵀL₋.

    products: the pairs wanted; of orbitals in the span of `basis`.
    """
    for coords, weights in grid.cells:
        psi, f_xc, scale = _quadrature(mol, density, xc, basis, coords, weights)
        if len(psi) == 0:
            continue
        points, cholesky = _interpolation_points(psi[:, 0], scale, grid.pivot)
        eigenvalues, vectors = _orthonormalise(_cell_kernel(psi, f_xc, points), cholesky)
        pairs = products(points)
        chosen = (eigenvalues > grid.eigenvalue, eigenvalues < -grid.eigenvalue)
        mixing = [vectors[..., some] * np.sqrt(np.abs(eigenvalues[some])) for some in chosen]
        plus, minus = (
            np.hstack([part.T @ own for part, own in zip(mixed, pairs, strict=True)]) for mixed in mixing
        )
        yield plus, minus


def quadrature_cells(mol: gto.Mole, grid_level: int) -> list[Cell]:
    """Every atom's Becke cell, on a grid of PySCF's level.

    What each level leaves: `benchmarks/kernel/cost_and_error.py`.
    """
    grids = dft.gen_grid.Grids(mol)
    # Of the radial meshes PySCF has, the best of its size: 1.5 times below Treutler's error at level 1.
    table = grids.gen_atomic_grids(
        mol, radi_method=dft.radi.mura_knowles, level=grid_level, prune=grids.prune
    )
    coords, weights = grids.get_partition(
        mol, table, grids.radii_adjust, dft.radi.BRAGG_RADII, grids.becke_scheme, concat=False
    )[:2]
    return [(c[np.abs(w) > 1e-12], w[np.abs(w) > 1e-12]) for c, w in zip(coords, weights, strict=True)]


def _quadrature(
    mol: gto.Mole, density: np.ndarray, xc: str, basis: np.ndarray, coords: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the kernel needs at the points g of one cell that matter.

    Returns orbitals (and gradients) ψ, (g, component, m), w f_xc, (g, spin, spin, component, component),
    and the scale √|w f_ρρ|, (g,).
    """
    numint, kind = dft.numint.NumInt(), dft.libxc.xc_type(xc)
    n_component, n_spin = _COMPONENTS[kind], len(density)
    phi = numint.eval_ao(mol, coords, deriv=int(kind == "GGA"))
    rho = np.array([numint.eval_rho(mol, phi, part, xctype=kind, hermi=1) for part in density])
    f_xc = numint.eval_xc_eff(xc, rho if n_spin == 2 else rho[0], deriv=2, xctype=kind)[2] * weights
    f_xc = f_xc.reshape(n_spin, n_component, n_spin, n_component, -1).transpose(4, 0, 2, 1, 3)
    psi = (phi @ basis).reshape(n_component, len(coords), -1).transpose(1, 0, 2)
    scale = np.sqrt(np.abs(np.einsum("gssxx->gsx", f_xc)[:, :, 0]).sum(1))
    keep = (scale * np.einsum("gi,gi->g", psi[:, 0], psi[:, 0])) ** 2 > _POINT_THRESHOLD
    return psi[keep], f_xc[keep], scale[keep]


def _interpolation_points(psi: np.ndarray, scale: np.ndarray, pivot: float) -> tuple[np.ndarray, np.ndarray]:
    """The interpolation points p of one cell, chosen among its quadrature points.

    psi: (g, m); scale: (g,). Returns √s_p ψ(p), (point, m), and the lower Cholesky factor of
    s_p s_q (ψ(p)·ψ(q))².
    """
    # Some more candidates than a cell ever needs, drawn evenly in importance.
    cumulative = np.cumsum(scale * np.einsum("gi,gi->g", psi, psi))
    n_candidate = 20 * psi.shape[1] + 200
    even = (np.arange(n_candidate) + 0.5) / n_candidate * cumulative[-1]
    candidates = np.unique(np.searchsorted(cumulative, even))
    points = psi[candidates] * np.sqrt(scale[candidates])[:, None]
    (pstrf,) = get_lapack_funcs(("pstrf",), (points,))
    factor, pivots, rank, _ = pstrf((points @ points.T) ** 2, tol=pivot, lower=1)
    return points[pivots[:rank] - 1], np.tril(factor[:rank, :rank])


def _cell_kernel(psi: np.ndarray, f_xc: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Σ_r w k_p f_xc k_q of one cell, (spin, point, spin, point); k_p(r) = s_p (ψ(r)·ψ(p))² and gradient."""
    n_spin, n_point = f_xc.shape[1], len(points)
    kernel = np.zeros((n_spin, n_point, n_spin, n_point))
    for start in range(0, len(psi), _BLOCK_POINTS):
        f = f_xc[start : start + _BLOCK_POINTS]
        k = psi[start : start + _BLOCK_POINTS] @ points.T
        value = k[:, :1].copy()
        k *= value
        k[:, 1:] *= 2.0
        flat = k.reshape(-1, n_point)
        for s in range(n_spin):
            for t in range(s, n_spin):
                kernel[s, :, t] += flat.T @ (f[:, s, t] @ k).reshape(-1, n_point)
    if n_spin == 2:
        kernel[1, :, 0] = kernel[0, :, 1].T
    return kernel


def _orthonormalise(kernel: np.ndarray, cholesky: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (e,) of a cell's kernel; eigenvectors over the products at the points, (spin, point, e)."""
    n_spin, n_point = kernel.shape[:2]
    inverse = solve_triangular(cholesky, np.eye(n_point), lower=True)
    kernel = np.einsum("pq,sqtr,or->spto", inverse, kernel, inverse, optimize=True)
    kernel = kernel.reshape(n_spin * n_point, -1)
    eigenvalues, vectors = np.linalg.eigh((kernel + kernel.T) / 2)
    return eigenvalues, inverse.T @ vectors.reshape(n_spin, n_point, -1)
