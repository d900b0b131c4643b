"""The checksum at the end of a file: BLAKE2b of all bytes ahead of it, as one line of text.

HDF5 reads a file up to the length that its head states, so that the line is in nobody's way. A program that
changes the file leaves it behind, or cuts it off.
"""

import hashlib
from pathlib import Path

from ..regular_file import RefusedFile, open_regular

_LEAD = b"\nhybrid-propagate blake2b "
_BYTES = 32
_LENGTH = len(_LEAD) + 2 * _BYTES + 1
_PORTION = 2**22


def write_sealed(path: Path, content: bytes) -> None:
    """Write a file with its checksum at the end. Raises OSError."""
    with path.open("wb") as file:
        file.write(content)
        file.write(_line(hashlib.blake2b(content, digest_size=_BYTES)))


def seal(path: Path) -> None:
    """Add the checksum at the end of a file that has none. Raises OSError."""
    digest = hashlib.blake2b(digest_size=_BYTES)
    with path.open("r+b") as file:
        while portion := file.read(_PORTION):
            digest.update(portion)
        file.write(_line(digest))


def check_seal(path: Path, *, needed: bool) -> None:
    """Raise RefusedFile where the checksum is not the content's, or is needed and not there.

    OSError where the file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=_BYTES)
    with open_regular(path) as file:
        left = max(path.stat().st_size - _LENGTH, 0)
        while portion := file.read(min(_PORTION, left)):
            digest.update(portion)
            left -= len(portion)
        end = file.read(_LENGTH)
    if end == _line(digest):
        return
    if end.startswith(_LEAD):
        raise RefusedFile("damaged: its content does not have the checksum at its end", path)
    if needed:
        raise RefusedFile("no checksum at its end: cut short, changed since, or of version 0.1.0", path)


def _line(digest: "hashlib.blake2b") -> bytes:
    return _LEAD + digest.hexdigest().encode() + b"\n"
