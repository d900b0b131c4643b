"""One process for the files of one name: `<start>.lock`, with the host, process and start of who has them.

The process holds the system's lock on the file for as long as it lives, whatever ends it: a file that nobody
holds was left by a dead run of this host, and is taken over. What another host holds cannot be seen from here
on every network file system, so that its file counts until it is removed.
"""

import contextlib
import datetime
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ...atomic.errors import BadInput
from ...atomic.whole_file import remove_left

#: What file systems without such locks answer.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_MOST_BYTES = 1000
#: Seconds that a holder is given to write its name, and between two looks.
_NAMING_SECONDS, _LOOK_SECONDS = 1.0, 0.02


class FolderInUse(BadInput):
    """Another process writes files of that name. One line: the lock file, who holds it, and the way out."""


@contextmanager
def locked(paths: list[Path]) -> Iterator[None]:
    """Hold several lock files at once; they are gone afterwards. Raises FolderInUse, OSError."""
    with ExitStack() as stack:
        for path in sorted(set(paths)):
            stack.enter_context(_locked(path))
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = _taken(path)
    try:
        # The file goes while it is still held: who waits for it finds a new one, or none.
        os.ftruncate(descriptor, 0)
        os.write(descriptor, _owner().encode())
        remove_left(path.with_suffix(""))
        yield
    finally:
        with contextlib.suppress(OSError):
            if _is_at(descriptor, path):
                path.unlink()
        os.close(descriptor)


def _taken(path: Path) -> int:
    """An open and locked file of that name."""
    while True:
        flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o666)
        try:
            alone = _hold(descriptor)
            if alone is not False and not _is_at(descriptor, path):
                os.close(descriptor)
                continue
            _check_owner(path, _words(descriptor, held=alone is False), alone)
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(descriptor)
            raise
        return descriptor


def _words(descriptor: int, *, held: bool) -> list[str]:
    """What the file says; whoever has just taken it may have yet to write its name."""
    until = time.monotonic() + _NAMING_SECONDS
    while True:
        words = os.pread(descriptor, _MOST_BYTES, 0).decode("utf-8", "replace").split()
        here = words[:1] == [socket.gethostname()]
        named = len(words) > 2 and (not here or _start_of(words[1]) == words[2:3])
        if named or not held or time.monotonic() > until:
            return words
        time.sleep(_LOOK_SECONDS)


def _hold(descriptor: int) -> bool | None:
    """Whether the lock was free; None where the file system has none."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _check_owner(path: Path, words: list[str], alone: bool | None) -> None:
    """words: of the file; alone: see `_hold`. Raises FolderInUse."""
    host, process = (*words, "", "")[:2]
    since = " ".join(words[3:]) or "just now"
    who = f"process {process} of {host}, since {since}," if process else "another process"
    here = host in ("", socket.gethostname())
    if alone is False or (alone is None and here and process and _start_of(process) == words[2:3]):
        raise FolderInUse(f"{path}: {who} is writing files of this name; wait for its end")
    if not here:
        raise FolderInUse(f"{path}: {who} may still be writing files of this name; if not, remove this file")


def _owner() -> str:
    began = _start_of(str(os.getpid()))
    now = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    return f"{socket.gethostname()} {os.getpid()} {began[0] if began else 0} {now}\n"


def _start_of(process: str) -> list[str]:
    """Clock ticks from the system's start to the process's; none for a process that there is not."""
    try:
        return [Path(f"/proc/{int(process)}/stat").read_text().rpartition(")")[2].split()[19]]
    except (OSError, ValueError, IndexError):
        return []
