"""The exchange-correlation kernel f_xc[ρ₀] as a matrix on packed pairs of basis functions.

Quadrature of n_pair² products is unaffordable beyond small molecules, so the pairs are interpolated, atom by
atom. Inside one atom's Becke cell every product φ_μφ_ν, and with it every δρ and ∇δρ, follows from its values
at some tens of interpolation points p (interpolative separable density fitting, Lu and Ying, J. Comput. Phys.
302 (2015) 329). The least-squares weights need no products: Σ_μν φ_μ(r)φ_ν(r)φ_μ(p)φ_ν(p) = (φ(r)·φ(p))².
The points are the pivots of a Cholesky factorisation of that kernel, weighted by quadrature weight and f_xc.
No auxiliary basis set is involved, so any element and any basis will do.
"""

import numpy as np
from pyscf import dft, gto
from scipy.linalg import get_lapack_funcs, solve_triangular

from .symmetric_pairs import pair_indices

# Hartree: interpolation points are added until every point's part of the kernel left out is below this ...
_PIVOT_THRESHOLD = 1e-7
# ... and eigenvectors of a cell's kernel below this are dropped.
_EIGENVALUE_THRESHOLD = 1e-6
# Quadrature points handled at once, so that a block stays in the cache.
_BLOCK_POINTS = 256

_COMPONENTS = {"LDA": 1, "GGA": 4}  # ρ; ρ and ∇ρ


def has_xc_kernel(xc: str) -> bool:
    """Whether `xc_kernel` covers this functional: local and gradient-corrected ones, not those of τ."""
    return dft.libxc.xc_type(xc) in (*_COMPONENTS, "HF")


def xc_kernel(mol: gto.Mole, density: np.ndarray, xc: str, grid_level: int, dtype: type) -> np.ndarray:
    """∫ φ_μφ_ν f_xc[ρ₀] φ_λφ_σ with the gradient terms of f_xc, for packed pairs.

    density: (n_spin, n, n), as in `build_auxiliary_kernel`. Returns (n_spin n_pair, n_spin n_pair), spin the
    slow index, symmetric, hartree. Non-local correlation (VV10) contributes nothing here.
    """
    row, column, weight = pair_indices(density.shape[-1])
    numint = dft.numint.NumInt()
    orthonormal = _orthonormal_basis(mol)
    factors, signs = [], []
    for coords, weights in _cells(mol, grid_level):
        phi, f_xc = _quadrature(numint, mol, density, xc, coords, weights)
        points, scale, cholesky = _interpolation_points(phi[:, 0] @ orthonormal, f_xc)
        at_points = phi[points, 0] * np.sqrt(scale)[:, None]
        cell = _cell_kernel(phi, f_xc, at_points, orthonormal)
        eigenvalues, vectors = _orthonormalise(cell, cholesky)
        products = (at_points[:, row] * at_points[:, column] * weight).astype(dtype)
        for sign, chosen in (
            (1.0, eigenvalues > _EIGENVALUE_THRESHOLD),
            (-1.0, eigenvalues < -_EIGENVALUE_THRESHOLD),
        ):
            mixing = vectors[..., chosen] * np.sqrt(np.abs(eigenvalues[chosen]))
            factors.append(np.hstack([part.T.astype(dtype) @ products for part in mixing]))
            signs.append(np.full(len(factors[-1]), sign))
    factor, sign = np.concatenate(factors), np.concatenate(signs)
    positive, negative = factor[sign > 0], factor[sign < 0]
    return positive.T @ positive - negative.T @ negative


def _cells(mol: gto.Mole, grid_level: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Quadrature points (m, 3) and weights (m,) of every atom's Becke cell."""
    grids = dft.gen_grid.Grids(mol)
    # Of the radial meshes PySCF has, the best of its size: 1.5 times below Treutler's error at level 1.
    table = grids.gen_atomic_grids(
        mol, radi_method=dft.radi.mura_knowles, level=grid_level, prune=grids.prune
    )
    coords, weights = grids.get_partition(
        mol, table, grids.radii_adjust, dft.radi.BRAGG_RADII, grids.becke_scheme, concat=False
    )[:2]
    return [(c[np.abs(w) > 1e-12], w[np.abs(w) > 1e-12]) for c, w in zip(coords, weights, strict=True)]


def _orthonormal_basis(mol: gto.Mole) -> np.ndarray:
    """Canonical orthonormalisation (n, m), so that the fit weighs all orbital pairs alike."""
    values, vectors = np.linalg.eigh(mol.intor_symmetric("int1e_ovlp"))
    keep = values > 1e-6
    return vectors[:, keep] / np.sqrt(values[keep])


def _quadrature(
    numint: dft.numint.NumInt,
    mol: gto.Mole,
    density: np.ndarray,
    xc: str,
    coords: np.ndarray,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Functions (and gradients) φ, (m, component, n), and w f_xc, (m, spin, spin, component, component)."""
    kind = dft.libxc.xc_type(xc)
    n_component, n_spin = _COMPONENTS[kind], len(density)
    phi = numint.eval_ao(mol, coords, deriv=int(kind == "GGA"))
    rho = np.array([numint.eval_rho(mol, phi, part, xctype=kind, hermi=1) for part in density])
    f_xc = numint.eval_xc_eff(xc, rho if n_spin == 2 else rho[0], deriv=2, xctype=kind)[2] * weights
    f_xc = f_xc.reshape(n_spin, n_component, n_spin, n_component, -1).transpose(4, 0, 2, 1, 3)
    phi = phi.reshape(n_component, len(coords), -1).transpose(1, 0, 2)
    return np.ascontiguousarray(phi), np.ascontiguousarray(f_xc)


def _interpolation_points(phi: np.ndarray, f_xc: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices p of the interpolation points, their weights s and the factor L: L Lᵀ = s_p s_q (φ(p)·φ(q))².

    phi: (m, n) orthonormal functions at the points of one cell.
    """
    scale = np.sqrt(np.abs(np.einsum("gssxx->gsx", f_xc)[:, :, 0]).sum(1))
    importance = scale * np.einsum("gi,gi->g", phi, phi)
    # Some more candidates than a cell ever needs, drawn evenly in importance.
    cumulative = np.cumsum(importance)
    n_candidate = 10 * phi.shape[1] + 200
    candidates = np.unique(
        np.searchsorted(cumulative, (np.arange(n_candidate) + 0.5) / n_candidate * cumulative[-1])
    )
    half = phi[candidates] * np.sqrt(scale[candidates])[:, None]
    (dpstrf,) = get_lapack_funcs(("pstrf",), (half,))
    factor, pivots, rank, _ = dpstrf((half @ half.T) ** 2, tol=_PIVOT_THRESHOLD, lower=1)
    chosen = candidates[pivots[:rank] - 1]
    return chosen, scale[chosen], np.tril(factor[:rank, :rank])


def _cell_kernel(
    phi: np.ndarray, f_xc: np.ndarray, at_points: np.ndarray, orthonormal: np.ndarray
) -> np.ndarray:
    """Σ_r w k_p f_xc k_q of one cell, (spin, point, spin, point); k_p(r) = s_p (φ(r)·φ(p))² and gradient.

    at_points: √s_p φ(p), (point, n).
    """
    n_spin, n_point = f_xc.shape[1], len(at_points)
    inner = orthonormal @ (orthonormal.T @ at_points.T)
    kernel = np.zeros((n_spin, n_point, n_spin, n_point))
    for start in range(0, len(phi), _BLOCK_POINTS):
        f = f_xc[start : start + _BLOCK_POINTS]
        k = phi[start : start + _BLOCK_POINTS] @ inner
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
