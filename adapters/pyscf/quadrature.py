"""Exchange-correlation energy, potential and kernel by quadrature, built for propagation.

    E_xc = Σ_g w_g ρ_g ε(ρ_g, ∇ρ_g)
    V_μν = Σ_g w_g [ v_ρ φ_μ φ_ν + 2 v_σ ∇ρ·∇(φ_μ φ_ν) ]_g      (GGA; LDA without, meta-GGA with τ term)

A propagation asks for the same quantity at ten thousand densities close to one another, so only what changes
is recomputed: ρ and v are kept at an expansion point P0 in double precision, and δρ[P - P0] and V[v - v0]
are contracted in single precision, whose rounding is relative to the *change*. AO values stay in memory in
blocks that fit the cache; blocks beyond the memory allowed are evaluated again at each build. The functional
itself is a Taylor series where that is exact (`xc_expansion`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pyscf import dft, gto

from .xc_expansion import Expansion, evaluate, make_expansion

#: AO values of one component in a block: with their intermediates they stay in a 1 MiB cache.
BLOCK_VALUES = 65536
#: Blocks whose AO values are held together in double precision.
_BLOCKS = 8
#: NWChem's grid words as PySCF levels of nearest quality.
GRID_LEVEL = {"xcoarse": 0, "coarse": 1, "medium": 3, "fine": 4, "xfine": 5, "huge": 7}
#: Function values below this are 0 in single precision. Products of smaller ones are subnormal numbers, which
#: take processors a hundred times as long: TCNE's potential matrix took 6.5 s with them, and takes 0.3 s.
VANISHING = 1e-12
#: A point whose weight times the largest possible density is below this adds nothing a double can hold.
NEGLIGIBLE = 1e-13
#: AO components: value, gradient.
_COMPONENTS = {"LDA": 1, "GGA": 4, "MGGA": 4}
#: Density variables of `eval_xc_eff`: ρ, ∇ρ, τ.
_VARIABLES = {"LDA": 1, "GGA": 4, "MGGA": 5}


@dataclass(frozen=True, eq=False)
class Quadrature:
    """A molecule's grid and the AO values on it.

    xc, kind: PySCF's functional description and its type, `LDA`, `GGA` or `MGGA`.
    coords, weights: (n_grid, 3) bohr and (n_grid,); blocks: the slices that cut them.
    aos: values on the first blocks, each (n_components, block, n) float32; others are evaluated when needed.
    """

    mol: gto.Mole
    xc: str
    kind: str
    coords: np.ndarray
    weights: np.ndarray
    blocks: tuple[slice, ...]
    aos: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class ExpansionPoint:
    """What is kept in double precision at a density P0, (n_spin, n, n) real.

    rho: (n_spin, n_variables, n_grid); potential: w v, the same shape; matrix: V[P0], (n_spin, n, n).
    expansion: the functional's Taylor series about rho, for closed shells.
    """

    density: np.ndarray
    rho: np.ndarray
    potential: np.ndarray
    matrix: np.ndarray
    expansion: Expansion | None


def make_quadrature(mol: gto.Mole, xc: str, level: int, memory: float) -> Quadrature:
    """Grid and AO values; level: PySCF's grid level; memory: bytes that AO values may take."""
    grids = dft.gen_grid.Grids(mol)
    grids.level = level
    grids.build(sort_grids=True)
    return quadrature_on(mol, xc, np.asarray(grids.coords), np.asarray(grids.weights), memory)


def quadrature_on(
    mol: gto.Mole, xc: str, coords: np.ndarray, weights: np.ndarray, memory: float
) -> Quadrature:
    """AO values on given points, (n_grid, 3) bohr; memory: bytes that they may take."""
    kind = str(dft.numint.NumInt()._xc_type(xc))
    bytes_left = memory
    kept_coords, kept_weights, blocks, aos = [], [], [], []
    n_grid = 0
    block = min(max(BLOCK_VALUES // mol.nao, 256), 4096)
    for start in range(0, weights.size, block):
        part = slice(start, start + block)
        ao = ao_values(mol, coords[part], _COMPONENTS[kind])
        # w Σφ² bounds what a point can add to any matrix element.
        keep = np.abs(weights[part]) * np.vecdot(ao[0], ao[0]) > NEGLIGIBLE
        if not keep.any():
            # Blocks far from a large molecule may hold nothing.
            continue
        ao = _single(ao[:, keep])
        kept_coords.append(coords[part][keep])
        kept_weights.append(weights[part][keep])
        blocks.append(slice(n_grid, n_grid + ao.shape[1]))
        n_grid += ao.shape[1]
        bytes_left -= ao.nbytes
        if bytes_left >= 0:
            aos.append(ao)
    return Quadrature(
        mol, xc, kind, np.concatenate(kept_coords), np.concatenate(kept_weights), tuple(blocks), tuple(aos)
    )


def make_expansion_point(quadrature: Quadrature, density: np.ndarray) -> ExpansionPoint:
    """The double-precision quantities at a real `density`, (n_spin, n, n)."""
    kind, n_components = quadrature.kind, _COMPONENTS[quadrature.kind]
    rho = np.empty((len(density), _VARIABLES[kind], quadrature.weights.size))
    potential, matrix = np.empty_like(rho), np.zeros_like(density)
    # AO values serve for ρ and for V; libxc is called for some blocks together.
    for first in range(0, len(quadrature.blocks), _BLOCKS):
        blocks = quadrature.blocks[first : first + _BLOCKS]
        aos = [ao_values(quadrature.mol, quadrature.coords[part], n_components) for part in blocks]
        for part, ao in zip(blocks, aos, strict=True):
            rho[..., part] = _contract_density(kind, ao, density)
        whole = slice(blocks[0].start, blocks[-1].stop)
        found = energy_and_potential(quadrature.xc, np.ascontiguousarray(rho[..., whole]))[1]
        potential[..., whole] = found * quadrature.weights[whole]
        for part, ao in zip(blocks, aos, strict=True):
            matrix += _contract_potential(kind, ao, potential[..., part])
    expansion = make_expansion(quadrature.xc, rho[0]) if len(rho) == 1 else None
    return ExpansionPoint(np.array(density), rho, potential, matrix + matrix.transpose(0, 2, 1), expansion)


def exchange_correlation(
    quadrature: Quadrature, point: ExpansionPoint, density: np.ndarray
) -> tuple[float, np.ndarray]:
    """E_xc in Hartree and V_xc, (n_spin, n, n), at a real `density` of that shape (AO basis).

    Cost: 4 n_spin n² n_grid single-precision flops, two passes over the AO values, libxc where the density
    has changed by more than the functional's series about the point allows.
    """
    rho = point.rho + density_change(quadrature, density - point.density)
    if point.expansion is not None:
        energy_density, total = evaluate(point.expansion, rho[0])
        potential = total[None]
    else:
        energy_density, potential = energy_and_potential(quadrature.xc, rho)
    potential *= quadrature.weights
    potential -= point.potential
    energy = float(energy_density @ quadrature.weights)
    return energy, point.matrix + potential_matrix(quadrature, potential)


def make_kernel(quadrature: Quadrature, point: ExpansionPoint) -> np.ndarray:
    """w f_xc at the expansion point: (n_spin, n_variables, n_spin, n_variables, n_grid)."""
    return kernel_at(quadrature.xc, point.rho) * quadrature.weights


def kernel_at(xc: str, rho: np.ndarray) -> np.ndarray:
    """f_xc (n_spin, n_variables, n_spin, n_variables, n_grid) at ρ (n_spin, n_variables, n_grid)."""
    n_spin, n_variables = rho.shape[:2]
    found = dft.numint.NumInt().eval_xc_eff(xc, _libxc_layout(rho), deriv=2, spin=n_spin - 1)[2]
    return found.reshape(n_spin, n_variables, n_spin, n_variables, -1)


def apply_kernel(quadrature: Quadrature, kernel: np.ndarray, change: np.ndarray) -> np.ndarray:
    """First-order change of V_xc for a real symmetric density change, both (n_spin, n, n)."""
    rho = density_change(quadrature, change)
    return potential_matrix(quadrature, np.einsum("stuvg,uvg->stg", kernel, rho))


def ao_values(mol: gto.Mole, coords: np.ndarray, n_components: int) -> np.ndarray:
    """AO values (n_components, n_points, n), double precision."""
    ao = np.asarray(dft.numint.eval_ao(mol, coords, deriv=0 if n_components == 1 else 1))
    return np.ascontiguousarray(ao.reshape(n_components, len(coords), -1))


def ao_blocks(quadrature: Quadrature) -> Iterator[tuple[slice, np.ndarray]]:
    """Every block of points with its single-precision AO values."""
    for index, part in enumerate(quadrature.blocks):
        if index < len(quadrature.aos):
            yield part, quadrature.aos[index]
        else:
            ao = ao_values(quadrature.mol, quadrature.coords[part], _COMPONENTS[quadrature.kind])
            yield part, _single(ao)


def _single(ao: np.ndarray) -> np.ndarray:
    """In single precision, without what vanishes."""
    values = ao.astype(np.float32)
    values[np.abs(values) < VANISHING] = 0.0
    return values


def density_change(quadrature: Quadrature, change: np.ndarray) -> np.ndarray:
    """δρ (n_spin, n_variables, n_grid) of a real symmetric δP, contracted in single precision."""
    # Scaled to order one, so that the smallest kicks stay clear of single precision's underflow.
    scale = float(np.abs(change).max()) or 1.0
    small = (change / scale).astype(np.float32)
    rho = np.empty((len(change), _VARIABLES[quadrature.kind], quadrature.weights.size))
    for part, ao in ao_blocks(quadrature):
        rho[..., part] = _contract_density(quadrature.kind, ao, small)
    rho *= scale
    return rho


def potential_matrix(quadrature: Quadrature, potential: np.ndarray) -> np.ndarray:
    """V (n_spin, n, n) of a weighted potential (n_spin, n_variables, n_grid)."""
    scale = float(np.abs(potential).max()) or 1.0
    small = (potential / scale).astype(np.float32)
    n = quadrature.mol.nao
    matrix = np.zeros((len(potential), n, n))
    for part, ao in ao_blocks(quadrature):
        matrix += _contract_potential(quadrature.kind, ao, small[..., part])
    matrix += matrix.transpose(0, 2, 1)
    matrix *= scale
    return matrix


def _contract_density(kind: str, ao: np.ndarray, density: np.ndarray) -> np.ndarray:
    """ρ, ∇ρ = 2 φ P ∇φ and τ = ½ ∇φ P ∇φ of one block: (n_spin, n_variables, block)."""
    rho = np.empty((len(density), _VARIABLES[kind], ao.shape[1]), dtype=ao.dtype)
    for spin, matrix in enumerate(density):
        half = ao[0] @ matrix
        np.einsum("gi,xgi->xg", half, ao, out=rho[spin, : len(ao)])
        if kind == "MGGA":
            rho[spin, 4] = 0.0
            for values in ao[1:]:
                rho[spin, 4] += 0.5 * np.vecdot(values @ matrix, values)
    rho[:, 1:4] *= 2.0
    return rho


def _contract_potential(kind: str, ao: np.ndarray, potential: np.ndarray) -> np.ndarray:
    """Half of V (to be added to its transpose) from one block of w v."""
    n = ao.shape[2]
    matrix = np.empty((len(potential), n, n), dtype=ao.dtype)
    for spin, v in enumerate(potential):
        share = v[: len(ao)].copy()
        share[0] *= 0.5
        np.matmul(ao[0].T, np.einsum("xgi,xg->gi", ao, share), out=matrix[spin])
        if kind == "MGGA":
            for values in ao[1:]:
                matrix[spin] += values.T @ (values * (0.25 * v[4])[:, None])
    return matrix


def _libxc_layout(rho: np.ndarray) -> np.ndarray:
    """PySCF wants (n_variables, n_grid) for a closed shell and (2, n_variables, n_grid) for an open one."""
    return rho[0] if len(rho) == 1 else rho


def energy_and_potential(xc: str, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energy density ρ ε (n_grid,) and v (n_spin, n_variables, n_grid)."""
    if rho.shape[:2] == (1, _VARIABLES["GGA"]):
        # What `eval_xc_eff` does, which for few points takes a tenth longer.
        exc, v_rho, v_sigma = dft.libxc.eval_xc1(xc, np.ascontiguousarray(rho[0]), 0, 1)
        potential = np.empty_like(rho)
        potential[0, 0] = v_rho
        np.multiply(rho[0, 1:], 2.0 * v_sigma, out=potential[0, 1:])
        return rho[0, 0] * exc, potential
    numint = dft.numint.NumInt()
    exc, vxc = numint.eval_xc_eff(xc, _libxc_layout(rho), deriv=1, spin=len(rho) - 1)[:2]
    return rho[:, 0].sum(axis=0) * exc, vxc.reshape(rho.shape)
