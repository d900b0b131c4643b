"""Cube files of a `visualization dplot` block: densities, or their difference from a reference time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pyscf import gto
from pyscf.dft.numint import eval_ao

from ...adapters.files.plain_hdf5 import open_hdf5
from ...adapters.system import DensityPlot
from ...adapters.system.real_time import Visualization
from ...atomic.whole_file import write_whole

#: Grid points evaluated at once.
BLOCK = 20000
#: Room around the nuclei and spacing of a transition density's cube, bohr.
ROOM, SPACING = 6.0, 0.25
#: NWChem takes a time within this of treference for it, au.
SAME_TIME = 1e-9


def shown(visualization: Visualization | None, times: np.ndarray) -> np.ndarray:
    """(k,) bool: the points that a `visualization` block takes a snapshot of."""
    if visualization is None:
        return np.zeros(len(times), dtype=bool)
    within = (times >= visualization.tstart) & (times <= visualization.tend)
    if visualization.treference is not None:
        within |= np.abs(times - visualization.treference) < SAME_TIME
    return within


def write_cubes(
    trajectory: Path, folder: Path, lead: str, mol: gto.Mole, visualization: Visualization
) -> list[Path]:
    """One file a snapshot, `density.<it>.cube` or `density_subgs.<it>.cube`, from the densities stored.

    lead: ahead of those names, which are NWChem's. mol: the molecule whose AO order the trajectory has.
    Raises OSError.
    """
    plot = visualization.plot
    if not visualization.dplot or plot is None:
        return []
    with open_hdf5(trajectory) as file:
        steps = np.asarray(file["dynamics/density_step"])
        times = np.asarray(file["dynamics/time"])[steps]
        rows = np.flatnonzero(shown(visualization, times))
        stored = np.asarray(file["dynamics/density_real"], dtype=float)
    densities = {int(row): spin_part(stored[row], plot) for row in rows}
    reference, stem = None, "density"
    if visualization.treference is not None:
        there = [row for row in rows if abs(times[row] - visualization.treference) < SAME_TIME]
        if there:
            reference, stem = densities[int(there[0])], "density_subgs"
    points = _points(plot)
    written = []
    for row in rows:
        within = visualization.tstart <= times[row] <= visualization.tend
        if not within:
            continue
        matrix = densities[int(row)] if reference is None else densities[int(row)] - reference
        values = np.concatenate(list(_on_points(mol, points, matrix)))
        written.append(folder / f"{lead}{stem}.{steps[row] + 1:010d}.cube")
        write_whole(written[-1], _cube_text(mol, plot, values, float(times[row])))
    return written


def write_transition_cube(path: Path, mol: gto.Mole, matrix: np.ndarray, title: str) -> None:
    """A cube file of (n, n) real `matrix` around the molecule, 0.25 bohr apart. Raises OSError."""
    low, high = mol.atom_coords().min(axis=0) - ROOM, mol.atom_coords().max(axis=0) + ROOM
    counts = np.ceil((high - low) / SPACING).astype(int)
    box = DensityPlot(
        tuple(low.tolist()), tuple((low + counts * SPACING).tolist()), tuple(counts.tolist()), "total"
    )
    values = np.concatenate(list(_on_points(mol, _points(box), matrix)))
    lines = _cube_text(mol, box, values, 0.0).splitlines()
    write_whole(path, "\n".join([" transition density", f" {title}", *lines[2:]]) + "\n")


def write_cube(path: Path, mol: gto.Mole, density: np.ndarray, plot: DensityPlot) -> None:
    """The cube file of a real AO density (n_spin, n, n). Raises OSError."""
    values = np.concatenate(list(_on_points(mol, _points(plot), spin_part(density, plot))))
    write_whole(path, _cube_text(mol, plot, values, 0.0))


def spin_part(density: np.ndarray, plot: DensityPlot | None) -> np.ndarray:
    """(n, n) from (n_spin, n, n): what `dplot` asks for, the total density without it."""
    if plot is None or plot.spin == "total" or len(density) == 1:
        return density.sum(axis=0)
    alpha, beta = density
    return {"alpha": alpha, "beta": beta, "spindens": alpha - beta}[plot.spin]


def _points(plot: DensityPlot) -> np.ndarray:
    """(n, 3) bohr, z fastest."""
    axes = [
        np.linspace(low, high, n + 1)
        for low, high, n in zip(plot.origin, plot.upper, plot.spacings, strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _on_points(mol: gto.Mole, points: np.ndarray, density: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(points), BLOCK):
        ao = np.asarray(eval_ao(mol, points[start : start + BLOCK]))
        yield np.vecdot(ao @ density, ao)


def _cube_text(mol: gto.Mole, plot: DensityPlot, values: np.ndarray, time: float) -> str:
    """Gaussian's cube format, bohr."""
    counts = [n + 1 for n in plot.spacings]
    steps = [(high - low) / n for low, high, n in zip(plot.origin, plot.upper, plot.spacings, strict=True)]
    lines = [
        f" density of {plot.spin} electrons",
        f" t = {time:.5f} au",
        f"{mol.natm:5d}" + "".join(f"{x:12.6f}" for x in plot.origin),
    ]
    for axis in range(3):
        vector = [steps[axis] if k == axis else 0.0 for k in range(3)]
        lines.append(f"{counts[axis]:5d}" + "".join(f"{x:12.6f}" for x in vector))
    for charge, position in zip(mol.atom_charges(), mol.atom_coords(), strict=True):
        lines.append(f"{charge:5d}{float(charge):12.6f}" + "".join(f"{x:12.6f}" for x in position))
    # Six values a line; every row along z starts a new line.
    for row in values.reshape(-1, counts[2]):
        lines += ["".join(f"{v:13.5E}" for v in row[k : k + 6]) for k in range(0, counts[2], 6)]
    return "\n".join(lines) + "\n"
