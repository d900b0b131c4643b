"""Densities that an NWChem run left: restart files of single points, and streams of many one after another.

NWChem overwrites `<start>.rt_restart`; where that path is a named pipe, every point that `nrestarts` asks for
comes through it, and `cat` gathers them in one file.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..regular_file import read_regular
from .rt_restart import TITLE, RestartError, RestartPoint, parse_restart

#: Of a file of many points.
_MOST_BYTES = 2**32


def read_records(paths: Sequence[Path], n_spin: int, n_basis: int) -> list[RestartPoint]:
    """All points of the files, in order of time, each time once. Raises RestartError as `read_restart`."""
    points = {
        point.time: point
        for path in paths
        for text in _records(path)
        for point in [parse_restart(text, path, n_spin, n_basis)]
    }
    return [points[time] for time in sorted(points)]


def _records(path: Path) -> Iterator[str]:
    try:
        text = read_regular(path, _MOST_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise RestartError(f"{path}: {error.strerror}") from error
    if TITLE not in text:
        raise RestartError(f"{path}: no NWChem restart file is in it (no line {TITLE!r})")
    for body in text.split(TITLE)[1:]:
        yield TITLE + body
