"""The change of the density over a `visualization` block, seen along one axis.

    Δρ(x, y, t) = ∫ [ρ(r, t) − ρ₀(r)] dz = Σ_μν ΔP_μν(t) O_μν(x, y),   O_μν(x, y) = ∫ χ_μ χ_ν dz

O is the same for all times, so that each costs one product. ρ₀ is the density at the block's treference,
else that of the ground state.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from pyscf import gto
from pyscf.dft.numint import eval_ao

from ...adapters.files.plain_hdf5 import open_hdf5
from ...adapters.system import DensityPlot
from ...adapters.system.real_time import Visualization
from .density_cubes import SAME_TIME, shown, spin_part

#: Times that are looked at: all of the window, or so many of them.
MOST_TIMES = 120
#: Room around the nuclei, bohr; pixels along the longest side; spacing along the line of sight, bohr.
MARGIN, PIXELS, DEPTH_STEP = 5.0, 110, 0.35
#: Numbers in one block of overlaps O.
BLOCK = 2**24


@dataclass(frozen=True, eq=False)
class DensityProjection:
    """times: (k,) au; values: (k, n_v, n_u), electrons/bohr², rows along v; depth, u, v: axes 0 to 2.

    across, up: edges of the picture along u and v, bohr. dipole: (T, 2) time and induced dipole along the
    axis in which it is largest, au. rounding: electrons/bohr² that single precision leaves of the
    difference where the density is largest.
    """

    times: np.ndarray
    values: np.ndarray
    depth: int
    u: int
    v: int
    across: tuple[float, float]
    up: tuple[float, float]
    dipole: np.ndarray
    dipole_axis: int
    reference: str
    rounding: float


def density_projection(
    trajectory: Path, mol: gto.Mole, visualization: Visualization
) -> DensityProjection | None:
    """From the densities that a run stored; None where it stored none in the window.

    mol: the molecule whose AO order the trajectory has. Raises OSError.
    """
    plot = visualization.plot
    with open_hdf5(trajectory) as file:
        if "dynamics/density_step" not in file:
            return None
        steps = np.asarray(file["dynamics/density_step"])
        time, dipole = np.asarray(file["dynamics/time"]), np.asarray(file["dynamics/dipole"])
        times = time[steps]
        within = (times >= visualization.tstart) & (times <= visualization.tend)
        rows = np.flatnonzero(within & shown(visualization, times))
        if not rows.size:
            return None
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_TIMES)).round().astype(int))]
        stored = file["dynamics/density_real"]
        assert isinstance(stored, h5py.Dataset)
        densities = np.array([spin_part(np.asarray(stored[row], float), plot) for row in rows])
        reference, name = _reference(file, stored, times, visualization)
    induced = dipole - dipole[0]
    depth = line_of_sight(mol, induced)
    u, v = (axis for axis in range(3) if axis != depth)
    edges = picture_points(mol, plot)
    values = projected(mol, np.concatenate([densities - reference, reference[None]]), depth, edges)
    rounding = float(np.finfo(np.float32).eps * np.abs(values[-1]).max())
    largest = int(np.abs(induced).max(axis=0).argmax())
    return DensityProjection(
        times[rows],
        values[:-1],
        depth,
        u,
        v,
        (edges[u][0], edges[u][-1]),
        (edges[v][0], edges[v][-1]),
        np.stack([time, induced[:, largest]], axis=1),
        largest,
        name,
        rounding,
    )


def _reference(
    file: h5py.File, stored: h5py.Dataset, times: np.ndarray, visualization: Visualization
) -> tuple[np.ndarray, str]:
    """(n, n) density that is taken off, and what to call it."""
    at = visualization.treference
    if at is not None and (there := np.flatnonzero(np.abs(times - at) < SAME_TIME)).size:
        return spin_part(np.asarray(stored[there[0]], float), visualization.plot), f"ρ({at:g} au)"
    C, occupations = np.asarray(file["ground/coefficients"]), np.asarray(file["ground/occupations"])
    return spin_part(np.einsum("sni,si,smi->snm", C, occupations, C), visualization.plot), "ρ(ground state)"


def line_of_sight(mol: gto.Mole, induced: np.ndarray) -> int:
    """The axis along which the nuclei reach least far; of equal ones that in which least happens.

    induced: (T, 3) change of the dipole.
    """
    extents = np.ptp(mol.atom_coords(), axis=0)
    return int(np.lexsort((np.abs(induced).max(axis=0), extents.round(3)))[0])


def picture_points(
    mol: gto.Mole, plot: DensityPlot | None, pixels: int = PIXELS, margin: float = MARGIN
) -> list[np.ndarray]:
    """Points along x, y and z, bohr: around the nuclei, within the `dplot` box where there is one.

    pixels: along the longest side; margin: around the nuclei, bohr.
    """
    positions = mol.atom_coords()
    low, high = positions.min(axis=0) - margin, positions.max(axis=0) + margin
    if plot is not None:
        inner_low, inner_high = np.maximum(low, plot.origin), np.minimum(high, plot.upper)
        # A box away from the nuclei is taken as it is.
        away = inner_high - inner_low < 1.0
        low, high = np.where(away, plot.origin, inner_low), np.where(away, plot.upper, inner_high)
    step = float((high - low).max()) / pixels
    return [np.arange(a, b + step / 2, step) for a, b in zip(low, high, strict=True)]


def projected(mol: gto.Mole, densities: np.ndarray, depth: int, edges: list[np.ndarray]) -> np.ndarray:
    """(k, n_v, n_u): the integrals over axis `depth` of (k, n, n) densities, at the points of the two others.

    edges: points along x, y and z, bohr; those along `depth` only say how far to integrate.
    """
    u, v = (axis for axis in range(3) if axis != depth)
    # Far enough out for what the box cuts off in the plane, but never along the line of sight.
    reach = mol.atom_coords()[:, depth]
    line = np.arange(reach.min() - 2 * MARGIN, reach.max() + 2 * MARGIN, DEPTH_STEP)
    grid_v, grid_u = np.meshgrid(edges[v], edges[u], indexing="ij")
    columns = np.stack([grid_u.ravel(), grid_v.ravel()], axis=1)
    n = densities.shape[1]
    flat = densities.reshape(len(densities), -1)
    size = max(1, BLOCK // max(n * n, n * len(line)))
    parts = []
    for start in range(0, len(columns), size):
        block = columns[start : start + size]
        points = np.empty((len(block), len(line), 3))
        points[:, :, u], points[:, :, v], points[:, :, depth] = block[:, :1], block[:, 1:], line
        ao = np.asarray(eval_ao(mol, points.reshape(-1, 3))).reshape(len(block), len(line), n)
        overlaps = DEPTH_STEP * (ao.swapaxes(1, 2) @ ao)
        parts.append(flat @ overlaps.reshape(len(block), -1).T)
    return np.concatenate(parts, axis=1).reshape(len(densities), len(edges[v]), len(edges[u]))
