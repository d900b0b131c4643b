"""The geometries of a campaign: the deck's own, the frames of a file, or those of a temperature, kept."""

import contextlib
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck
from ...adapters.files.configuration import Source
from ...adapters.files.read_errors import reason
from ...adapters.regular_file import check_regular
from ...adapters.system import Geometry, System
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ...atomic.errors import HybridPropagateError
from ...atomic.whole_file import write_whole
from ..run.options import physics_of
from .config import CampaignConfig, Thermal
from .thermal import modes_of, sampled

#: Of a file of frames.
_MOST_BYTES = 2**30
#: What the geometries of a temperature are kept as.
KEPT = "geometries.xyz"


def geometries_of(
    config: CampaignConfig, deck: Deck, source: Source, tell: Callable[[str], None]
) -> list[Geometry]:
    """All of them, in order. Raises the source's error; Failed where there are no frequencies.

    Those of a temperature are written to the campaign's folder first, and read from there ever after: other
    machines then have the same.
    """
    own = deck.tasks[0].system.geometry
    chosen = config.geometries
    if chosen is None:
        return [own]
    if chosen.file is not None:
        return _frames(chosen.file, own, source)
    assert chosen.thermal is not None
    kept = config.folder / KEPT
    mark = _mark(deck.tasks[0].system, chosen.thermal)
    if not kept.exists():
        tell("harmonic frequencies at the deck's level")
        modes = modes_of(deck.tasks[0].system, tell)
        config.folder.mkdir(parents=True, exist_ok=True)
        write_whole(kept, _text(own, sampled(own.positions, modes, chosen.thermal), mark))
    elif f"made={mark}" not in _first_comment(kept):
        raise source.refused(
            ("geometries", "thermal"),
            f"{kept} was made with other settings; remove it or choose another folder",
        )
    return _frames(kept, own, source)


def _mark(system: System, thermal: Thermal) -> str:
    asked = json.dumps([physics_of(system), asdict(thermal)], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def _first_comment(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError), path.open(encoding="utf-8") as file:
        return (file.readline(1000) and file.readline(1000)) or ""
    return ""


def _text(geometry: Geometry, positions: np.ndarray, mark: str) -> str:
    """A multi-frame xyz file of positions (g, n, 3) in bohr."""
    from ase import Atoms
    from ase.io import write

    frames = [
        Atoms(numbers=geometry.atomic_numbers, positions=one * ANGSTROM_PER_BOHR, info={"made": mark})
        for one in positions
    ]
    text = io.StringIO()
    write(text, frames, format="extxyz")
    return text.getvalue()


def _frames(path: Path, own: Geometry, source: Source) -> list[Geometry]:
    from ase.io import read

    where = ("geometries", "file")
    try:
        check_regular(path, _MOST_BYTES)
        frames = read(path, index=":")
    except OSError as error:
        raise source.refused(where, f"{path}: cannot be read ({reason(error)})") from error
    except HybridPropagateError:
        raise
    except Exception as error:
        # Each of ASE's formats fails in its own way.
        raise source.refused(where, f"{path}: no file of frames that ASE can read") from error
    if not isinstance(frames, list) or not frames:
        raise source.refused(where, f"{path}: no frames")
    for number, frame in enumerate(frames, start=1):
        if not np.array_equal(frame.numbers, own.atomic_numbers):
            raise source.refused(
                where, f"{path}: frame {number} has other atoms than the deck, or in another order"
            )
        if not np.isfinite(frame.positions).all():
            raise source.refused(where, f"{path}: frame {number} has positions that are no numbers")
    return [replace(own, positions=frame.positions / ANGSTROM_PER_BOHR) for frame in frames]
