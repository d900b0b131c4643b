"""HDF5 files: written whole, and read where nothing lies elsewhere or is larger than the file can hold.

A link to another file, data stored in one, or a data set mapped from one would make a file that somebody
sends show what the reader alone may see; a data set of zeros that no byte stands for would fill the memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from h5py import h5a, h5d, h5l  # pyright: ignore[reportAttributeAccessIssue]

from ...atomic.whole_file import whole_file
from ..regular_file import RefusedFile, check_regular
from .checksum import seal

#: A data set up to this size, bytes, or up to so many times what it takes on disk, is read.
_SMALL, _DEFLATED = 2**26, 100
#: Texts without a length of their own can all be one and the same large one.
_MOST_TEXTS = 1000
#: More names than this are none of ours.
_MOST_NAMES = 100_000


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """The file, open to read. Raises RefusedFile, also of what is found damaged later, and h5py's OSError."""
    check_regular(path)
    try:
        with h5py.File(path, "r") as file:
            _check(file, path)
            yield file
    except RuntimeError as error:
        # HDF5's word for structures that lead nowhere; Python has kinds of its own for other things.
        if type(error) is not RuntimeError:
            raise
        raise RefusedFile("damaged: " + " ".join(str(error).split()), path) from error


@contextmanager
def open_own_hdf5(path: Path) -> Iterator[h5py.File]:
    """A file that this process has written, or has read and checked, open to read. Raises h5py's OSError."""
    with h5py.File(path, "r") as file:
        yield file


@contextmanager
def new_hdf5(path: Path, *, sealed: bool = False) -> Iterator[h5py.File]:
    """An HDF5 file to write, which takes the place of `path` once it is whole; sealed: with its checksum.

    Raises OSError.
    """
    with whole_file(path) as part:
        # HDF5 by itself opens a file by its name, and follows links.
        with part.open("r+b") as raw, h5py.File(raw, "w") as file:
            yield file
        if sealed:
            seal(part)


def _check(file: h5py.File, path: Path) -> None:
    found: list[str] = []
    names: list[None] = []

    def look(name: bytes, link: h5l.LinkInfo) -> bool | None:
        names.append(None)
        if link.type != h5l.TYPE_HARD:
            found.append(f"{_text(name)} is a link to elsewhere")
        elif len(names) > _MOST_NAMES:
            found.append(f"more than {_MOST_NAMES} names")
        return True if found else None

    file.id.links.visit(look, info=True)
    if not found:
        _check_kinds(file, "/", found)
        file.visititems(lambda name, item: _check_item(name, item, found))
    if found:
        raise RefusedFile(found[0], path)


def _check_item(name: str, item: h5py.Group | h5py.Dataset, found: list[str]) -> bool | None:
    _check_kinds(item, name, found)
    if isinstance(item, h5py.Dataset) and item.shape is not None:
        on_disk, kept = int(item.id.get_storage_size()), item.id.get_create_plist()
        if kept.get_layout() == h5d.VIRTUAL or kept.get_external_count():
            found.append(f"{name} is kept in another file")
        elif not _plain(item.dtype) or (item.dtype.kind == "O" and (item.size or 0) > _MOST_TEXTS):
            found.append(f"{name} holds objects")
        elif item.nbytes > max(_SMALL, _DEFLATED * on_disk):
            found.append(f"{name} has {item.nbytes / 2**20:.0f} MB, of which {on_disk} bytes are there")
    return True if found else None


def _check_kinds(item: h5py.Group | h5py.Dataset, name: str, found: list[str]) -> None:
    """Attributes are numbers and text."""
    for attribute in item.attrs if h5a.get_num_attrs(item.id) else ():
        if not _plain(item.attrs.get_id(attribute).dtype):
            found.append(f"{name}: attribute {attribute} holds objects")


def _plain(kind: np.dtype) -> bool:
    return not kind.hasobject or h5py.check_string_dtype(kind) is not None


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
