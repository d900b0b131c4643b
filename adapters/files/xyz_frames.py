"""The frames of a multi-frame xyz file, as geometries of the atoms of a deck."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...atomic.errors import BadInput
from ..regular_file import check_regular
from ..system import Geometry
from ..system.geometry import ANGSTROM_PER_BOHR
from .read_errors import reason

#: Of an xyz file.
_MOST_BYTES = 2**28


class FramesError(BadInput):
    """Frames that cannot be read or are of other atoms. The text is one line led by the file's name."""


def read_frames(path: Path, geometry: Geometry) -> list[Geometry]:
    """Every frame (Ångström in the file), with the tags of `geometry`, whose atoms are in the same order.

    Raises FramesError.
    """
    from ase.io import read

    try:
        check_regular(path, _MOST_BYTES)
        frames = read(path, index=":", format="extxyz")
    except OSError as error:
        raise FramesError(f"{path}: no xyz file that can be read ({reason(error)})") from error
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        # What ASE says repeats the line.
        raise FramesError(f"{path}: no xyz file that can be read") from error
    if not isinstance(frames, list) or not frames:
        raise FramesError(f"{path}: no frames")
    for number, frame in enumerate(frames, start=1):
        if not np.array_equal(frame.numbers, geometry.atomic_numbers):
            raise FramesError(f"{path}: frame {number} has other atoms than the deck, or in another order")
    return [replace(geometry, positions=frame.positions / ANGSTROM_PER_BOHR) for frame in frames]
