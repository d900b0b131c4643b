"""Geometries: as deck text, and out of NWChem's database."""

import numpy as np

from ..system import Geometry
from .entries import Entries
from .part import Part
from .reals import real_text


def geometry_lines(geometry: Geometry) -> list[str]:
    """A `geometry` block with these very positions, in bohr."""
    lines = [f'geometry "{geometry.name}" units bohr nocenter noautosym noautoz']
    numbers, charges = geometry.atomic_numbers.tolist(), geometry.charges.tolist()
    centres = zip(geometry.tags, numbers, charges, geometry.positions.tolist(), strict=True)
    for tag, number, charge, xyz in centres:
        own = "" if charge == number else f" charge {real_text(charge)}"
        lines.append(f"  {tag} {' '.join(map(real_text, xyz))}{own}")
    return [*lines, "end"]


def nuclei_part(entries: Entries) -> Part:
    """Every geometry, and which is the active one."""
    lines: list[str] = []
    for name in entries.texts("geometry:names"):
        lead = f"geometry:{name}:"
        tags = entries.texts(lead + "tags")
        positions, charges = entries.array(lead + "coords"), entries.array(lead + "charges")
        if entries.flag(lead + "system type"):
            return Part(("geometry",), (), f"geometry {name!r} is a lattice")
        if not tags or positions.size != 3 * len(tags) or charges.size != len(tags):
            return Part(("geometry",), (), f"geometry {name!r} is not whole")
        lines.append(f'geometry "{name}" units bohr nocenter noautosym noautoz')
        for tag, charge, xyz in zip(tags, charges.tolist(), np.reshape(positions, (-1, 3)), strict=True):
            lines.append(f"  {tag} {' '.join(map(real_text, xyz.tolist()))} charge {real_text(charge)}")
        lines.append("end")
    if "geometry" in entries:
        lines.append(f'set geometry string "{entries.text("geometry")}"')
    return Part(("geometry",), tuple(lines))
