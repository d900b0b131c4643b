"""Reading files that others wrote: regular ones alone, and never more of them than was agreed.

A named pipe would be waited on without end, a device read without end.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from ..atomic.errors import BadInput

_KINDS = (
    (stat.S_ISDIR, "a folder, not a file"),
    (stat.S_ISFIFO, "a named pipe, not a file"),
    (stat.S_ISCHR, "a device, not a file"),
    (stat.S_ISBLK, "a device, not a file"),
    (stat.S_ISSOCK, "a socket, not a file"),
)


class RefusedFile(BadInput, OSError):
    """A file that is not read; `strerror` says why, in a few words."""

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__(errno.EINVAL, reason, str(path))

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def check_regular(path: Path, most: int | None = None) -> None:
    """Raise RefusedFile unless `path` is a regular file of at most so many bytes; OSError if there is none.

    Nothing is opened. ValueError for a name that no file can have, as from `os.stat`.
    """
    _check(os.stat(path), path, most)


@contextmanager
def open_regular(path: Path, most: int | None = None) -> Iterator[BufferedReader]:
    """A regular file of at most so many bytes, open to read. Raises as `check_regular`."""
    check_regular(path, most)
    # What a name stands for may change before it is opened: a pipe is not waited on, and asked again.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        _check(os.fstat(descriptor), path, most)
        yield file


def read_regular(path: Path, most: int) -> bytes:
    """All bytes of a regular file, at most so many. Raises RefusedFile, OSError, ValueError."""
    with open_regular(path, most) as file:
        # A file may grow while it is read, and those of /proc say that they are empty.
        data = file.read(most + 1)
    if len(data) > most:
        raise RefusedFile(too_large(most), path)
    return data


def _check(status: os.stat_result, path: Path, most: int | None) -> None:
    if not stat.S_ISREG(status.st_mode):
        reason = next((text for applies, text in _KINDS if applies(status.st_mode)), "not a regular file")
        raise RefusedFile(reason, path)
    if most is not None and status.st_size > most:
        raise RefusedFile(too_large(most), path)


def too_large(most: int) -> str:
    """Why a file of more than so many bytes is not read."""
    return f"larger than {most / 2**20:.4g} MB"
