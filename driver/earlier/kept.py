"""Files of an earlier run that another would replace: they stay, as `<start>.1.h5`, `<start>.2.h5`, …"""

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from ...adapters.files.plain_hdf5 import open_hdf5
from ...atomic.whole_file import whole_file

#: What one propagation leaves, and what all of a deck share.
_OF_A_RUN = (".h5", ".json", ".png", ".html", "_density.gif")
_OF_A_DECK = (".rt_restart", ".settings.nw", ".json", ".html")


def keep_earlier(prefix: Path, stems: Sequence[Path], settings: Sequence[str]) -> list[Path]:
    """Give the files of earlier runs a second name with a number, that of this run's files being free to go.

    prefix, stems: paths of the files of the deck and of each propagation, without their ends. settings: of
    each propagation, with its end. What is the same and complete is made again, and need not be kept.
    Returns the trajectory files' second names. Raises OSError.
    """
    old = [stem for stem, wanted in zip(stems, settings, strict=True) if _is_worth_keeping(_of(stem), wanted)]
    if not old:
        return []
    number = 1
    while any(os.path.lexists(_of(stem, ".h5", number)) for stem in (prefix, *old)):
        number += 1
    for stem in old:
        for end in _OF_A_RUN:
            _keep(_of(stem, end), _of(stem, end, number))
        # What an earlier run said of itself must not stand beside this one's trajectory.
        for end in _OF_A_RUN[1:]:
            _of(stem, end).unlink(missing_ok=True)
    for end in _OF_A_DECK:
        _keep(_of(prefix, end), _of(prefix, end, number))
    return [_of(stem, ".h5", number) for stem in old]


def _of(stem: Path, end: str = ".h5", number: int | None = None) -> Path:
    return stem.with_name(stem.name + ("" if number is None else f".{number}") + end)


def _is_worth_keeping(path: Path, wanted: str) -> bool:
    """Whether the file has anything that a run with the wanted settings would not make again."""
    if not os.path.lexists(path):
        return False
    try:
        with open_hdf5(path) as file:
            times = file.get("dynamics/time")
            if not isinstance(times, h5py.Dataset) or not len(times):
                return False
            same = settings_of(str(file.attrs["settings"]), float(np.asarray(file.attrs["tmax"]))) == wanted
            return not (same and bool(file.attrs["complete"]) and float(times[0]) == 0.0)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError):
        return True


def settings_of(settings: str, tmax: float) -> str:
    """What two runs have in common that end with the same trajectory."""
    return f"{settings} {tmax!r}"


def _keep(path: Path, second: Path) -> None:
    """A second name for the file; a copy where the file system has no such names."""
    if not path.is_file():
        return
    with contextlib.suppress(OSError):
        os.link(path, second, follow_symlinks=False)
        return
    with whole_file(second) as part:
        shutil.copyfile(path, part)
