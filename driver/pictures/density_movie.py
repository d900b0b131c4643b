"""An animated picture of a `visualization` block: where the density goes, and the dipole below."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pyscf import gto

from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...adapters.system.real_time import Visualization
from ...atomic.units import FS_PER_AU
from ...atomic.whole_file import write_whole
from .bonds import bonds
from .projection import DensityProjection, density_projection

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D
    from matplotlib.text import Text
    from PIL.Image import Image

#: Full colour is at least so many times what the files' single precision leaves, which so stays pale.
CLEAR = 30.0
#: How long a frame is shown, ms.
FRAME_MS = 70
#: Less density, white, more density: the blue and vermilion of Okabe and Ito.
COLOURS = ("#0072B2", "#8FC3E3", "#FFFFFF", "#F2B48A", "#D55E00")
#: Width of a picture in inches, dots per inch, and inches for the dipole: readable on a telephone.
WIDTH, DOTS_PER_INCH, STRIP = 4.0, 120, 1.6


def movie_path(stem: Path) -> Path:
    """Where the movie of a run lies."""
    return stem.with_name(stem.name + "_density.gif")


def write_movie(trajectory: Path, path: Path, mol: gto.Mole, visualization: Visualization) -> None:
    """An animated GIF of the densities stored in the block's window; no file where there are none.

    mol: the molecule whose AO order the trajectory has. Raises OSError.
    """
    path.unlink(missing_ok=True)
    projection = density_projection(trajectory, mol, visualization)
    if projection is not None:
        write_whole(path, draw_movie(projection, mol))


@dataclass(frozen=True, eq=False)
class _Stage:
    """The figure with what changes from frame to frame."""

    figure: "Figure"
    picture: "AxesImage"
    clock: "Text"
    marker: "Line2D"


def draw_movie(projection: DensityProjection, mol: gto.Mole) -> bytes:
    """The animated GIF."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    stage = _stage(projection, mol)
    canvas = FigureCanvasAgg(stage.figure)
    palette = _palette()
    for artist in (stage.picture, stage.clock, stage.marker):
        artist.set_animated(True)
    canvas.draw()
    still = canvas.copy_from_bbox(stage.figure.bbox)
    panel, strip = stage.picture.axes, stage.marker.axes
    assert panel is not None
    assert strip is not None
    above = [stage.picture, *panel.lines, *panel.patches, *panel.texts]
    frames: list[Image.Image] = []
    for at, values in zip(projection.times, projection.values, strict=True):
        stage.picture.set_data(values)
        stage.clock.set_text(f"{at * FS_PER_AU:.2f} fs")
        stage.marker.set_data([at], [np.interp(at, *projection.dipole.T)])
        # Only what moves, and what lies on it, is drawn again.
        canvas.restore_region(still)
        for artist in above:
            panel.draw_artist(artist)
        strip.draw_artist(stage.marker)
        stage.figure.draw_artist(stage.clock)
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3].copy())
        frames.append(image.quantize(palette=palette, dither=Image.Dither.NONE))
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=FRAME_MS, loop=0)
    return file.getvalue()


def _stage(projection: DensityProjection, mol: gto.Mole) -> _Stage:
    from matplotlib.figure import Figure

    (left, right), (bottom, top) = (
        np.array(edges) * ANGSTROM_PER_BOHR for edges in (projection.across, projection.up)
    )
    high = WIDTH * 0.82 * (top - bottom) / (right - left)
    height = high + STRIP + 0.65
    figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH)
    panel = figure.add_axes((0.14, (STRIP + 0.05) / height, 0.82, high / height))
    # Cusps at the nuclei would leave everything else pale.
    full = max(0.5 * float(np.abs(projection.values).max()), CLEAR * projection.rounding) or 1.0
    axes, frame = (projection.u, projection.v), (left, right, bottom, top)
    picture = draw_density(panel, axes, frame, projection.values[0], full)
    draw_atoms(panel, axes, mol)
    figure.text(0.04, 1.0 - 0.2 / height, f"ρ(t) − {projection.reference}", fontsize=11, va="center")
    figure.text(
        0.04,
        1.0 - 0.44 / height,
        f"integrated along {'xyz'[projection.depth]}; full colour: {full:.1e} e/bohr²",
        fontsize=10,
        va="center",
        color="#555555",
    )
    clock = figure.text(0.97, 1.0 - 0.2 / height, "", fontsize=11, va="center", ha="right")
    strip = figure.add_axes((0.05, 0.48 / height, 0.9, 0.6 / height))
    time, dipole = projection.dipole.T
    strip.plot(time, dipole, color="#888888", linewidth=0.8)
    strip.axvspan(projection.times[0], projection.times[-1], color=COLOURS[0], alpha=0.1, linewidth=0)
    (marker,) = strip.plot([], [], "o", color=COLOURS[-1], markersize=6)
    strip.set_xlim(time[0], max(time[-1], time[0] + 1e-6))
    strip.set_yticks([])
    strip.set_xlabel(
        f"induced dipole along {'xyz'[projection.dipole_axis]}, time (au)", fontsize=10, labelpad=1
    )
    strip.tick_params(labelsize=10)
    for side in ("top", "left", "right"):
        strip.spines[side].set_visible(False)
    return _Stage(figure, picture, clock, marker)


def draw_density(
    panel: "Axes",
    axes: tuple[int, int],
    frame: tuple[float, float, float, float],
    values: np.ndarray,
    full: float,
) -> "AxesImage":
    """A change of density, (rows, columns): blue where it falls, vermilion where it rises.

    axes: across and up, 0 to 2. frame: left, right, bottom, top, Å. full: value of full colour.
    """
    from matplotlib.colors import LinearSegmentedColormap

    picture = panel.imshow(
        values,
        extent=frame,
        origin="lower",
        cmap=LinearSegmentedColormap.from_list("density", COLOURS),
        vmin=-full,
        vmax=full,
        interpolation="bilinear",
        aspect="auto",
    )
    panel.set_xlabel(f"{'xyz'[axes[0]]} (Å)", fontsize=10, labelpad=1)
    panel.set_ylabel(f"{'xyz'[axes[1]]} (Å)", fontsize=10, labelpad=1)
    panel.tick_params(labelsize=10)
    panel.spines[:].set_visible(False)
    return picture


def draw_atoms(panel: "Axes", axes: tuple[int, int], mol: gto.Mole) -> None:
    """Nuclei as rings with their symbols, bonds as lines between the rings.

    axes: across and up, 0 to 2; the panel is in Å.
    """
    from ase.data import covalent_radii
    from matplotlib.patches import Circle
    from matplotlib.patheffects import withStroke

    numbers = np.array([gto.charge(mol.atom_symbol(k)) for k in range(mol.natm)])
    real = np.flatnonzero(numbers > 0)
    numbers, positions = numbers[real], mol.atom_coords()[real] * ANGSTROM_PER_BOHR
    flat = positions[:, list(axes)]
    radii = 0.6 * covalent_radii[numbers]
    for i, j in bonds(numbers, positions):
        apart = flat[j] - flat[i]
        length = float(np.linalg.norm(apart))
        if length > radii[i] + radii[j]:
            ends = flat[i] + apart * radii[i] / length, flat[j] - apart * radii[j] / length
            panel.plot(*np.transpose(ends), color="#666666", linewidth=1.2)
    for k, (point, radius) in enumerate(zip(flat, radii, strict=True)):
        panel.add_patch(Circle(tuple(point), radius, fill=False, edgecolor="#444444", linewidth=1.0))
        symbol = mol.atom_pure_symbol(int(real[k]))
        letters = panel.text(point[0], point[1], symbol, fontsize=10, ha="center", va="center")
        # Full colour lies under many a nucleus.
        letters.set_path_effects([withStroke(linewidth=2.0, foreground="white")])


def _palette() -> "Image":
    """One palette for all frames, or colours would flicker: those of the densities, and greys."""
    from matplotlib.colors import LinearSegmentedColormap
    from PIL import Image

    colours = LinearSegmentedColormap.from_list("density", COLOURS)(np.linspace(0.0, 1.0, 215))[:, :3]
    greys = np.repeat(np.linspace(0.0, 1.0, 41)[:, None], 3, axis=1)
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * np.concatenate([colours, greys])).round().astype(np.uint8).tobytes())
    return palette
