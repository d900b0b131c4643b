"""Pictures of transition densities, integrated along an axis across the line's own direction."""

import io

import numpy as np
from pyscf import gto

from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from .density_movie import DOTS_PER_INCH, draw_atoms, draw_density
from .projection import picture_points, projected

#: Width of a picture, inches; pixels along the longest side; room around the nuclei, bohr.
WIDTH, PIXELS, MARGIN = 3.4, 64, 3.5


def transition_pictures(mol: gto.Mole, matrices: np.ndarray, titles: list[str]) -> list[bytes]:
    """A PNG of each of the (k, n, n) real matrices in the molecule's functions, under its title."""
    edges = picture_points(mol, None, PIXELS, MARGIN)
    drawn = []
    for matrix, title in zip(matrices, titles, strict=True):
        depth = seen_along(mol, matrix)
        u, v = (axis for axis in range(3) if axis != depth)
        (values,) = projected(mol, matrix[None], depth, edges)
        across, up = (np.array([edges[axis][0], edges[axis][-1]]) * ANGSTROM_PER_BOHR for axis in (u, v))
        frame = (float(across[0]), float(across[1]), float(up[0]), float(up[1]))
        drawn.append(_drawn(mol, values, (u, v), frame, title))
    return drawn


def seen_along(mol: gto.Mole, matrix: np.ndarray) -> int:
    """The axis in which the molecule is thinnest, of those that the charge does not swing along.

    matrix: (n, n) transition density. Along its own dipole both signs would cancel.
    """
    dipole = np.einsum("xij,ji->x", mol.intor_symmetric("int1e_r"), matrix)
    extents = np.ptp(mol.atom_coords(), axis=0).round(3)
    swings = dipole**2 > 0.5 * float(dipole @ dipole)
    return int(np.lexsort((np.abs(dipole), extents, swings))[0])


def _drawn(
    mol: gto.Mole,
    values: np.ndarray,
    axes: tuple[int, int],
    frame: tuple[float, float, float, float],
    title: str,
) -> bytes:
    from matplotlib.figure import Figure

    high = WIDTH * 0.8 * (frame[3] - frame[2]) / (frame[1] - frame[0])
    height = high + 0.9
    figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH)
    panel = figure.add_axes((0.17, 0.5 / height, 0.8, high / height))
    # Cusps at the nuclei would leave everything else pale.
    full = 0.6 * float(np.abs(values).max()) or 1.0
    draw_density(panel, axes, frame, values, full)
    draw_atoms(panel, axes, mol)
    figure.text(0.5, 1.0 - 0.2 / height, title, fontsize=11, ha="center", va="center")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
