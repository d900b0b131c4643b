"""A command writes over nothing that it reads."""

from collections.abc import Iterable
from pathlib import Path

from .errors import BadInput


def check_apart(written: Iterable[Path], read: Iterable[Path]) -> None:
    """Raises BadInput where a file to be written is one that is read, by whatever name."""
    sources = [path for path in read if path.exists()]
    for path in written:
        if path.exists() and any(path.samefile(source) for source in sources):
            raise BadInput(f"{path}: is read, and would be written over; give another name with --output")
