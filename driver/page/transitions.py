"""Transition densities of the strongest lines, drawn for a page."""

import base64
from collections.abc import Sequence

import numpy as np

from ...adapters.pyscf.molecule import molecule
from ...adapters.system import System
from ..pictures.transition_picture import transition_pictures
from ..spectra.lines import AbsorptionLine, KickedRun, transition_densities
from ..spectra.spectrum import SpectrumError

#: So many lines are drawn.
MOST = 3


def transition_figure(runs: Sequence[KickedRun], lines: Sequence[AbsorptionLine], system: System) -> str:
    """HTML of the strongest lines' transition densities; empty where no run kept a response."""
    strongest = sorted(sorted(lines, key=lambda line: -line.strength)[:MOST], key=lambda line: line.energy)
    if not any(line.transitions for line in strongest):
        return ""
    try:
        found = transition_densities(runs, [line.energy for line in strongest])
    except SpectrumError:
        return ""
    matrices = np.array([density.sum(axis=0) for density in found])
    titles = [f"{line.energy:.2f} eV, f = {line.strength:.3g}" for line in strongest]
    pictures = transition_pictures(molecule(system), matrices, titles)
    images = "".join(
        f'<img alt="transition density of the line at {line.energy:.2f} eV" '
        f'src="data:image/png;base64,{base64.b64encode(picture).decode("ascii")}">'
        for line, picture in zip(strongest, pictures, strict=True)
    )
    caption = (
        "Orange and blue: the two signs of the charge that swings at a line, integrated along an axis "
        "across its direction. <code>run.transition_cube(line, path)</code> writes it in space."
    )
    return f'<figure><div class="pictures">{images}</div><figcaption>{caption}</figcaption></figure>'
