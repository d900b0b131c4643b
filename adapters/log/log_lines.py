"""Lines of a log, plain or packed (gzip), read a megabyte at a time and never without end.

What a packed file holds is counted as it comes out: no log is packed a hundredfold, zeros are.
"""

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from ..regular_file import RefusedFile, open_regular, too_large

#: Bytes of a log, and of one of its lines (orbital occupations of 40,000 orbitals).
MOST_BYTES, LONGEST_LINE = 2**32, 2**20
#: A packed file may hold so many times its own size, or this many bytes.
MOST_PACKED, ALWAYS = 100, 2**20
_PART = 2**20


def log_lines(path: Path) -> Iterator[str]:
    """Lines that are ended, without their ends; a kill may have cut the last one anywhere.

    Raises RefusedFile, OSError and ValueError, which is for a name that no file can have.
    """
    with open_regular(path, MOST_BYTES) as file:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        rest = b""
        for part in _unpacked(file, path) if packed else iter(lambda: file.read(_PART), b""):
            *lines, rest = (rest + part).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise RefusedFile(f"not a log: a line is longer than {LONGEST_LINE} characters", path)
            if lines:
                yield from b"\n".join(lines).decode("utf-8", "replace").split("\n")


def _unpacked(file: BufferedReader, path: Path) -> Iterator[bytes]:
    size = 0
    try:
        with gzip.GzipFile(fileobj=file) as stream:
            while part := stream.read(_PART):
                size += len(part)
                if size > max(ALWAYS, MOST_PACKED * file.tell()):
                    raise RefusedFile(f"not a log: unpacks to more than {MOST_PACKED} times its size", path)
                if size > MOST_BYTES:
                    raise RefusedFile(too_large(MOST_BYTES), path)
                yield part
    except (zlib.error, EOFError) as error:
        raise RefusedFile(f"packed data that cannot be read to their end ({error})", path) from error
