"""Files that are there whole or not at all, whatever happens while they are written, and whoever watches.

Where Linux can, the new file has no name until it is whole; else it has one that nobody can foresee. Neither
is opened through a link that somebody put there. A kill can leave the whole file beside the old one, for the
moment between its name and its place: `remove_left` finds it.
"""

import contextlib
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPEN_FILES = Path("/proc/self/fd")
_MODE = 0o666
#: Ends of the names of a file that is being written, and of one that is whole and on the way to its place.
_PART, _WHOLE = ".part", ".whole"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to; what is there in the end takes the place of `path`, and is gone after a failure.

    A link of that name is replaced, not followed. Raises OSError.
    """
    descriptor = _nameless(path)
    if descriptor is None:
        with _named(path) as part:
            yield part
        return
    try:
        there = _OPEN_FILES / str(descriptor)
        yield there
        # Linux puts no file in the place of another but by its name. The lock tells that this process lives.
        part = _unforeseen(path, _WHOLE)
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        # Python follows the link in /proc only where a folder is named too, of no use to an absolute path.
        os.link(there, part, src_dir_fd=descriptor, follow_symlinks=True)
        _take_place(part, path)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in one go. Raises OSError."""
    with whole_file(path) as part:
        part.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def remove_left(prefix: Path) -> None:
    """Remove what killed processes left on the way to `<prefix>.…`; what a living one holds stays."""
    ours = re.compile(rf"\.{re.escape(prefix.name)}\..*\.[0-9a-f]{{16}}{re.escape(_WHOLE)}")
    with contextlib.suppress(OSError):
        for name in filter(ours.fullmatch, os.listdir(prefix.parent)):
            _remove_unheld(prefix.with_name(name))


def _remove_unheld(path: Path) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        finally:
            os.close(descriptor)


def _nameless(path: Path) -> int | None:
    """A file without a name in the folder of `path`; None where the system or its file system has none."""
    if not (hasattr(os, "O_TMPFILE") and _OPEN_FILES.is_dir()):
        return None
    try:
        return os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, _MODE)
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, error.strerror, str(path)) from error
    except OSError:
        # Whatever else is wrong shows when a name is asked for.
        return None


@contextmanager
def _named(path: Path) -> Iterator[Path]:
    part = _unforeseen(path, _PART)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE))
    try:
        yield part
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _take_place(part, path)


def _unforeseen(path: Path, end: str) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}{end}")


def _take_place(part: Path, path: Path) -> None:
    try:
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
